import { type Outcome, runLength, type Schedule } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { mutant } from '../test/cluster.ts';
import { heal, reigns, run } from '../test/schedule.ts';
import { type EpaxosOptions, epaxos } from './index.ts';
import type { Mutant } from './mutants.ts';

const { isShort, seeds } = runLength(process.env);

const base = { steps: 3_000, lost: 0 };
const calm: Schedule = { ...base, crashes: 4, loss: 5, reorder: 4, hurry: 5 };
const rough: Schedule = { ...base, crashes: 8, loss: 10, reorder: 40, hurry: 10 };
const ordered: Schedule = { ...base, crashes: 2, loss: 0, reorder: 1, hurry: 5 };
const stormy: Schedule = { ...base, crashes: 12, loss: 20, reorder: 8, hurry: 25 };
const schedules = [calm, rough, ordered, stormy];
/** The same with replicas that lose their disks. */
const losing = schedules.map((each): Schedule => ({ ...each, lost: 20 }));

const optionsOf = (seed: number, n: number): EpaxosOptions => ({
  n,
  snapshotEvery: [4, 16, 1000][seed % 3] as number,
  pipeline: [1, 2, 8][seed % 3] as number,
  maxCommandsPerInstance: [1, 1_024][seed % 2] as number,
});

test.each([3, 5])('every property holds under random schedules, n=%i', (n) => {
  let decided = 0;
  for (let seed = 0; seed < seeds(40); seed++) {
    const result = run(epaxos(optionsOf(seed, n)), seed, schedules[seed % 4] as Schedule);
    expect(result.violation).toBeUndefined();
    decided += result.decided;
  }
  // The schedules are not so harsh that nothing happens.
  expect(decided).toBeGreaterThan(seeds(200));
});

test.each([3, 5])('every property holds while disks are lost, n=%i', (n) => {
  for (let seed = 0; seed < seeds(40); seed++) {
    const result = run(epaxos(optionsOf(seed, n)), seed, losing[seed % 4] as Schedule);
    expect(result.violation).toBeUndefined();
  }
});

test.each([3, 5])('every property holds through many short recoveries, n=%i', (n) => {
  for (let seed = 0; seed < seeds(40); seed++)
    expect(reigns(epaxos(optionsOf(seed, n)), seed, 40).violation).toBeUndefined();
});

test.each([1, 3, 5])('liveness: once everything works again, everything is decided, n=%i', (n) => {
  for (let seed = 0; seed < seeds(20); seed++) {
    const worlds = n === 1 ? schedules : losing;
    const schedule = worlds[seed % 4] as Schedule;
    expect(heal(epaxos(optionsOf(seed, n)), seed, schedule)).toBeUndefined();
  }
});

type Search = (name: Mutant, seed: number) => Outcome;

const by =
  (worlds: Schedule): Search =>
  (name, seed) =>
    run(mutant(name, optionsOf(seed, 3)), seed, worlds);
/** With five replicas one can have pre-accepted unchanged what nobody else has heard of. */
const five: Search = (name, seed) =>
  run(mutant(name, { ...optionsOf(seed, 5), snapshotEvery: 1000 }), seed, stormy);

test.runIf(!isShort).each<[Mutant, Search]>([
  ['execute-early', by(rough)],
  ['no-validation', five],
])('a wrong rule is caught by random schedules within 400 seeds: %s', (name, search) => {
  let violation: string | undefined;
  for (let seed = 0; seed < 400 && violation === undefined; seed++)
    violation = search(name, seed).violation;
  expect(violation).toContain('replay: seed');
});
