import { type Outcome, runLength, type Schedule } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { mutant } from '../test/cluster.ts';
import { heal, reigns, run } from '../test/schedule.ts';
import { type ZabOptions, zab } from './index.ts';
import type { Mutant } from './mutants.ts';

const { isShort, seeds } = runLength(process.env);

const calm: Schedule = { steps: 3_000, crashes: 4, loss: 5, reorder: 4, hurry: 5 };
const rough: Schedule = { steps: 3_000, crashes: 8, loss: 10, reorder: 40, hurry: 10 };
const ordered: Schedule = { steps: 3_000, crashes: 2, loss: 0, reorder: 1, hurry: 5 };
const stormy: Schedule = { steps: 3_000, crashes: 12, loss: 20, reorder: 8, hurry: 25 };
const schedules = [calm, rough, ordered, stormy];
const forgetful: Schedule = { steps: 4_000, crashes: 4, losses: 6, loss: 5, reorder: 6, hurry: 10 };

const optionsOf = (seed: number, n: number): ZabOptions => ({
  n,
  snapshotEvery: seed % 3 === 0 ? 8 : 0,
  keepTransactions: seed % 4,
  maxInFlight: 1 + (seed % 4),
  maxPerMessage: [2, 1_024, 1_024, 1][seed % 4] as number,
});

test.each([3, 5])('the eight properties hold under random schedules, n=%i', (n) => {
  let decided = 0;
  for (let seed = 0; seed < seeds(100); seed++) {
    const result = run(zab(optionsOf(seed, n)), seed, schedules[seed % 4] as Schedule);
    expect(result.violation).toBeUndefined();
    decided += result.decided;
  }
  // The schedules are not so harsh that nothing happens.
  expect(decided).toBeGreaterThan(seeds(1_000));
});

test.each([3, 5])('the eight properties hold through many short reigns, n=%i', (n) => {
  let decided = 0;
  for (let seed = 0; seed < seeds(75); seed++) {
    const result = reigns(zab(optionsOf(seed, n)), seed, 40);
    expect(result.violation).toBeUndefined();
    decided += result.decided;
  }
  expect(decided).toBeGreaterThan(seeds(75));
});

test.each([1, 3, 5])('liveness: once everything works again, everything is decided, n=%i', (n) => {
  for (let seed = 0; seed < seeds(60); seed++)
    expect(heal(zab(optionsOf(seed, n)), seed, schedules[seed % 4] as Schedule)).toBeUndefined();
});

test.each([3, 5])('the properties hold while disks are lost one after another, n=%i', (n) => {
  let decided = 0;
  for (let seed = 0; seed < seeds(75); seed++) {
    const result = run(zab(optionsOf(seed, n)), seed, forgetful);
    expect(result.violation).toBeUndefined();
    decided += result.decided;
  }
  expect(decided).toBeGreaterThan(seeds(300));
});

test.each([3, 5])('liveness: who lost its disk is one like any other in the end, n=%i', (n) => {
  for (let seed = 0; seed < seeds(60); seed++)
    expect(heal(zab(optionsOf(seed, n)), seed, forgetful)).toBeUndefined();
});

describe.each([
  [4, 1],
  [5, 2],
])('n=%i with %i observers', (n, observers) => {
  const worlds = [calm, stormy, forgetful];
  const observed = (seed: number): ZabOptions => ({
    ...optionsOf(seed, n),
    ...{ observers, followerReads: true },
  });

  test('the eight properties hold, and what observers deliver is committed', () => {
    let decided = 0;
    for (let seed = 0; seed < seeds(45); seed++) {
      const result = run(zab(observed(seed)), seed, worlds[seed % 3] as Schedule);
      expect(result.violation).toBeUndefined();
      decided += result.decided;
    }
    expect(decided).toBeGreaterThan(seeds(300));
  });

  test('liveness: once everything works again, observers have everything too', () => {
    for (let seed = 0; seed < seeds(30); seed++)
      expect(heal(zab(observed(seed)), seed, worlds[seed % 3] as Schedule)).toBeUndefined();
  });
});

type Search = (name: Mutant, seed: number) => Outcome;

const by =
  (schedule: Schedule): Search =>
  (name, seed) =>
    run(mutant(name, optionsOf(seed, 3)), seed, schedule);
const byReigns: Search = (name, seed) =>
  reigns(mutant(name, { ...optionsOf(seed, 3), maxPerMessage: 1 }), seed, 40);

test.runIf(!isShort).each<[Mutant, Search]>([
  ['fifo-assumed', by(rough)],
  ['longest-history', byReigns],
  ['zxid-alone', byReigns],
  ['epoch-before-history', byReigns],
  ['join-hole', byReigns],
  ['old-epoch-commit', byReigns],
  ['counts-before-fsync', byReigns],
  ['uncut-log', byReigns],
  ['rejoin-as-new', by(forgetful)],
  ['stale-leader-read', by(calm)],
])('a wrong rule is caught by random schedules within 400 seeds: %s', (name, search) => {
  let violation: string | undefined;
  for (let seed = 0; seed < 400 && violation === undefined; seed++)
    try {
      ({ violation } = search(name, seed));
    } catch (error) {
      // A replica that stops because its own invariant or an assertion is broken is caught too.
      violation = `${error} (replay: seed ${seed})`;
    }
  expect(violation).toContain('replay: seed');
});
