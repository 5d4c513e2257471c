import type { OpenFile } from './files.ts';

const windowBytes = 1024 * 1024;

/** Part of a file in memory; beyond the end of the file there are zeros. */
export interface Window {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Index in `bytes` of the position that was asked for. */
  readonly at: number;
}

/** Reads a file through one window of bounded size. */
export interface Reader {
  /** Size of the file when the reader was made, in bytes. */
  readonly size: number;
  /** The window if it already holds `length` bytes at `position`: the fast path. */
  cached(position: number, length: number): Window | undefined;
  /** A window that holds `length` bytes at `position`; it is valid until the next call. */
  load(position: number, length: number): Promise<Window>;
}

/** A reader over an open file. */
export async function readerOf(file: OpenFile): Promise<Reader> {
  const size = await file.size();
  let start = 0;
  let bytes = new Uint8Array(0);
  let view = new DataView(bytes.buffer);
  const cached = (position: number, length: number): Window | undefined =>
    position >= start && position + length <= start + bytes.length
      ? { bytes, view, at: position - start }
      : undefined;
  const load = async (position: number, length: number): Promise<Window> => {
    const ready = cached(position, length);
    if (ready !== undefined) return ready;
    const ahead = Math.min(windowBytes, Math.max(size - position, 0));
    bytes = new Uint8Array(Math.max(length, ahead));
    view = new DataView(bytes.buffer);
    start = position;
    await file.read(bytes, position);
    return { bytes, view, at: 0 };
  };
  return { size, cached, load };
}

/** Position of the last byte that is not zero in [from, end of file), or undefined. */
export async function lastNonZero(reader: Reader, from: number): Promise<number | undefined> {
  let found: number | undefined;
  for (let position = from; position < reader.size; position += windowBytes) {
    const length = Math.min(windowBytes, reader.size - position);
    const { bytes, at } = await reader.load(position, length);
    for (let i = length - 1; i >= 0; i--) {
      if (bytes[at + i] !== 0) {
        found = position + i;
        break;
      }
    }
  }
  return found;
}
