import { join } from 'node:path';
import { integer, type Shape } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { openDisk } from './disk.ts';
import { DiskFailedError, DiskFullError, NoRoomError } from './errors.ts';
import { openLog } from './log.ts';
import { type DiskFault, type FaultyFiles, type FileOperation, faultyFiles } from './testing.ts';

const folder = '/log';
const bytesOf = (content: string): Uint8Array => new TextEncoder().encode(content);

async function open(files: ReturnType<typeof faultyFiles>) {
  const batches: string[] = [];
  const log = await openLog(folder, {
    owner: 'failure',
    files,
    segmentBytes: 500,
    replay: (batch) => void batches.push(new TextDecoder().decode(batch)),
  });
  return { log, batches };
}

const faults: readonly (readonly [FileOperation['kind'], DiskFault, string])[] = [
  ['datasync', 'EIO', 'DiskFailedError'],
  ['write', 'EIO', 'DiskFailedError'],
  ['write', 'ENOSPC', 'DiskFullError'],
  ['datasync', 'ENOSPC', 'DiskFullError'],
];

test.each(faults)('%s failing with %s ends the log with %s', async (kind, fault, name) => {
  const files = faultyFiles();
  const { log } = await open(files);
  await log.append(bytesOf('safe'));
  let left = 1;
  // The fault passes; the log must not go on all the same.
  files.failWhen((operation) => (operation.kind === kind && left-- > 0 ? fault : undefined));
  const results = await Promise.allSettled([
    log.append(bytesOf('pending 1')),
    log.append(bytesOf('pending 2')),
    log.rewrite([bytesOf('state')]),
    log.append(bytesOf('behind the rewrite')),
  ]);
  for (const result of results) {
    expect(result).toMatchObject({ status: 'rejected', reason: { name } });
  }
  const changes = files.journal.length;
  await expect(log.append(bytesOf('later'))).rejects.toThrow(DiskFailedError);
  await expect(log.rewrite([])).rejects.toThrow(DiskFailedError);
  await log.close();
  expect(files.journal.length, 'a failed log writes nothing more').toBe(changes);
  const again = await open(faultyFiles(files.image()));
  expect(again.batches[0]).toBe('safe');
  expect(again.batches).not.toContain('behind the rewrite');
  expect(again.batches).not.toContain('later');
  await again.log.append(bytesOf('after the restart'));
});

test('any failing change keeps what was acknowledged, wherever it strikes', async () => {
  for (let strike = 0; ; strike++) {
    const files = faultyFiles();
    let struck = false;
    files.failWhen((_, index) => {
      if (index !== strike) return undefined;
      struck = true;
      return 'ENOSPC';
    });
    let acknowledged: string[] = [];
    const work = async (): Promise<void> => {
      const { log } = await open(files);
      for (let i = 0; i < 20; i++) {
        await log.append(bytesOf(`batch ${i}`));
        acknowledged.push(`batch ${i}`);
      }
      await log.rewrite([bytesOf('state')]);
      acknowledged = ['state'];
      await log.append(bytesOf('end'));
      acknowledged.push('end');
      await log.close();
    };
    const result = await work().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!struck) break;
    // Where only a rewrite found no room, the log goes on.
    const named = result instanceof DiskFullError || result instanceof NoRoomError;
    expect(named, `change ${strike}: ${result}`).toBe(true);
    const { batches } = await open(faultyFiles(files.image()));
    const isKept = acknowledged.every((batch, i) => batches[i] === batch);
    const isState = batches[0] === 'state';
    expect(isKept || isState, `change ${strike}: ${batches}`).toBe(true);
  }
});

const bytesIn = (files: FaultyFiles): number =>
  [...files.image().values()].reduce((sum, { length }) => sum + length, 0);

/** A disk of `capacity` bytes: what would make it larger fails. */
function limit(files: FaultyFiles, capacity: number): void {
  files.failWhen((operation) => {
    if (operation.kind !== 'write') return undefined;
    const before = files.image().get(operation.path)?.length ?? 0;
    const after = Math.max(before, operation.position + operation.bytes.length);
    return bytesIn(files) + after - before > capacity ? 'ENOSPC' : undefined;
  });
}

const namesIn = (files: FaultyFiles): readonly string[] => [...files.image().keys()].sort();

test('a compaction without room leaves the log as it was and nothing of its own', async () => {
  const files = faultyFiles();
  const { log } = await open(files);
  for (let i = 0; i < 20; i++) await log.append(bytesOf(`batch ${i}`.repeat(40)));
  const before = namesIn(files);
  for (const room of [0, 100, 1000, 4000]) {
    limit(files, bytesIn(files) + room);
    const state = Array.from({ length: 3 }, () => new Uint8Array(2_000_000));
    await expect(log.rewrite(state), `room ${room}`).rejects.toThrow(NoRoomError);
    expect(namesIn(files)).toEqual(before);
  }
  files.failWhen(() => undefined);
  await log.append(bytesOf('after'));
  await log.rewrite([bytesOf('state')]);
  await log.close();
  expect((await open(faultyFiles(files.image()))).batches).toEqual(['state']);
});

test('what an unfinished compaction left on a full disk goes before others come', async () => {
  const files = faultyFiles();
  const { log } = await open(files);
  await log.append(bytesOf('kept'));
  const one = '0000000000000002.tmp';
  const other = '0000000000000003.tmp';
  for (const left of [[one], [one, other]]) {
    // As a crash leaves it: the log was not closed, so its end has still to be marked.
    const image = new Map(files.image());
    for (const name of left) image.set(join(folder, name), new Uint8Array(1000));
    const full = faultyFiles(image);
    limit(full, bytesIn(full));
    const again = await open(full);
    expect(again.batches).toEqual(['kept']);
    expect(namesIn(full).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await again.log.append(bytesOf('goes on'));
  }
});

test('segments that a base has replaced go before anything is written', async () => {
  const files = faultyFiles();
  const { log } = await open(files);
  for (let i = 0; i < 20; i++) await log.append(bytesOf(`batch ${i}`.repeat(40)));
  // Killed between the name of the new base and the removal of what it replaced.
  files.failWhen((operation) => (operation.kind === 'unlink' ? 'EIO' : undefined));
  await expect(log.rewrite([bytesOf('state')])).rejects.toThrow(DiskFailedError);
  const full = faultyFiles(files.image());
  const before = bytesIn(full);
  limit(full, before);
  const again = await open(full);
  expect(again.batches).toEqual(['state']);
  expect(bytesIn(full)).toBeLessThan(before);
});

interface Tiny extends Shape {
  readonly Stable: { readonly term: number };
}

test('a replica whose disk has no room to compact goes on, and compacts later', async () => {
  const files = faultyFiles();
  const refused: NoRoomError[] = [];
  const options = {
    stored: { term: integer() },
    initial: { term: 0 },
    compactAboveBytes: 2048,
    onNoRoom: (error: NoRoomError) => void refused.push(error),
    open: (replay: (batch: Uint8Array) => void) =>
      openLog(folder, { owner: 'failure', files, replay, preallocateBytes: 0 }),
  };
  const disk = await openDisk<Tiny>(options);
  const commits = async (count: number): Promise<void> => {
    for (let i = 1; i <= count; i++) await disk.commit([{ type: 'save', registers: { term: i } }]);
  };
  // The segment grows; there is no room for another one.
  files.failWhen(({ kind }) => (kind === 'create' ? 'ENOSPC' : undefined));
  await commits(100);
  expect(refused.length).toBeGreaterThan(0);
  files.failWhen(() => undefined);
  const most = bytesIn(files);
  await commits(100);
  expect(bytesIn(files)).toBeLessThan(most);
  await disk.close();
  expect((await openDisk<Tiny>(options)).stable?.term).toBe(100);
});
