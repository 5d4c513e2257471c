/**
 * What was done and said, as text: a test that keeps such a text notices whatever a replica does
 * otherwise, and whoever reads it sees what the protocol does, step by step.
 */
import {
  type Event,
  firstClient,
  type Output,
  type Replica,
  type Request,
  type Shape,
  type TimerChange,
  toHex,
  type Write,
} from '@quorumlab/core';
import type { ByzantineNetwork, RequestShape } from './byzantine-network.ts';
import type { Sheet } from './sheet.ts';

/** What a test calls a digest; the others are told by their last digits. */
export type Names = ReadonlyMap<string, string>;

const digests = /[0-9a-f]{64}/g;

/** `value` in one line. Of signatures only the signers are told, and of bytes their digits. */
export function shown(value: unknown, names: Names): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'string')
    return value.replace(digests, (digest) => names.get(digest) ?? digest.slice(-6));
  if (typeof value !== 'object') return `${value}`;
  if (value instanceof Uint8Array) return toHex(value) || 'no bytes';
  const all = (each: Iterable<unknown>): string =>
    Array.from(each, (one) => shown(one, names)).join(' ');
  if (Array.isArray(value) || value instanceof Set) return `[${all(value)}]`;
  if (value instanceof Map)
    return `{${[...value].map(([key, row]) => `${key}: ${shown(row, names)}`).join(', ')}}`;
  if ('operations' in value) return requestIn(value as unknown as Request);
  if ('seals' in value && 'body' in value) {
    const seals = value.seals as readonly { readonly from: number }[];
    return `⟨${shown(value.body, names)} by ${seals.map(({ from }) => from).join()}⟩`;
  }
  const { kind, ...fields } = value as Readonly<Record<string, unknown>>;
  const parts = Object.entries(fields)
    .filter(([name]) => !('signature' in fields && (name === 'from' || name === 'signature')))
    .map(([name, each]) => `${name}=${shown(each, names)}`);
  return kind === undefined ? `(${parts.join(' ')})` : [kind, ...parts].join(' ');
}

/** A client's number, counted from 0, and that of its request; a star: it is about the group. */
const requestIn = ({ client, sequence, configuration }: Request): string =>
  `c${client - firstClient}.${sequence}${configuration === undefined ? '' : '*'}`;

/** What a machine is told. */
function eventIn<P extends Shape>(event: Event<P>, names: Names): string {
  switch (event.type) {
    case 'message':
      return `hears ${event.message.from}: ${shown(event.message, names)}`;
    case 'timeout':
      return `timer ${event.timer}`;
    case 'propose':
      return `is asked for ${shown(event.command, names)}`;
    case 'snapshot-taken':
    case 'snapshot-installed':
      return `${event.type} ${event.slot} ${shown(event.digest, names)}`;
    default:
      return event.type;
  }
}

function writeIn<P extends Shape>(write: Write<P>, names: Names): readonly string[] {
  if (write.type === 'put')
    return [`put ${String(write.table)} ${write.index}: ${shown(write.row, names)}`];
  if (write.type === 'drop') return [`drop ${String(write.table)} ${shown(write.rows, names)}`];
  return Object.entries(write.registers).map(
    ([name, value]) => `save ${name}: ${shown(value, names)}`,
  );
}

const timerIn = <P extends Shape>(change: TimerChange<P>): string =>
  change.type === 'clear'
    ? `clear ${change.timer}`
    : `set ${change.timer} ${[change.after].flat().join(' to ')}`;

/** All that comes of a step, a line each, in the order in which a host honours it. */
export const effectsIn = <P extends Shape>(output: Output<P>, names: Names): readonly string[] => [
  ...output.lines.map((line) => `by ${line}`),
  ...output.early.map(({ to, message }) => `early to ${to}: ${shown(message, names)}`),
  ...output.writes.flatMap((write) => writeIn(write, names)),
  ...output.sends.map(({ to, message }) => `to ${to}: ${shown(message, names)}`),
  ...output.timers.map(timerIn),
  ...output.decisions.map(
    ({ slot, commands, proof, voters, configured }) =>
      `decide ${slot}: ${shown(commands, names)} voters=${shown(voters, names)} ` +
      `proof=${shown(proof, names)} configured=${shown(configured, names)}`,
  ),
  ...output.reads.map(({ id, upTo }) => `read ${id} up to ${upTo}`),
  ...output.fetches.map(
    ({ slot, digest, holders }) => `fetch ${slot} ${shown(digest, names)} of ${holders.join()}`,
  ),
  ...output.accusations.map(
    ({ first, second }) =>
      `accuse ${first.from}: ${shown(first, names)} AND ${shown(second, names)}`,
  ),
];

const isTable = (value: unknown): boolean => value instanceof Map || value instanceof Set;

/** Whether a row is itself one of open tables, and no statement that is kept as it came. */
const holdsTables = (row: unknown): row is object =>
  typeof row === 'object' &&
  row !== null &&
  Object.values(row).some((each) => isTable(each) || isTable(Object.values(each ?? {})[0]));

/** A table by its keys; of rows that hold several things also how many. */
function keysIn(table: ReadonlyMap<unknown, unknown>, names: Names): string {
  const sizeOf = (row: unknown): string => {
    if (Array.isArray(row)) return `:${row.length}`;
    return row instanceof Map || row instanceof Set ? `:${row.size}` : '';
  };
  return `{${[...table].map(([key, row]) => shown(key, names) + sizeOf(row)).join()}}`;
}

/** The parts of a row, of its tables the keys. */
const partsIn = (row: object, names: Names): string =>
  Object.entries(row)
    .map(([name, value]) => {
      if (value instanceof Map) return `${name}=${keysIn(value, names)}`;
      return `${name}=${holdsTables(value) ? `(${partsIn(value, names)})` : shown(value, names)}`;
    })
    .join(' ');

/** What a replica holds, a line for each part of its state, and for each row of open tables. */
export const holdingsIn = <P extends Shape>(replica: Replica<P>, names: Names): readonly string[] =>
  Object.entries(replica).flatMap(([name, value]) => {
    if (!(value instanceof Map)) return [`${name}=${shown(value, names)}`];
    const rows = [...value].filter(([, row]) => holdsTables(row));
    return [
      `${name}=${keysIn(value, names)}`,
      ...rows.map(([key, row]) => `${name} ${shown(key, names)}: ${partsIn(row, names)}`),
    ];
  });

/** What is different in `after`. */
export const changesIn = (before: readonly string[], after: readonly string[]): readonly string[] =>
  after.filter((each) => !before.includes(each));

/** Writes down each step of some seats of a network from now on. */
export class Transcript<P extends RequestShape> {
  readonly #sheet: Sheet;
  readonly #names: Names;
  readonly #network: ByzantineNetwork<P>;
  #now = 0;

  constructor(
    network: ByzantineNetwork<P>,
    names: Names,
    sheet: Sheet,
    seats: readonly number[] = network.protocol.members,
  ) {
    this.#network = network;
    this.#names = names;
    this.#sheet = sheet;
    for (const self of seats)
      network.seat(self).watcher = (event, output) => this.#step(self, event, output);
  }

  #step(self: number, event: Event<P>, output: Output<P>): void {
    const { now } = this.#network;
    if (now !== this.#now) this.#sheet.write(`at ${now}`);
    this.#now = now;
    const { role, term, leader } = this.#network.seat(self).machine.status();
    const becomes = `then ${role} of ${term}, leader ${leader ?? 'unknown'}`;
    const effects = [...effectsIn(output, this.#names), becomes];
    this.#sheet.write(
      `${self} ${eventIn(event, this.#names)}`,
      ...effects.map((each) => `  ${each}`),
    );
  }

  /** What the test does next, in words. */
  note(text: string): void {
    this.#sheet.write('', `# ${text}`);
  }

  /** What a replica holds now. */
  holdings(self: number): void {
    const held = holdingsIn(this.#network.state(self), this.#names);
    this.#sheet.write(`${self} holds`, ...held.map((each) => `  ${each}`));
  }
}
