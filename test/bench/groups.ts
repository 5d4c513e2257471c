/** Many groups in three processes: what they cost when nobody wants anything, and their flushes. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { range } from '@quorumlab/core';
import { generateSeed, publicKeyOf } from '@quorumlab/node';
import type { GroupsAsk, GroupsReport, GroupsStart } from './groups-process.ts';
import type { Part, Row } from './measure.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const program = fileURLToPath(new URL('./groups-process.ts', import.meta.url));
const many = 100;

async function asked(child: ChildProcess, ask: GroupsAsk): Promise<GroupsReport> {
  const told = once(child, 'message');
  child.send(ask);
  // What the program answers.
  return ((await told) as [GroupsReport])[0];
}

const sumOf = (reports: readonly GroupsReport[], what: keyof GroupsReport): number =>
  reports.reduce((sum, each) => sum + each[what], 0);

/** Runs `use` with three processes of so many groups. */
async function withProcesses<T>(
  groups: number,
  { restAfterMs, electionTimeout }: Pick<GroupsStart, 'restAfterMs' | 'electionTimeout'>,
  use: (ask: (ask: GroupsAsk, of?: number) => Promise<GroupsReport[]>) => Promise<T>,
): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), 'quorumlab-bench-'));
  const seeds = range(3).map(() => generateSeed());
  const members = seeds.map((seed, id) => {
    const address = `/ip4/127.0.0.1/tcp/${24_560 + id}`;
    return { id, key: hex(publicKeyOf(seed)), address };
  });
  const children = seeds.map((seed, self) => {
    const folder = join(home, `${self}`);
    const times = { restAfterMs, electionTimeout };
    const start: GroupsStart = { self, seed: hex(seed), members, folder, groups, ...times };
    return fork(program, [JSON.stringify(start)], { execArgv: ['--conditions=source'] });
  });
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    return await use((ask, of = children.length) =>
      Promise.all(children.slice(0, of).map((child) => asked(child, ask))),
    );
  } finally {
    await Promise.all(
      children.map((child) => {
        child.disconnect();
        return once(child, 'exit');
      }),
    );
    rmSync(home, { recursive: true, force: true });
  }
}

/** CPU seconds a second of all three while nobody asks anything, once every group has worked. */
const idle = (groups: number, restAfterMs: number, seconds: number): Promise<number> =>
  withProcesses(groups, { restAfterMs, electionTimeout: 300_000 }, async (ask) => {
    await ask({ milliseconds: 1, outstanding: groups }, 1);
    const rests = restAfterMs < 10_000;
    for (let i = 0; i < 100; i++) {
      await sleep(rests ? 500 : 3_000);
      if (!rests || sumOf(await ask('report'), 'resting') === 3 * groups) break;
    }
    const before = await ask('report');
    const began = performance.now();
    await sleep(seconds * 1000);
    const after = await ask('report');
    const wall = (performance.now() - began) / 1000;
    return (sumOf(after, 'cpu') - sumOf(before, 'cpu')) / 1e6 / wall;
  });

/** Flushes of one process for each write that was committed, a hundred under way. */
const flushed = (groups: number, seconds: number): Promise<number> =>
  withProcesses(groups, { restAfterMs: 1_000, electionTimeout: 3_000_000 }, async (ask) => {
    await ask({ milliseconds: 500, outstanding: many }, 1);
    const before = await ask('report');
    await ask({ milliseconds: seconds * 1000, outstanding: many }, 1);
    const after = await ask('report');
    const flushes = sumOf(after, 'flushes') - sumOf(before, 'flushes');
    return flushes / 3 / (sumOf(after, 'committed') - sumOf(before, 'committed'));
  });

/** See the head of this file. */
export const groups: Part = async ({ quick }) => {
  const seconds = quick ? 5 : 20;
  const rows: Row[] = [];
  const pair = async (
    what: string,
    unit: string,
    measure: (groups: number) => Promise<number>,
    { target, note }: Pick<Row, 'target' | 'note'>,
  ): Promise<void> => {
    const one = await measure(1);
    const all = await measure(many);
    const limit = { name: 'one group, the same run', value: one };
    const noted = note === undefined ? {} : { note };
    const name = (count: string): string => `${count} of raft n=3 in three processes: ${what}`;
    rows.push({ part: 'groups', name: name('one group'), value: one, unit });
    rows.push({ part: 'groups', name: name('100 groups'), value: all, unit, limit, ...noted });
    if (target !== undefined)
      rows.push({
        part: 'groups',
        name: `${what}: 100 groups beside one`,
        value: all / one,
        unit: 'times',
        target,
      });
  };
  await pair('CPU at rest', 'CPU s/s', (count) => idle(count, 1_000, seconds), {
    target: { value: 2, better: 'less' },
  });
  await pair('CPU awake and idle', 'CPU s/s', (count) => idle(count, 1e9, seconds), {
    note: 'groups that never rest: heartbeats every 30 ms of each',
  });
  await pair('flushes of a process per write', 'flushes', (count) => flushed(count, seconds / 2), {
    note: '100 writes under way; elections after 3 s, so that a busy machine has none',
  });
  return rows;
};
