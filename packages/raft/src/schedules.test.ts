import { type Outcome, runLength, type Schedule } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { cluster, mutant } from '../test/cluster.ts';
import { heal, reigns, run } from '../test/schedule.ts';
import { paper, type RaftOptions, raft } from './index.ts';
import type { Mutant } from './mutants.ts';

const { isShort, seeds } = runLength(process.env);

const calm: Schedule = { steps: 3_000, crashes: 4, loss: 5, reorder: 4, hurry: 5 };
const rough: Schedule = { steps: 3_000, crashes: 8, loss: 10, reorder: 40, hurry: 10 };
const ordered: Schedule = { steps: 3_000, crashes: 2, loss: 0, reorder: 1, hurry: 5 };
const stormy: Schedule = { steps: 3_000, crashes: 12, loss: 20, reorder: 8, hurry: 25 };
const schedules = [calm, rough, ordered, stormy];
const forgetful: Schedule = { steps: 4_000, crashes: 4, losses: 6, loss: 5, reorder: 6, hurry: 10 };

const optionsOf = (seed: number, n: number): RaftOptions => ({
  n,
  snapshotEvery: seed % 3 === 0 ? 8 : 0,
  keepEntries: seed % 4,
  maxInFlight: 1 + (seed % 4),
  maxEntriesPerAppend: [2, 1_024, 1_024, 1][seed % 4] as number,
  preVote: seed % 5 > 0,
  checkQuorum: seed % 7 > 0,
});

/** What `membership.test.ts` and `transfer.test.ts` look at: nobody changes the group here. */
const ofChapter4 =
  /^(latest|change-|catch-up|single|joint|leave$|transfer|follower-read)|-configuration$/;

const lines = new Set<string>();

test.each([3, 5])('Figure 3: every property holds under random schedules, n=%i', (n) => {
  let decided = 0;
  for (let seed = 0; seed < seeds(100); seed++) {
    const result = run(raft(optionsOf(seed, n)), seed, schedules[seed % 4] as Schedule);
    expect(result.violation).toBeUndefined();
    decided += result.decided;
    for (const line of result.lines) lines.add(line);
  }
  // The schedules are not so harsh that nothing happens.
  expect(decided).toBeGreaterThan(seeds(1_000));
});

test.each([3, 5])('Figure 3: every property holds through many short reigns, n=%i', (n) => {
  for (let seed = 0; seed < seeds(75); seed++)
    expect(reigns(raft(optionsOf(seed, n)), seed, 40).violation).toBeUndefined();
});

test.each([1, 3, 5])('liveness: once everything works again, everything is decided, n=%i', (n) => {
  for (let seed = 0; seed < seeds(60); seed++) {
    const options = { ...optionsOf(seed, n), preVote: true, checkQuorum: true };
    expect(heal(raft(options), seed, schedules[seed % 4] as Schedule)).toBeUndefined();
  }
});

test.each([3, 5])('no read by a lease misses what was acknowledged before it, n=%i', (n) => {
  for (let seed = 0; seed < seeds(40); seed++) {
    const leased = { ...optionsOf(seed, n), reads: 'lease', checkQuorum: true } as const;
    const schedule = seed % 5 === 4 ? forgetful : (schedules[seed % 4] as Schedule);
    expect(run(raft(leased), seed, schedule).violation).toBeUndefined();
  }
});

test.each([3, 5])('every property holds while disks are lost one after another, n=%i', (n) => {
  let decided = 0;
  for (let seed = 0; seed < seeds(75); seed++) {
    const result = run(raft(optionsOf(seed, n)), seed, forgetful);
    expect(result.violation).toBeUndefined();
    decided += result.decided;
    for (const line of result.lines) lines.add(line);
  }
  expect(decided).toBeGreaterThan(seeds(500));
});

test.each([3, 5])(
  'liveness: who lost its disk is a replica like any other in the end, n=%i',
  (n) => {
    for (let seed = 0; seed < seeds(60); seed++) {
      const options = { ...optionsOf(seed, n), preVote: true, checkQuorum: true };
      expect(heal(raft(options), seed, forgetful)).toBeUndefined();
    }
  },
);

type Search = (name: Mutant, seed: number) => Outcome;

const by =
  (schedule: Schedule): Search =>
  (name, seed) =>
    run(mutant(name, optionsOf(seed, 3)), seed, schedule);
const byReigns: Search = (name, seed) =>
  reigns(mutant(name, { ...optionsOf(seed, 3), maxEntriesPerAppend: 1 }), seed, 40);

test.runIf(!isShort).each<[Mutant, Search]>([
  ['figure-8', byReigns],
  ['double-vote', byReigns],
  ['commit-beyond-verified', by(rough)],
  ['truncate-on-stale-append', by(rough)],
  ['vote-by-length', by(stormy)],
  ['rejoin-as-new', by(forgetful)],
  ['readindex-without-noop', by(rough)],
  ['stale-leader-read', by(calm)],
])('a wrong rule is caught by random schedules within 400 seeds: %s', (name, search) => {
  let violation: string | undefined;
  for (let seed = 0; seed < 400 && violation === undefined; seed++)
    violation = search(name, seed).violation;
  expect(violation).toContain('replay: seed');
});

test.runIf(!isShort)(
  'every line of the paper is executed, and nothing else is called a line',
  () => {
    const group = cluster(raft({ n: 3 }));
    group.elect(0);
    group.inject(1, 0, { kind: 'vote', term: 3, candidate: 1, granted: false });
    const digest = '0'.repeat(64);
    group.inject(2, 0, { kind: 'install-snapshot', term: 2, lastIndex: 9, lastTerm: 1, digest });
    group.inject(2, 0, { kind: 'request-vote', term: 2, lastIndex: 9, lastTerm: 1 });
    const leased = cluster(raft({ n: 1, reads: 'lease' }));
    leased.elect(0);
    leased.step(0, { type: 'read', id: 1 });
    for (const line of [...group.lines, ...leased.lines]) lines.add(line);
    const here = Object.keys(paper).filter((line) => !ofChapter4.test(line));
    expect([...lines].filter((line) => !ofChapter4.test(line)).sort()).toEqual(here.sort());
  },
);
