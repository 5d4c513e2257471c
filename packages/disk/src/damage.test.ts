import { expect, test } from 'vitest';
import { DamagedLogError } from './errors.ts';
import { flushedName } from './flushed.ts';
import { openLog } from './log.ts';
import { crashImages, type DiskImage, type FaultyFiles, faultyFiles } from './testing.ts';

const folder = '/log';
/** Every flip reads the whole log, so the time grows with the square: 8 s for the longer one. */
const records = process.env.QUORUMLAB_LONG_TESTS === '1' ? 1_000 : 200;
/** Bytes of a segment: four of them, so that there are an oldest, middle ones and a last. */
const segmentBytes = 12 * records;

async function open(files: FaultyFiles, segmentBytes = 12_000, preallocateBytes = 64) {
  const batches: string[] = [];
  const log = await openLog(folder, {
    owner: 'damage',
    files,
    segmentBytes,
    preallocateBytes,
    replay: (batch) => void batches.push(String.fromCharCode(...batch)),
  });
  return { log, batches };
}

/** A log of `count` records and the disk at the moment the last was acknowledged. */
async function write(count: number, segmentBytes?: number) {
  const files = faultyFiles();
  const { log } = await open(files, segmentBytes);
  const batches: string[] = [];
  for (let i = 0; i < count; i++) {
    batches.push(`${i}`);
    await log.append(new TextEncoder().encode(`${i}`));
  }
  const running = files.image();
  await log.close();
  return { batches, running, closed: files.image() };
}

/** What opening does with an image: the batches, or the name of the error. */
async function outcome(image: DiskImage): Promise<readonly string[] | DamagedLogError> {
  const files = faultyFiles(image);
  try {
    return (await open(files)).batches;
  } catch (error) {
    if (!(error instanceof DamagedLogError)) throw error;
    if (files.journal.length > 0) throw new Error('a damaged log was changed', { cause: error });
    return error;
  }
}

function withByte(image: DiskImage, path: string, offset: number, flip: number): DiskImage {
  const bytes = image.get(path)!.slice();
  bytes[offset] = bytes[offset]! ^ flip;
  return new Map([...image, [path, bytes]]);
}

/** The newest segment of a log. */
const newest = (image: DiskImage): string =>
  [...image.keys()]
    .filter((path) => path.endsWith('.log'))
    .sort()
    .at(-1)!;

/** Opens the image: DamagedLogError, or exactly what is expected; everything else throws. */
async function tryFlip(
  image: DiskImage,
  expected: readonly Uint8Array[],
): Promise<DamagedLogError | undefined> {
  const files = faultyFiles(image);
  let count = 0;
  const replay = (batch: Uint8Array): void => {
    const want = expected[count++];
    if (want === undefined || want.length !== batch.length) throw new Error('an invented batch');
    for (let i = 0; i < want.length; i++) {
      if (want[i] !== batch[i]) throw new Error(`batch ${count - 1} was changed`);
    }
  };
  try {
    await openLog(folder, { owner: 'damage', files, preallocateBytes: 64, replay });
  } catch (error) {
    if (!(error instanceof DamagedLogError)) throw error;
    if (files.journal.length > 0) throw new Error('a damaged log was changed', { cause: error });
    return error;
  }
  if (count !== expected.length) throw new Error(`only ${count} batches were recovered`);
  return undefined;
}

test(`a flip of any byte of ${records} records is an error or changes nothing`, async () => {
  const { batches, running } = await write(records, segmentBytes);
  expect(running.size).toBeGreaterThan(3);
  const expected = batches.map((batch) => new TextEncoder().encode(batch));
  let errors = 0;
  let harmless = 0;
  for (const [path, bytes] of running) {
    // Of the second place, which is written in two slots, one may be lost: see end.test.ts.
    if (path.endsWith(flushedName)) continue;
    for (let offset = 0; offset < bytes.length; offset++) {
      const flip = [0x01, 0x80, 0xff, 0x10][offset % 4]!;
      const error = await tryFlip(withByte(running, path, offset, flip), expected);
      if (error === undefined) harmless += 1;
      else errors += 1;
      if (error !== undefined && (error.file !== path || error.offset > offset)) {
        throw new Error(`flip ${flip} at ${offset} of ${path} was blamed on another place`, {
          cause: error,
        });
      }
    }
  }
  // Only the zeros written ahead, behind the last record, may be flipped unnoticed.
  expect(harmless).toBeLessThan(64 + 1);
  expect(errors).toBeGreaterThan(records * 40);
});

test('a flipped byte in a log that was closed is an error up to its last batch', async () => {
  const { running, closed } = await write(20);
  const path = newest(closed);
  const bytes = closed.get(path)!;
  const mark = 40;
  const end = running.get(path)!.findLastIndex((byte) => byte !== 0) + 1;
  expect(bytes.findLastIndex((byte) => byte !== 0) + 1).toBe(end + mark);
  for (let offset = 0; offset < end; offset++) {
    expect(await outcome(withByte(closed, path, offset, 0xff))).toBeInstanceOf(DamagedLogError);
  }
});

test('a sector of zeros before a later flush is an error', async () => {
  const { running } = await write(40, 100_000);
  const path = newest(running);
  const bytes = running.get(path)!;
  for (let sector = 0; sector + 1024 < 40 * 40; sector += 512) {
    const damaged = bytes.slice().fill(0, sector, sector + 512);
    expect(await outcome(new Map([...running, [path, damaged]]))).toBeInstanceOf(DamagedLogError);
  }
});

test('a missing, repeated, renamed or shortened segment is an error', async () => {
  const { running } = await write(records, segmentBytes);
  const paths = [...running.keys()].filter((path) => path.endsWith('.log')).sort();
  expect(paths.length).toBeGreaterThan(3);
  for (const path of running.keys()) {
    const image = new Map(running);
    image.delete(path);
    expect(await outcome(image), `without ${path}`).toBeInstanceOf(DamagedLogError);
  }
  const swapped = new Map(running);
  swapped.set(paths[1]!, running.get(paths[2]!)!).set(paths[2]!, running.get(paths[1]!)!);
  expect(await outcome(swapped)).toBeInstanceOf(DamagedLogError);
  const repeated = new Map(running).set(
    `${folder}/0000000000000099.log`,
    running.get(paths.at(-1)!)!,
  );
  expect(await outcome(repeated)).toBeInstanceOf(DamagedLogError);
  const shorter = new Map(running).set(paths[1]!, running.get(paths[1]!)!.slice(0, -80));
  expect(await outcome(shorter)).toBeInstanceOf(DamagedLogError);
});

test('a record in another place, or twice, is an error', async () => {
  const { running } = await write(30, 100_000);
  const path = newest(running);
  const bytes = running.get(path)!;
  const first = 88;
  const size = 40;
  const copied = bytes.slice();
  copied.copyWithin(first + 10 * size, first + 9 * size, first + 10 * size);
  expect(await outcome(new Map([...running, [path, copied]]))).toBeInstanceOf(DamagedLogError);
  const appended = new Uint8Array(bytes.length + size);
  appended.set(bytes);
  appended.copyWithin(first + 30 * size, first + 29 * size, first + 30 * size);
  expect(await outcome(new Map([...running, [path, appended]]))).toBeInstanceOf(DamagedLogError);
});

test('what a restart has read is proven: losing it later is an error, not a tear', async () => {
  const { running } = await write(20, 100_000);
  const path = newest(running);
  const files = faultyFiles(running);
  await open(files);
  const restarted = files.image().get(path)!.slice();
  const last = 88 + 19 * 40;
  for (const bytes of [running.get(path)!, restarted]) {
    const lost = bytes.slice().fill(0, last, last + 40);
    const result = await outcome(new Map([...running, [path, lost]]));
    // Before the restart nothing stands behind the record but what the second place says.
    expect(result).toBeInstanceOf(DamagedLogError);
  }
});

test('what is left of a torn group is gone before anything is written after it', async () => {
  const files = faultyFiles();
  const { log } = await open(files, 100_000);
  const before = files.journal.length;
  await Promise.all(Array.from({ length: 40 }, (_, i) => log.append(Uint8Array.of(i))));
  let images = 0;
  for (const { label, image } of crashImages(files, before + 1)) {
    if (!label.includes('sector')) continue;
    images += 1;
    const torn = faultyFiles(image);
    const { log: second, batches } = await open(torn, 100_000, 0);
    const held = [...batches];
    // Enough to reach the sectors that did arrive, behind one that did not.
    for (let i = 0; i < 15; i++) {
      const name = `x${i}`;
      await second.append(new TextEncoder().encode(name));
      held.push(name);
      expect(await outcome(torn.image()), label).toEqual(held);
    }
  }
  expect(images).toBeGreaterThan(4);
});
