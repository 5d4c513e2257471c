import { type Outcome, runLength, type Schedule } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { mutant } from '../test/cluster.ts';
import { heal, reigns, run } from '../test/schedule.ts';
import { type MultiPaxosOptions, multiPaxos, paper } from './index.ts';
import type { Mutant } from './mutants.ts';

const { isShort, seeds } = runLength(process.env);

const base = { steps: 3_000, changes: 0, lost: 0 };
const calm: Schedule = { ...base, crashes: 4, loss: 5, reorder: 4, hurry: 5 };
const rough: Schedule = { ...base, crashes: 8, loss: 10, reorder: 40, hurry: 10 };
const ordered: Schedule = { ...base, crashes: 2, loss: 0, reorder: 1, hurry: 5 };
const stormy: Schedule = { ...base, crashes: 12, loss: 20, reorder: 8, hurry: 25 };
const schedules = [calm, rough, ordered, stormy];
/** The same with members that come, go and lose their disks. */
const moving = schedules.map((each): Schedule => ({ ...each, changes: 4, lost: 20 }));

const optionsOf = (seed: number, n: number): MultiPaxosOptions => {
  const alpha = [1, 2, 4, 16][seed % 4] as number;
  return {
    n,
    f: 0,
    alpha,
    pipeline: 1 + (seed % alpha),
    snapshotEvery: seed % 3 === 0 ? 8 : 0,
    keepSlots: seed % 4,
    maxCommandsPerSlot: [1, 1_024][seed % 2] as number,
  };
};

const lines = new Set<string>();

test.each([3, 5])('every property holds under random schedules, n=%i', (n) => {
  let decided = 0;
  for (let seed = 0; seed < seeds(60); seed++) {
    const result = run(multiPaxos(optionsOf(seed, n)), seed, schedules[seed % 4] as Schedule);
    expect(result.violation).toBeUndefined();
    decided += result.decided;
    for (const line of result.lines) lines.add(line);
  }
  // The schedules are not so harsh that nothing happens.
  expect(decided).toBeGreaterThan(seeds(600));
});

test.each([3, 5])('every property holds while members join, leave and lose disks, n=%i', (n) => {
  for (let seed = 0; seed < seeds(60); seed++) {
    const options = { ...optionsOf(seed, n), initialMembers: [0, 1, 2].slice(0, 2 + (seed % 2)) };
    const result = run(multiPaxos(options), seed, moving[seed % 4] as Schedule);
    expect(result.violation).toBeUndefined();
    for (const line of result.lines) lines.add(line);
  }
});

test.each([3, 5])('every property holds through many short reigns, n=%i', (n) => {
  for (let seed = 0; seed < seeds(60); seed++)
    expect(reigns(multiPaxos(optionsOf(seed, n)), seed, 40).violation).toBeUndefined();
});

test.each([1, 3, 5])('liveness: once everything works again, everything is decided, n=%i', (n) => {
  for (let seed = 0; seed < seeds(30); seed++) {
    const worlds = n === 1 ? schedules : moving;
    const schedule = worlds[seed % 4] as Schedule;
    expect(heal(multiPaxos(optionsOf(seed, n)), seed, schedule)).toBeUndefined();
  }
});

type Search = (name: Mutant, seed: number) => Outcome;

const by =
  (worlds: Schedule): Search =>
  (name, seed) =>
    run(mutant(name, optionsOf(seed, 3)), seed, worlds);
/** Many slots are open, so that a change has something to be too early for. */
const crowded: Search = (name, seed) => {
  const options = { n: 3, f: 0, alpha: 16, pipeline: 16, maxCommandsPerSlot: 1 };
  return run(mutant(name, options), seed, { ...stormy, changes: 8 });
};
/** Whoever comes back needs a snapshot. */
const compacting: Search = (name, seed) => {
  const options = { ...optionsOf(seed, 3), snapshotEvery: 8, keepSlots: 0 };
  return run(mutant(name, options), seed, { ...stormy, changes: 8 });
};
const byReigns: Search = (name, seed) =>
  reigns(mutant(name, { ...optionsOf(seed, 3), maxCommandsPerSlot: 1 }), seed, 40);

test.runIf(!isShort).each<[Mutant, Search]>([
  ['gap-noop', byReigns],
  ['commit-by-index', by(rough)],
  ['first-value', byReigns],
  ['amnesia', byReigns],
  ['alpha-ignored', crowded],
  ['snapshot-without-configuration', compacting],
])('a wrong rule is caught by random schedules within 400 seeds: %s', (name, search) => {
  let violation: string | undefined;
  for (let seed = 0; seed < 400 && violation === undefined; seed++)
    violation = search(name, seed).violation;
  expect(violation).toContain('replay: seed');
});

test.runIf(!isShort)(
  'every line of the paper is executed, and nothing else is called a line',
  () => {
    // Leases are an option, which `lease.test.ts` is about.
    const rare = ['accuse', 'forward', 'forwarded', 'lease-1', 'lease-2'];
    expect([...new Set([...lines, ...rare])].sort()).toEqual(Object.keys(paper).sort());
  },
);
