import {
  type Field,
  type Reader,
  type Rows,
  readByte,
  reader,
  readInteger,
  SchemaError,
  type Shape,
  type StoredFields,
  text,
  toUtf8,
  type Write,
  type Writer,
  writeByte,
  writeInteger,
} from '@quorumlab/core';
import { crc32c } from './crc32c.ts';

/** A batch of the log is not one that this codec would have written. The node must not vote. */
export class DiskRecordError extends Error {
  override readonly name = 'DiskRecordError';
  /** Which batch, counted from 1 since the last compaction. */
  readonly batch: number;

  constructor(batch: number, why: string, cause?: unknown) {
    super(
      `Batch ${batch} of the log cannot be read (${why}); nothing was changed: ` +
        'repair this node from other members before it votes again.',
      { cause },
    );
    this.batch = batch;
  }
}

/** The log was written with other stable fields: by another protocol or another version of it. */
export class DiskFieldsError extends Error {
  override readonly name = 'DiskFieldsError';

  constructor(found: string, expected: string) {
    super(
      `The log holds the fields ${found}, this protocol stores ${expected}: ` +
        'use the version that wrote it, or give this node its own folder.',
    );
  }
}

/** A stable state as a disk sees it: registers and tables by name. */
export type Fields = Record<string, unknown>;
type Table = Map<number, unknown>;

/** Operation codes, one byte each. Only ever append; the next one, 5, is that of `pieces.ts`. */
const operation = { fields: 0, save: 1, put: 2, dropFrom: 3, dropBelow: 4 } as const;

/** How the stable state of one shape is written: fields in the order of their names. */
export interface StoredCodec<S extends Shape> {
  /** Says which fields follow. The first thing in every log. */
  writeFields(to: Writer): void;
  /** Appends one write. Throws `SchemaError` at a field or value that is none of the schema's. */
  write(to: Writer, write: Write<S>): void;
  /**
   * Reads a whole commit, in order. `place` tells which record ended with it, and whether it is the
   * first of the log. Throws {@link DiskRecordError} or {@link DiskFieldsError}.
   */
  read(
    commit: Uint8Array,
    place: { readonly record: number; readonly first: boolean },
    apply: (write: Write<S>) => void,
  ): void;
  /** The writes that lead from the initial state to `state`, lazily. */
  all(state: Fields): Iterable<Write<S>>;
}

/** The codec for `stored`; which fields are tables is told by `initial`. */
export function storedCodec<S extends Shape>(
  stored: StoredFields<S>,
  initial: S['Stable'],
): StoredCodec<S> {
  const fields = stored as Readonly<Record<string, Field<unknown>>>;
  const start = initial as Fields;
  const tables = Object.keys(fields)
    .filter((name) => start[name] instanceof Map)
    .sort();
  const registers = Object.keys(fields)
    .filter((name) => !(start[name] instanceof Map))
    .sort();
  const description = [
    ...registers.map((name) => `${name}:${typeCode(fields[name])}`),
    ...tables.map((name) => `${name}[]:${typeCode(fields[name])}`),
  ].join(' ');
  const label = text(65_536);

  function tableAt(index: number): string {
    const name = tables[index];
    if (name === undefined) throw new SchemaError(`there is no table ${index}`);
    return name;
  }

  function writeSave(to: Writer, values: Fields): void {
    const names = Object.keys(values);
    for (const name of names)
      if (!registers.includes(name))
        throw new SchemaError(`"${name}" is not a stable register; declare it in stored`);
    writeByte(to, operation.save);
    for (let i = 0; i < registers.length; i += 8)
      writeByte(
        to,
        registers.slice(i, i + 8).reduce((bits, name, j) => bits | (+(name in values) << j), 0),
      );
    for (const name of registers) if (name in values) fields[name]?.write(to, values[name]);
  }

  function readSave(from: Reader): Fields {
    const bits: boolean[] = [];
    for (let i = 0; i < registers.length; i += 8) {
      const byte = readByte(from);
      for (let j = 0; j < 8; j++) bits.push(((byte >> j) & 1) === 1);
    }
    if (bits.lastIndexOf(true) >= registers.length) throw new SchemaError('no such register');
    const values: Fields = {};
    for (const [i, name] of registers.entries())
      if (bits[i]) values[name] = fields[name]?.read(from);
    return values;
  }

  function readWrite(from: Reader): Write<S> | undefined {
    const code = readByte(from);
    if (code === operation.fields) {
      const found = label.read(from);
      if (found !== description) throw new DiskFieldsError(found, description);
      return undefined;
    }
    // Names come from the schema's own keys, so they are keys of the stable state.
    if (code === operation.save)
      return { type: 'save', registers: readSave(from) as Partial<S['Stable']> };
    if (code > operation.dropBelow) throw new SchemaError(`${code} is not an operation`);
    const name = tableAt(readInteger(from));
    const table = name as keyof S['Stable'];
    const index = readInteger(from);
    if (code === operation.put) return { type: 'put', table, index, row: fields[name]?.read(from) };
    const rows: Rows = code === operation.dropFrom ? { from: index } : { below: index };
    return { type: 'drop', table, rows };
  }

  return {
    writeFields(to) {
      writeByte(to, operation.fields);
      label.write(to, description);
    },
    write(to, write) {
      if (write.type === 'save') return writeSave(to, write.registers as Fields);
      const name = String(write.table);
      const index = tables.indexOf(name);
      if (index < 0) throw new SchemaError(`"${name}" is not a stable table; declare it in stored`);
      if (write.type === 'put') {
        writeByte(to, operation.put);
        writeInteger(to, index);
        writeInteger(to, write.index);
        fields[name]?.write(to, write.row);
      } else {
        const { rows } = write;
        writeByte(to, 'from' in rows ? operation.dropFrom : operation.dropBelow);
        writeInteger(to, index);
        writeInteger(to, 'from' in rows ? rows.from : rows.below);
      }
    },
    read(commit, { record, first }, apply) {
      const from = reader(commit);
      try {
        if (first && commit[0] !== operation.fields)
          throw new SchemaError('the log does not begin with its fields');
        while (from.at < from.end) {
          const write = readWrite(from);
          if (write !== undefined) apply(write);
        }
      } catch (error) {
        if (error instanceof DiskFieldsError || !(error instanceof SchemaError)) throw error;
        throw new DiskRecordError(record, error.message, error);
      }
    },
    *all(state) {
      const values = Object.fromEntries(registers.map((name) => [name, state[name]]));
      yield { type: 'save', registers: values as Partial<S['Stable']> };
      for (const name of tables)
        for (const [index, row] of state[name] as Table)
          yield { type: 'put', table: name as keyof S['Stable'], index, row };
    },
  };
}

const typeCode = (field: Field<unknown> | undefined): string =>
  crc32c(toUtf8(field?.type ?? '')).toString(16);

/** Applies `write` to `state`, whose tables are its own. */
export function applyWrite<S extends Shape>(state: Fields, write: Write<S>): void {
  if (write.type === 'save') {
    Object.assign(state, write.registers);
    return;
  }
  const table = state[String(write.table)] as Table;
  if (write.type === 'put') {
    table.set(write.index, write.row);
    return;
  }
  const { rows } = write;
  for (const index of table.keys())
    if ('from' in rows ? index >= rows.from : index < rows.below) table.delete(index);
}

/** A copy with tables of its own; rows and registers are shared, because nobody changes them. */
export const ownTables = (state: object): Fields =>
  Object.fromEntries(
    Object.entries(state).map(([name, value]) => [
      name,
      value instanceof Map ? new Map(value) : value,
    ]),
  );
