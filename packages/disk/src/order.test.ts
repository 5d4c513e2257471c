/**
 * In which order the disk is changed: what is said to be durable has been flushed, a file gets its
 * name when it is whole, and what is replaced goes when its successor has its name for good.
 */
import { expect, test } from 'vitest';
import { changes, counted, opened, textOf, utf8 } from '../test/opened.ts';
import { folder, pathOf } from '../test/twin.ts';
import type { Files } from './files.ts';
import { type DiskFault, faultyFiles } from './testing.ts';

/** A segment is made under another name, and named when it has been flushed. */
const makes = (sequence: number): readonly string[] => [
  `create ${sequence}.tmp`,
  `write ${sequence}`,
  `datasync ${sequence}`,
  `rename ${sequence}.tmp ${sequence}.log`,
  'syncFolder',
];
const appends = (sequence: number) => [`write ${sequence}`, `datasync ${sequence}`];
const says = ['write flushed'];
const proves = [...says, 'datasync flushed'];

test('each call flushes before it says so, and says so before it resolves', async () => {
  const files = faultyFiles();
  const opening = await changes(files, () => opened(files, { segmentBytes: 150 }));
  expect(opening).toEqual([
    'create flushed.tmp',
    'write flushed',
    'datasync flushed',
    'rename flushed.tmp flushed.bin',
    'syncFolder',
    ...makes(1),
    ...proves,
  ]);
  // As a process leaves it that was killed.
  const killed = faultyFiles(files.image());
  let { log } = await opened(killed, { segmentBytes: 150 });
  const append = () => changes(killed, () => log.append(utf8('x'.repeat(40))));
  expect(await append()).toEqual([...appends(1), ...says]);
  expect(await append()).toEqual([...makes(2), ...proves, ...appends(2), ...says]);
  expect(await changes(killed, () => log.close())).toEqual([...appends(2), ...proves]);
  const restart = ['datasync 2', 'syncFolder'];
  expect(await changes(killed, async () => ({ log } = await opened(killed)))).toEqual([
    ...restart,
    ...proves,
  ]);
  expect(await changes(killed, () => log.rewrite([utf8('state')]))).toEqual([
    ...makes(3),
    ...proves,
    'unlink 1.log',
    'unlink 2.log',
    'syncFolder',
  ]);
  expect(await changes(killed, () => log.close())).toEqual(proves);
});

test('with `proven`, a batch is proven in the second place before it resolves', async () => {
  const files = faultyFiles();
  const { log } = await opened(files, { acknowledge: 'proven' });
  const append = () => changes(files, () => log.append(utf8('x')));
  expect(await append()).toEqual([...appends(1), ...proves]);
  const other = faultyFiles();
  const { log: second } = await opened(other, { acknowledge: 'flushed' });
  expect(await changes(other, () => second.append(utf8('x')))).toEqual([...appends(1), ...says]);
});

test('a restart cuts, removes, flushes, marks and proves, in this order', async () => {
  const files = faultyFiles();
  const { log } = await opened(files, { preallocateBytes: 0 });
  await log.append(utf8('one'));
  await log.rewrite([utf8('state')]);
  await log.append(utf8('two'));
  const image = new Map(files.image());
  const newest = image.get(pathOf(2))!;
  // Half a record that was never acknowledged, a segment that was replaced, and two unfinished.
  image.set(pathOf(2), Uint8Array.from([...newest, ...newest.subarray(88, 100)]));
  image.set(pathOf(1), files.image().get(pathOf(2))!.slice());
  image.set(pathOf('0000000000000003.tmp'), new Uint8Array(3));
  image.set(pathOf('flushed.tmp'), new Uint8Array(3));
  const other = faultyFiles(image);
  const { batches } = { batches: [] as string[] };
  const done = await changes(other, async () => {
    const again = await opened(other, { preallocateBytes: 0 });
    batches.push(...again.batches.map(textOf));
    expect(again.log.bytes).toBe(newest.length + 40);
  });
  expect(batches).toEqual(['state', 'two']);
  expect(done.slice(0, 2).sort()).toEqual(['unlink 3.tmp', 'unlink flushed.tmp']);
  expect(done.slice(2)).toEqual([
    'truncate 2.log',
    'datasync 2',
    'syncFolder',
    'unlink 1.log',
    'syncFolder',
    ...appends(2),
    // The mark says it as any record does, and then it is proven.
    ...proves,
  ]);
});

test('a folder in which a log was only begun is begun again', async () => {
  const files = faultyFiles();
  await opened(files);
  const [flushed, first] = [pathOf('flushed.bin'), files.image().get(pathOf(1))!];
  const begun = files.journal.find(({ kind }) => kind === 'write');
  const none = begun?.kind === 'write' ? begun.bytes : new Uint8Array(0);
  const left: readonly (readonly [string, Uint8Array])[] = [
    [flushed, none],
    [pathOf('0000000000000001.tmp'), first],
  ];
  const again = faultyFiles(new Map(left));
  expect(await changes(again, () => opened(again))).toEqual([
    'unlink 1.tmp',
    // Its name may only have been in memory.
    'syncFolder',
    ...makes(1),
    ...proves,
  ]);
});

test('a flush of the second place that fails later ends the log, and no later call', async () => {
  const files = faultyFiles();
  const { log } = await opened(files);
  let flushes = 0;
  files.failWhen((each) => {
    const isSecond = each.kind === 'datasync' && each.path.includes('flushed');
    if (isSecond) flushes += 1;
    return isSecond ? 'EIO' : undefined;
  });
  const failed = { name: 'DiskFailedError' };
  // It is due some changes after it was said, and one is due at a time.
  const appends = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await log.append(utf8(`${i}`));
  };
  await expect(appends()).rejects.toMatchObject(failed);
  expect(flushes).toBe(1);
  await expect(log.append(utf8('later'))).rejects.toMatchObject(failed);
  await log.close();
  expect(flushes).toBe(1);
  const again = faultyFiles();
  const { log: other } = await opened(again);
  again.failWhen((each) => (each.path.includes('flushed') ? 'EIO' : undefined));
  await expect(other.append(utf8('first'))).rejects.toMatchObject(failed);
  await other.close();
});

test('wherever a change fails, all files are closed and the folder is given back', async () => {
  const life = async (files: Files): Promise<void> => {
    let { log } = await opened(files, { segmentBytes: 150 });
    try {
      for (const text of ['one', 'two', 'x'.repeat(50)]) await log.append(utf8(text));
    } finally {
      // Killed; or it has failed, and then it writes nothing more.
      await log.close();
    }
    ({ log } = await opened(files, { segmentBytes: 150 }));
    try {
      await log.rewrite([utf8('state')]);
      await log.append(utf8('end'));
    } finally {
      await log.close();
    }
  };
  let strikes = 0;
  for (const fault of ['EIO', 'EDQUOT'] satisfies readonly DiskFault[])
    for (let strike = 0; ; strike++) {
      const memory = faultyFiles();
      let struck = false;
      memory.failWhen((_, index) => {
        if (index !== strike || struck) return undefined;
        struck = true;
        return fault;
      });
      const count = counted(memory);
      const error: unknown = await life(count.files).then(
        () => undefined,
        (thrown) => thrown,
      );
      expect(count.open, `${fault} at ${strike}`).toBe(0);
      (await memory.lock(folder))();
      if (!struck) break;
      const name = fault === 'EIO' ? /DiskFailedError/ : /DiskFullError|NoRoomError/;
      expect(`${error}`, `${fault} at ${strike}`).toMatch(name);
      strikes += 1;
    }
  expect(strikes).toBeGreaterThan(80);
});
