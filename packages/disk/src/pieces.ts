/**
 * A commit larger than one record of the log takes several, and is still there whole or not. It is
 * encoded while it is written, so that what a step has changed is never in memory once more.
 */
import {
  readByte,
  reader,
  readInteger,
  SchemaError,
  view,
  type Writer,
  writeByte,
  writeInteger,
  writer,
} from '@quorumlab/core';

/** First byte of a record that is one piece of a commit; see the operations in `stored.ts`. */
const pieceCode = 5;
/** Bytes in front of a piece: the code, which one it is, and of how many. */
const headBytes = 1 + 7 + 7;

/** One record of a commit. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/**
 * What `steps` write to `to`, one after the other, as records of at most `most` bytes: in one if
 * that is enough. The bytes of a part are only good until the next one, and `to` is empty before.
 * How many parts come is not known before the last: each other one says one more than there are.
 */
export function* partsOf(
  to: Writer,
  steps: Iterable<unknown>,
  most: number,
): Generator<Part, void, void> {
  const size = most - headBytes;
  let count = 0;
  let record: Uint8Array | undefined;
  function piece(length: number, isLast: boolean): Part {
    record ??= new Uint8Array(most);
    const head: Writer = { ...writer(0), bytes: record };
    writeByte(head, pieceCode);
    writeInteger(head, count++);
    writeInteger(head, isLast ? count : count + 1);
    record.set(to.bytes.subarray(0, length), head.length);
    to.bytes.copyWithin(0, length, to.length);
    to.length -= length;
    return { bytes: record.subarray(0, head.length + length), isLast };
  }
  for (const _ of steps) while (to.length > most) yield piece(size, false);
  if (count === 0) return yield { bytes: view(to), isLast: true };
  while (to.length > size) yield piece(size, false);
  yield piece(to.length, true);
}

/** `commit` as records of at most `most` bytes: itself if it is small enough. */
export function* piecesOf(commit: Uint8Array, most: number): Generator<Uint8Array, void, void> {
  if (commit.length <= most) return yield commit;
  const to: Writer = { ...writer(0), bytes: commit, length: commit.length };
  for (const { bytes } of partsOf(to, [undefined], most)) yield bytes.slice();
}

/**
 * Puts pieces together again, record by record. Returns a commit when its last record is there. The
 * pieces of one that a crash cut short are forgotten: it was never acknowledged.
 */
export function joiner(): (record: Uint8Array) => Uint8Array | undefined {
  let pieces: Uint8Array[] = [];
  return (record) => {
    if (record[0] !== pieceCode) {
      pieces = [];
      return record;
    }
    const from = reader(record);
    readByte(from);
    const index = readInteger(from);
    const count = readInteger(from);
    if (index === 0) pieces = [];
    if (index !== pieces.length || index >= count)
      throw new SchemaError(`piece ${index} of ${count} does not follow ${pieces.length}`);
    pieces.push(record.subarray(from.at));
    if (pieces.length < count) return undefined;
    const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces.splice(0)) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  };
}
