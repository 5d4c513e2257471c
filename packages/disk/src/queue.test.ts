/** What waits for the disk: in which groups it is written, and how much of it there may be. */
import { expect, test } from 'vitest';
import { opened, textOf, utf8 } from '../test/opened.ts';
import { type FaultyFiles, faultyFiles } from './testing.ts';

const kib = 1024;

/** How many flushes of a segment `work` takes, and how many bytes each covers. */
async function groups(files: FaultyFiles, work: () => Promise<unknown>): Promise<number[]> {
  const before = files.journal.length;
  await work();
  const sizes: number[] = [];
  let size = 0;
  for (const each of files.journal.slice(before)) {
    if (each.path.includes('flushed')) continue;
    if (each.kind === 'write') size += each.bytes.length;
    if (each.kind !== 'datasync') continue;
    sizes.push(size);
    size = 0;
  }
  return sizes;
}

const appendAll = (log: { append(batch: Uint8Array): Promise<void> }, sizes: readonly number[]) =>
  Promise.all(sizes.map((size) => log.append(new Uint8Array(size))));

const options = { preallocateBytes: 0 };
const overhead = 40;

test('what waits is written in groups of at most 1 MiB, or one batch', async () => {
  const files = faultyFiles();
  const { log } = await opened(files, options);
  const half = 512 * kib;
  expect(await groups(files, () => appendAll(log, [half, half, half, 1]))).toEqual([
    2 * (half + overhead),
    half + 2 * overhead,
  ]);
  expect(await groups(files, () => appendAll(log, [half, half + 1]))).toEqual([
    half + overhead,
    half + overhead,
  ]);
  expect(await groups(files, () => appendAll(log, [3 * half, 1, 1]))).toEqual([
    3 * half + overhead,
    2 * overhead,
  ]);
});

test('a rewrite is written alone, and what was asked for behind it comes after it', async () => {
  const files = faultyFiles();
  const { log } = await opened(files, options);
  const sizes = await groups(files, () =>
    Promise.all([
      log.append(utf8('gone')),
      log.append(utf8('gone')),
      log.rewrite([utf8('state')]),
      log.append(utf8('one')),
      log.append(utf8('two')),
    ]),
  );
  expect(sizes).toEqual([2 * overhead, 88 + overhead, 2 * overhead]);
  await log.close();
  expect((await opened(files)).batches.map(textOf)).toEqual(['state', 'one', 'two']);
});

test('those who append in turns share each flush', async () => {
  const files = faultyFiles();
  const { log } = await opened(files, options);
  const writer = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await log.append(utf8('x'));
  };
  const sizes = await groups(files, () => Promise.all([writer(), writer(), writer()]));
  expect(sizes).toEqual(Array.from({ length: 10 }, () => 3 * overhead));
});

test('as many bytes may wait as were allowed, and again once they are durable', async () => {
  const files = faultyFiles();
  const { log } = await opened(files, { maxBatchBytes: 100, maxPendingBytes: 250 });
  expect(log.maxBatchBytes).toBe(100);
  for (let round = 0; round < 2; round++) {
    const results = await Promise.allSettled(
      [100, 100, 51, 50, 0, 1].map((size) => log.append(new Uint8Array(size))),
    );
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(results[2]).toMatchObject({ reason: { name: 'LogLimitError', limitBytes: 250 } });
  }
  await expect(log.append(new Uint8Array(101))).rejects.toMatchObject({
    ...{ name: 'LogLimitError', limitBytes: 100 },
    message: expect.stringMatching(/A batch of 101 bytes is too large/),
  });
  await log.rewrite([new Uint8Array(100)]);
  await expect(log.rewrite([new Uint8Array(101)])).rejects.toMatchObject({ limitBytes: 100 });
});

test('the first failure is what every later call is told, whatever it asks for', async () => {
  for (const [kind, what] of [
    ['append', /The disk failed at append \(EIO: injected, datasync/],
    ['rewrite', /The disk failed at rewrite \(EIO: injected, datasync/],
  ] as const) {
    const files = faultyFiles();
    const { log } = await opened(files, { maxBatchBytes: 100, maxPendingBytes: 100 });
    await log.append(utf8('kept'));
    files.failWhen((operation) => (operation.kind === 'datasync' ? 'EIO' : undefined));
    const first = kind === 'append' ? log.append(new Uint8Array(90)) : log.rewrite([]);
    const error: unknown = await first.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'DiskFailedError', message: expect.stringMatching(what) });
    files.failWhen(() => undefined);
    // Also where too much waits that will never be durable.
    for (const later of [() => log.append(new Uint8Array(90)), () => log.rewrite([])])
      expect(await later().catch((thrown: unknown) => thrown)).toBe(error);
    // The log is given back without a word: what failed has been told.
    await log.close();
    expect((await opened(files)).batches.map(textOf)[0]).toBe('kept');
  }
});

test('a close that cannot mark the end says so, to all who ask for it', async () => {
  const files = faultyFiles();
  const { log } = await opened(files);
  await log.append(utf8('kept'));
  files.failWhen(() => 'EIO');
  const closing = log.close();
  expect(log.close()).toBe(closing);
  await expect(closing).rejects.toMatchObject({
    ...{ name: 'DiskFailedError', message: expect.stringMatching(/failed at close/) },
  });
  files.failWhen(() => undefined);
  await expect(log.append(utf8('late'))).rejects.toMatchObject({ name: 'DiskFailedError' });
  expect((await opened(files)).batches.map(textOf)).toEqual(['kept']);
});

test('a close waits for what was asked for, and a second one changes nothing', async () => {
  const files = faultyFiles();
  const { log } = await opened(files, { segmentBytes: 150 });
  const calls = [1, 2, 3].map((i) => log.append(new Uint8Array(80).fill(i)));
  await log.close();
  await Promise.all(calls);
  const before = files.journal.length;
  await log.close();
  expect(files.journal.length).toBe(before);
  await expect(log.append(utf8('late'))).rejects.toMatchObject({ name: 'LogClosedError' });
  expect((await opened(files)).batches.length).toBe(3);
});
