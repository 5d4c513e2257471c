import { flushedName } from './flushed.ts';
import {
  apply,
  type DiskImage,
  type DiskState,
  type FaultyFiles,
  type FileOperation,
  imageOf,
  stateOf,
} from './memory-files.ts';

const sectorBytes = 512;
/** Of a longer write not every cut is tried. */
const maxCutBytes = 4096;
/** Up to this many names in doubt, every subset of them is tried; above, every prefix. */
const maxSubsetNames = 4;

/** One thing a disk may hold after losing power. */
export interface CrashImage {
  /** What was lost, for the message of a failing test. */
  readonly label: string;
  readonly image: DiskImage;
}

type DataWrite = Extract<FileOperation, { kind: 'write' }>;
type DataOperation = Extract<FileOperation, { kind: 'write' | 'truncate' }>;
type NameOperation = Extract<FileOperation, { kind: 'create' | 'rename' | 'unlink' }>;

interface Doubt {
  /** What certainly survived. */
  readonly durable: DiskState;
  readonly names: readonly NameOperation[];
  readonly data: readonly DataOperation[];
}

function clone(state: DiskState): DiskState {
  return { names: new Map(state.names), contents: new Map(state.contents) };
}

function doubtAfter(files: FaultyFiles, count: number): Doubt {
  const durable = stateOf(files.start);
  let names: NameOperation[] = [];
  let data: DataOperation[] = [];
  for (const operation of files.journal.slice(0, count)) {
    switch (operation.kind) {
      case 'write':
      case 'truncate':
        data.push(operation);
        break;
      case 'datasync':
        for (const one of data) if (one.file === operation.file) apply(durable, one);
        data = data.filter((one) => one.file !== operation.file);
        break;
      case 'syncFolder':
        for (const one of names) apply(durable, one);
        names = [];
        break;
      default:
        names.push(operation);
    }
  }
  return { durable, names, data };
}

function* nameChoices(names: readonly NameOperation[]): Generator<readonly NameOperation[]> {
  if (names.length > maxSubsetNames) {
    for (let count = 0; count <= names.length; count++) yield names.slice(0, count);
    return;
  }
  for (let bits = 0; bits < 2 ** names.length; bits++) {
    yield names.filter((_, i) => (bits >> i) & 1);
  }
}

/** Which bytes of a torn write arrived. */
interface Tear {
  readonly label: string;
  readonly pieces: readonly (readonly [start: number, end: number])[];
}

/**
 * Every cut, or some of a long write, or of a slot, which one check covers; and with several
 * sectors: each one missing, each one alone, every second one.
 */
function* tears(write: DataWrite): Generator<Tear> {
  const { length } = write.bytes;
  const step = length > maxCutBytes ? sectorBytes - 1 : write.path.endsWith(flushedName) ? 21 : 1;
  for (let cut = 1; cut < length; cut += step) yield { label: `cut at ${cut}`, pieces: [[0, cut]] };
  const sectors: (readonly [number, number])[] = [];
  for (let start = 0; start < length; ) {
    const position = write.position + start;
    const end = Math.min(length, start + sectorBytes - (position % sectorBytes));
    sectors.push([start, end]);
    start = end;
  }
  if (sectors.length < 2) return;
  for (const [i] of sectors.entries()) {
    yield { label: `without sector ${i}`, pieces: sectors.filter((_, j) => j !== i) };
    yield { label: `only sector ${i}`, pieces: sectors.filter((_, j) => j === i) };
  }
  yield { label: 'even sectors', pieces: sectors.filter((_, i) => i % 2 === 0) };
  yield { label: 'odd sectors', pieces: sectors.filter((_, i) => i % 2 === 1) };
}

function* dataChoices(
  data: readonly DataOperation[],
): Generator<{ readonly label: string; readonly kept: readonly DataOperation[] }> {
  yield { label: 'no data', kept: [] };
  if (data.length === 0) return;
  yield { label: 'all data', kept: data };
  for (let count = 1; count < data.length; count++) {
    yield { label: `first ${count} writes`, kept: data.slice(0, count) };
    yield { label: `not write ${count - 1}`, kept: data.filter((_, i) => i !== count - 1) };
  }
  const last = data.at(-1)!;
  if (last.kind !== 'write') return;
  for (const tear of tears(last)) {
    const parts = tear.pieces.map(([start, end]) => ({
      ...last,
      position: last.position + start,
      bytes: last.bytes.subarray(start, end),
    }));
    yield { label: tear.label, kept: [...data.slice(0, -1), ...parts] };
  }
}

/**
 * Everything the disk may hold when power is lost after the first `count` changes: what was
 * flushed, with any part of the names that were not, with all, none, the first few or all but one
 * of the writes that were not, and with every tear of the last write.
 */
export function* crashImages(files: FaultyFiles, count: number): Generator<CrashImage> {
  const doubt = doubtAfter(files, count);
  for (const names of nameChoices(doubt.names)) {
    const named = clone(doubt.durable);
    // A change of a name needs the one before it: a file system keeps that order in a folder.
    if (!names.every((one) => apply(named, one))) continue;
    for (const { label, kept } of dataChoices(doubt.data)) {
      const state = clone(named);
      for (const one of kept) apply(state, one);
      const lost = `${names.length} of ${doubt.names.length} names, ${label}`;
      yield { label: `crash after change ${count}, kept: ${lost}`, image: imageOf(state) };
    }
  }
}
