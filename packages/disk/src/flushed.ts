/**
 * How far the log was flushed, in a second place: what a log that was cut cannot tell by itself.
 * Two slots are written in turn, so that a tear of one leaves the other. What they say is said
 * only once it is true, and an older one proves less. docs/decisions/011 has the rest.
 */
import { join } from 'node:path';
import { crc32c } from './crc32c.ts';
import { DamagedLogError, UnknownFormatError, UnsafePathError, WrongOwnerError } from './errors.ts';
import type { Files, OpenFile } from './files.ts';

/** Where the log ended at a moment at which all of it had been flushed. */
export interface Mark {
  /** The newest segment; 0: there is no log yet. */
  readonly sequence: number;
  /** The last record; 0 if none. */
  readonly record: number;
  /** CRC field of that record, as the next one's link. */
  readonly link: number;
}

/** Whose log it is. */
export interface Owner {
  readonly owner: string;
  readonly ownerHash: Uint8Array;
}

/** The second place, open. The first failure is final. */
export interface FlushedFile {
  /** Says it. It survives the end of the process at once, losing power a little later. */
  say(mark: Mark): Promise<void>;
  /** Says it in both slots. Resolves when both would survive losing power. */
  prove(mark: Mark): Promise<void>;
  close(): Promise<void>;
}

/** Name of the file in the folder of a log. */
export const flushedName = 'flushed.bin';
/** Its name while it is made. */
export const flushedTemporaryName = 'flushed.tmp';

const formatVersion = 1;
const slotTag = 0x464c;
const slotBytes = 64;
/** A sector is written whole or not at all. */
const slotDistance = 512;
const ownerBytes = 24;
/** What was said is flushed within this time, in milliseconds: a hundredth of a busy disk's. */
const proveWithinMs = 50;

const none: Mark = { sequence: 0, record: 0, link: 0 };

/*
 * slot (64 bytes)
 *  0 u32 CRC-32C of bytes 4..63       24 u48 record, u16 zero
 *  4 u32 version                      32 u32 link
 *  8 u48 turn, u16 tag                36 u32 zero
 * 16 u48 sequence, u16 zero           40 the first 24 bytes of the owner's hash
 */
interface Slot extends Mark {
  readonly turn: number;
}

function setU48(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint16(at + 4, Math.floor(value / 2 ** 32), true);
}

const getU48 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;

/** Encodes slots of one owner, each into the same bytes: one is written for each batch. */
function slotEncoder(ownerHash: Uint8Array): (mark: Mark, turn: number) => Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(slotBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, formatVersion, true);
  bytes.set(ownerHash.subarray(0, ownerBytes), 40);
  return ({ sequence, record, link }, turn) => {
    setU48(view, 8, turn);
    view.setUint16(14, slotTag, true);
    setU48(view, 16, sequence);
    setU48(view, 24, record);
    view.setUint32(32, link, true);
    view.setUint32(0, crc32c(bytes, 0, 4, slotBytes), true);
    return bytes;
  };
}

function decodeSlot(bytes: Uint8Array, path: string, of: Owner): Slot | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, slotBytes);
  if (view.getUint16(14, true) !== slotTag) return undefined;
  if (crc32c(bytes, 0, 4, slotBytes) !== view.getUint32(0, true)) return undefined;
  const version = view.getUint32(4, true);
  if (version !== formatVersion) throw new UnknownFormatError(path, version);
  for (let i = 0; i < ownerBytes; i++)
    if (bytes[40 + i] !== of.ownerHash[i]) throw new WrongOwnerError(path, of.owner);
  return {
    turn: getU48(view, 8),
    sequence: getU48(view, 16),
    record: getU48(view, 24),
    link: view.getUint32(32, true),
  };
}

/**
 * What the file says; nothing if there is none. DamagedLogError if neither of its slots can be
 * read: it got its name when both had been flushed.
 */
export async function readFlushed(
  files: Files,
  folder: string,
  of: Owner,
): Promise<Slot | undefined> {
  const path = join(folder, flushedName);
  const kind = await files.kind(path);
  if (kind === 'none') return undefined;
  if (kind !== 'file') throw new UnsafePathError(path, 'a log file must be a regular file');
  const file = await files.open(path, 'read');
  try {
    const bytes = new Uint8Array(2 * slotDistance);
    await file.read(bytes, 0);
    const [first, second] = [0, slotDistance].map((at) =>
      decodeSlot(bytes.subarray(at, at + slotBytes), path, of),
    );
    const newest = (first?.turn ?? -1) > (second?.turn ?? -1) ? first : second;
    if (newest === undefined)
      throw new DamagedLogError(path, 0, 0, 'it no longer says how far the log was flushed');
    return newest;
  } finally {
    await file.close();
  }
}

/** Why a log without this file is refused. */
export const unproven = (folder: string): DamagedLogError =>
  new DamagedLogError(
    join(folder, flushedName),
    0,
    0,
    'it is missing, and only it knows where the log ended',
  );

/** Makes the file, whole, before the log has anything: so a log without it has lost it. */
async function create(files: Files, folder: string, ownerHash: Uint8Array): Promise<OpenFile> {
  const temporary = join(folder, flushedTemporaryName);
  const file = await files.open(temporary, 'create');
  try {
    const bytes = new Uint8Array(2 * slotDistance);
    const encodeSlot = slotEncoder(ownerHash);
    for (const turn of [0, 1]) bytes.set(encodeSlot(none, turn), turn * slotDistance);
    await file.write(bytes, 0);
    await file.datasync();
    await files.rename(temporary, join(folder, flushedName));
    await files.syncFolder(folder);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Opens the file to say more, `found` being what it says; makes it if there is none. */
export async function openFlushed(
  files: Files,
  folder: string,
  ownerHash: Uint8Array,
  found: Slot | undefined,
): Promise<FlushedFile> {
  const file =
    found === undefined
      ? await create(files, folder, ownerHash)
      : await files.open(join(folder, flushedName), 'update');
  let turn = found?.turn ?? 1;
  let failure: { readonly error: unknown } | undefined;
  /** Stops what would flush later; absent: nothing is to be flushed. */
  let cancel: (() => void) | undefined;
  let flushing: Promise<void> = Promise.resolve();

  const encodeSlot = slotEncoder(ownerHash);
  const write = (mark: Mark): Promise<void> => {
    turn += 1;
    return file.write(encodeSlot(mark, turn), (turn % 2) * slotDistance);
  };
  const flushLater = (): void => {
    cancel = undefined;
    flushing = file.datasync().catch((error: unknown) => {
      failure ??= { error };
    });
  };
  return {
    async say(mark) {
      if (failure !== undefined) throw failure.error;
      await write(mark);
      cancel ??= files.later(proveWithinMs, flushLater);
    },
    async prove(mark) {
      cancel?.();
      cancel = undefined;
      await flushing;
      if (failure !== undefined) throw failure.error;
      await write(mark);
      await write(mark);
      await file.datasync();
    },
    async close() {
      cancel?.();
      cancel = undefined;
      await flushing;
      await file.close();
    },
  };
}
