/** A commit larger than one record of the log takes several, and is still there whole or not. */
import {
  readByte,
  reader,
  readInteger,
  SchemaError,
  type Writer,
  writeByte,
  writeInteger,
} from '@quorumlab/core';

/** First byte of a record that is one piece of a commit; see the operations in `stored.ts`. */
const pieceCode = 5;
/** Bytes in front of a piece: the code, which one it is, and of how many. */
const headBytes = 1 + 7 + 7;

/** `commit` as records of at most `most` bytes: itself if it is small enough. */
export function* piecesOf(commit: Uint8Array, most: number): Generator<Uint8Array, void, void> {
  if (commit.length <= most) return yield commit;
  const size = most - headBytes;
  const count = Math.ceil(commit.length / size);
  for (let i = 0; i < count; i++) {
    const part = commit.subarray(i * size, (i + 1) * size);
    const head: Writer = { bytes: new Uint8Array(headBytes + part.length), length: 0 };
    writeByte(head, pieceCode);
    writeInteger(head, i);
    writeInteger(head, count);
    head.bytes.set(part, head.length);
    yield head.bytes.subarray(0, head.length + part.length);
  }
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
