/** The log of a process with many groups: real files, a real kill. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Files, nodeFiles } from '@quorumlab/disk';
import { kv } from '@quorumlab/log';
import { afterEach, expect, test } from 'vitest';
import { textOf } from './support/groups.ts';
import { type Acknowledged, childGroups, soleProcess } from './support/groups-child.ts';
import { testProcesses } from './support/processes.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

test('a kill under load loses nothing that any of twenty groups has acknowledged', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quorumlab-killed-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const program = new URL('support/groups-child.ts', import.meta.url);
  const child = fork(program, [folder], { execArgv: ['--conditions=source'] });
  const last = new Map<string, number>();
  const many = Promise.withResolvers<void>();
  child.on('message', ([group, number]: Acknowledged) => {
    last.set(group, number);
    if (last.size === childGroups.length && number >= 20) many.resolve();
  });
  child.on('exit', () => many.reject(new Error('the child ended by itself')));
  await many.promise;
  child.kill('SIGKILL');
  await once(child, 'close');
  const { host, logs } = await soleProcess(folder);
  ends.push(() => host.stop());
  for (const [group, log] of logs) {
    const found = Number(textOf(await log.read(kv.get('last'))));
    expect(found, group).toBeGreaterThanOrEqual(last.get(group) ?? Number.NaN);
  }
});

test('a flush that fails stops every group of its process, and no other process', async () => {
  const processes = await testProcesses();
  ends.push(processes.end);
  let isBroken = false;
  const files: Files = {
    ...nodeFiles,
    open: async (path, mode) => {
      const file = await nodeFiles.open(path, mode);
      const failing = async (): Promise<void> => {
        if (isBroken) throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fdatasync' });
        await file.datasync();
      };
      return Object.assign(Object.create(file), { datasync: failing });
    },
  };
  const groups = ['a', 'b', 'c'];
  const [broken, ...others] = await Promise.all(
    [0, 1, 2].map((id) => processes.start(id, groups, id === 0 ? { files } : {})),
  );
  if (broken === undefined) throw new Error('there are three');
  await broken.replica('a').log.propose(kv.put('x', '1'));
  isBroken = true;
  const failures = groups.map((group) => broken.replica(group).failed);
  // One group has something to write; the others are told.
  await others[0]?.replica('a').log.propose(kv.put('x', '2'));
  const reasons = await Promise.all(failures);
  expect(reasons.map(({ name }) => name)).toEqual(groups.map(() => 'DiskFailedError'));
  expect(broken.host.groups()).toEqual([]);
  await others[1]?.replica('b').log.propose(kv.put('x', '3'));
});
