import { type OptionValues, range } from '@quorumlab/core';
import {
  addReached,
  failureOf,
  protocolOf,
  type Reached,
  type RunResult,
  reachable,
  type SwarmWorld,
  subjectsOf,
} from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';
import type { Covered } from '../support/covered.ts';
import { testBoundaries } from './boundaries.ts';

/**
 * Seeds per protocol in the ordinary run, shared among its rule sets: `npm run simulate -- --long`
 * tries 40,000 of each. Liars have more to choose from than crashes.
 */
const seedsOf = (protocol: string): number =>
  protocolOf(protocol).claims.faults === 'byzantine' ? 600 : 400;
const perTest = 50;
/** What a rule set gets also where it shares: else its worlds could not have all in them. */
const least = 200;

type Seen = RunResult & SwarmWorld;

/** Runs swarms and crashes of `protocol` and of each of its rule sets. */
export function testSwarm(protocol: string): void {
  const subjects = subjectsOf(protocol);
  const seeds = Math.max(least, seedsOf(protocol) / subjects.length);
  const ofAll: Seen[] = [];
  for (const subject of subjects) {
    describe(`${subject.name}: ${seeds} random worlds`, () => {
      const seen: Seen[] = [];
      for (const block of range(seeds / perTest)) {
        const first = block * perTest + 1;
        test(`seeds ${first} to ${first + perTest - 1}: safe always, live once healed`, () => {
          for (const i of range(perTest))
            expect(
              failureOf(subject, first + i, (result, world) => seen.push({ ...result, ...world })),
            ).toBeUndefined();
        });
      }
      test('the worlds were as bad as they claim', ({ task }) => {
        task.meta.covered = { subject: subject.name, counts: countsOf(seen) };
        expect(seen).toHaveLength(seeds);
        requireBad(protocol, seen);
        ofAll.push(...seen);
      });
    });
    describe(`${subject.name}: a crash at every boundary`, () => testBoundaries(subject));
  }
  test(`${protocol}: rare situations were reached`, () => requireRare(protocol, ofAll));
}

/** Runs fewer worlds with options that no swarm draws: by what they are, for people. */
export function testVariants(
  protocol: string,
  variants: Readonly<Record<string, OptionValues>>,
): void {
  for (const [name, options] of Object.entries(variants))
    test(`${protocol} with ${name}: ${perTest} random worlds`, () => {
      for (const i of range(perTest))
        expect(failureOf({ name: protocol, protocol, options }, i + 1)).toBeUndefined();
    });
}

const sumOf = (seen: readonly Seen[], of: (each: Seen) => number): number =>
  seen.reduce((total, each) => total + of(each), 0);

/** What the row of a subject says after all tests: what was in its worlds. */
function countsOf(seen: readonly Seen[]): Covered['counts'] {
  const sum = (of: (each: Seen) => number): number => sumOf(seen, of);
  return {
    seeds: seen.length,
    events: sum(({ events }) => events),
    answered: sum(({ answered }) => answered),
    lost: sum(({ counters }) => counters.dropped),
    crashes: sum(({ counters }) => counters.crashes),
    restarts: sum(({ counters }) => counters.restarts),
    'disks gone': sum(({ emptied }) => emptied.length),
    liars: sum(({ scenario }) => scenario.by.length),
    rare: Object.keys(reachedIn(seen)).length,
  };
}

const reachedIn = (seen: readonly Seen[]): Reached =>
  seen.reduce<Reached>((sum, each) => addReached(sum, each.reached), {});

/** Looks whether the worlds had in them what the swarm is for. */
function requireBad(protocol: string, seen: readonly Seen[]): void {
  const sum = (of: (each: Seen) => number): number => sumOf(seen, of);
  const mean = (of: (each: Seen) => number): number => sum(of) / seen.length;
  expect(mean(({ counters }) => counters.crashes)).toBeGreaterThan(1);
  expect(mean(({ counters }) => counters.restarts)).toBeGreaterThan(1);
  expect(mean(({ counters }) => counters.dropped)).toBeGreaterThan(10);
  expect(mean(({ counters }) => counters.duplicated)).toBeGreaterThan(1);
  expect(mean(({ answered }) => answered)).toBeGreaterThan(10);
  // Some never come back, and some come back with an empty disk.
  expect(mean(({ gone }) => gone.length)).toBeGreaterThan(0.05);
  expect(mean(({ emptied }) => emptied.length)).toBeGreaterThan(0.05);
  // A log that has an end takes no snapshots, so that nobody needs one of others.
  const { claims, create } = protocolOf(protocol);
  const fetched = ({ counters }: Seen): number => counters.kinds['snapshot-chunk']?.delivered ?? 0;
  if (create({ n: claims.replicas(1), f: 1 }).length === undefined)
    expect(mean((each) => Number(fetched(each) > 0))).toBeGreaterThan(0.025);
}

/** Looks whether runs were in every rare situation that this protocol can be in. */
function requireRare(protocol: string, seen: readonly Seen[]): void {
  const all = reachedIn(seen);
  const missed = reachable(protocolOf(protocol)).filter((name) => all[name] === undefined);
  expect(missed).toEqual([]);
}
