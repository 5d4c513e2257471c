/** How much is written at once, and what stands behind it: sizes that nobody is told, but feels. */
import { expect, test } from 'vitest';
import { opened, textOf, utf8 } from '../test/opened.ts';
import { pathOf } from '../test/twin.ts';
import { recordBytes, segmentHeaderBytes } from './format.ts';
import { type FaultyFiles, faultyFiles } from './testing.ts';

/** Sizes of what `work` writes into segments, one number for each write. */
async function writesOf(files: FaultyFiles, work: () => Promise<unknown>) {
  const before = files.journal.length;
  await work();
  return files.journal
    .slice(before)
    .flatMap((each) => (each.kind === 'write' && !each.path.includes('flushed') ? [each] : []))
    .map(({ bytes }) => bytes.length);
}

const sizeOn = (files: FaultyFiles, sequence: number): number =>
  files.image().get(pathOf(sequence))!.length;

test('zeros are written behind a small append that needs room, and later ones fit in', async () => {
  const files = faultyFiles();
  const one = recordBytes(5);
  const { log } = await opened(files, { preallocateBytes: 2 * one });
  const append = () => writesOf(files, () => log.append(utf8('small')));
  // The zeros take two more records, the second to their last byte.
  for (let round = 0; round < 3; round++) {
    expect(await append()).toEqual([3 * one]);
    expect(await append()).toEqual([one]);
    expect(await append()).toEqual([one]);
  }
  expect(sizeOn(files, 1)).toBe(segmentHeaderBytes + 9 * one);
  const { batches } = await opened(faultyFiles(files.image()));
  expect(batches.map(textOf)).toEqual(Array<string>(9).fill('small'));
});

test('a large append pays for its new size anyway, and has no zeros behind it', async () => {
  const files = faultyFiles();
  const { log } = await opened(files, { preallocateBytes: 64 });
  const append = (size: number) => writesOf(files, () => log.append(new Uint8Array(size)));
  const largest = 8 * 1024;
  const payload = largest - recordBytes(0);
  expect(recordBytes(payload)).toBe(largest);
  expect(await append(payload)).toEqual([largest + 64]);
  // What it makes longer, it makes longer by itself.
  expect(await append(payload + 8)).toEqual([largest + 8]);
});

test('state is written in pieces of 256 KiB, or of 4096 batches if they are small', async () => {
  const files = faultyFiles();
  const { log } = await opened(files, { segmentBytes: 1 << 20 });
  const pieces = (count: number, size: number) =>
    writesOf(files, () => log.rewrite(Array.from({ length: count }, () => new Uint8Array(size))));
  const of = (count: number, size: number): number => count * recordBytes(size);
  const [half, third] = [128 * 1024, 100 * 1024];
  expect(await pieces(5, half)).toEqual([
    of(2, half),
    of(2, half),
    of(1, half),
    segmentHeaderBytes,
  ]);
  expect(await pieces(5, third)).toEqual([of(3, third), of(2, third), segmentHeaderBytes]);
  expect(await pieces(5000, 0)).toEqual([of(4096, 0), of(904, 0), segmentHeaderBytes]);
  const { batches } = await opened(faultyFiles(files.image()));
  expect(batches).toEqual(Array.from({ length: 5000 }, () => new Uint8Array(0)));
});

test('a segment that is full to its last byte takes nothing more', async () => {
  const segmentBytes = segmentHeaderBytes + 2 * recordBytes(5);
  for (const [size, segments] of [
    [segmentBytes, 2],
    [segmentBytes + 1, 1],
  ] as const) {
    const files = faultyFiles();
    const { log } = await opened(files, { segmentBytes: size });
    for (const text of ['first', 'other', 'third']) await log.append(utf8(text));
    expect([...files.image().keys()].filter((path) => path.endsWith('.log'))).toHaveLength(
      segments,
    );
  }
});

test('a log of many segments goes on in its newest', async () => {
  const files = faultyFiles();
  let { log } = await opened(files, { segmentBytes: 100 });
  for (const text of ['a', 'b', 'c', 'd']) await log.append(utf8(text));
  const again = faultyFiles(files.image());
  ({ log } = await opened(again));
  await log.append(utf8('e'));
  expect(sizeOn(again, 1)).toBe(sizeOn(files, 1));
  const { batches } = await opened(faultyFiles(again.image()));
  expect(batches.map(textOf).join('')).toBe('abcde');
});

test('opening and closing a log, again and again, makes it no longer', async () => {
  const files = faultyFiles();
  const { log } = await opened(files);
  await log.append(utf8('only'));
  // As a kill leaves it: nothing says yet that the end is durable.
  const killed = faultyFiles(files.image());
  const first = await writesOf(killed, async () => (await opened(killed)).log.close());
  expect(first).toHaveLength(1);
  const closed = faultyFiles(killed.image());
  for (let i = 0; i < 3; i++)
    expect(await writesOf(closed, async () => (await opened(closed)).log.close())).toEqual([]);
  const empty = faultyFiles();
  const begun = await opened(empty);
  expect(await writesOf(empty, () => begun.log.close())).toEqual([]);
});

test('a restart flushes the names once unless it takes some away', async () => {
  const files = faultyFiles();
  const { log } = await opened(files);
  await log.append(utf8('only'));
  await log.close();
  const again = faultyFiles(files.image());
  await opened(again);
  expect(again.journal.filter(({ kind }) => kind === 'syncFolder')).toHaveLength(1);
});

test('a restart knows how long the log is, and which zeros stand behind it', async () => {
  const files = faultyFiles();
  const one = recordBytes(5);
  const options = { preallocateBytes: 3 * one, segmentBytes: segmentHeaderBytes + 2 * one };
  const { log } = await opened(files, options);
  for (let i = 0; i < 5; i++) await log.append(utf8('small'));
  expect(log.bytes).toBe(3 * segmentHeaderBytes + 5 * one);
  // As a kill leaves it; opening it marks its end with one record more.
  const killed = faultyFiles(files.image());
  const { log: again } = await opened(killed, options);
  expect(again.bytes).toBe(log.bytes + recordBytes(0));
  expect(sizeOn(killed, 3)).toBe(segmentHeaderBytes + 4 * one);
  const long = { ...options, segmentBytes: 1 << 20 };
  const { log: later } = await opened(faultyFiles(files.image()), long);
  expect(later.bytes).toBe(again.bytes);
});
