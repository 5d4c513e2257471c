import { range } from '@quorumlab/core';
import { uniformNetwork, wan } from '@quorumlab/sim';
import { describe, expect, test } from 'vitest';
import {
  latenciesBySite,
  type RoundTrip,
  roundTrip,
  type SiteLatency,
  wayAndBack,
} from './site-latency.ts';

const n = 5;
/** Of five, with e = f = 2, fast quorums are as large as majorities. */
const quorum = 3;
const few = { clientsPerSite: 1, operations: 5 };
/** Timeouts above all round trips, so that nobody takes over what is only far away. */
const epaxos = {
  protocol: 'epaxos',
  options: { e: n - quorum, recoveryTimeout: 3_000_000, fastPathWait: 10_000 },
  ...few,
};
const multiPaxos = {
  protocol: 'multi-paxos',
  conflicts: 0,
  options: { electionTimeout: 2_000_000, pipeline: 16 },
  ...few,
};

const roundTrips = range(n).map((site) => roundTrip(wan, site, { n, quorum }));
const committed = (found: readonly SiteLatency[]) => found.map((each) => each.committed);

describe('commits on five sites of a wide area', () => {
  const calm = latenciesBySite({ ...epaxos, conflicts: 0 });
  const contended = latenciesBySite({ ...epaxos, conflicts: 100 });

  test('EPaxos: where nothing interferes, each site commits in one round trip of its own', () => {
    for (const [site, { least, most }] of committed(calm).entries()) {
      const there = roundTrips[site] as RoundTrip;
      expect(least).toBeGreaterThanOrEqual(there.least);
      // And from the client to the replica beside it.
      expect(most).toBeLessThanOrEqual(there.most + wayAndBack(wan, site, site).most);
    }
  });

  test.each([0, 4])('Multi-Paxos: all pay the way to the leader at site %i, and back', (leader) => {
    const found = latenciesBySite({ ...multiPaxos, leader });
    const there = roundTrips[leader] as RoundTrip;
    for (const [site, { least, most }] of committed(found).entries()) {
      const way = wayAndBack(wan, site, leader);
      expect(least).toBeGreaterThanOrEqual(there.least + way.least);
      expect(most).toBeLessThanOrEqual(there.most + way.most);
    }
  });

  test('EPaxos: where all interferes, each site pays two round trips, and waits to execute', () => {
    for (const [site, { committed, answered }] of contended.entries()) {
      const { least } = roundTrips[site] as RoundTrip;
      expect(committed.median).toBeGreaterThanOrEqual(2 * least);
      // Nobody executes before what depends on it, and it on that, is committed too.
      expect(answered.median).toBeGreaterThan(committed.median + 10_000);
    }
    const some = latenciesBySite({ ...epaxos, operations: 15, conflicts: 20 });
    for (const [site, { committed }] of some.entries())
      expect(committed.median).toBeLessThan(contended[site]?.committed.median ?? 0);
  });

  test('the same options give the same times', () => {
    expect(latenciesBySite({ ...epaxos, conflicts: 0 })).toEqual(calm);
    expect(latenciesBySite({ ...epaxos, conflicts: 0, seed: 2 })).not.toEqual(calm);
  });

  test('a group that elects nobody is not measured, and the sentence says what to do', () => {
    const delay = { type: 'constant', delay: 1 } as const;
    const network = uniformNetwork('cut', { delay, lossPerMillion: 1_000_000 });
    expect(() => latenciesBySite({ ...multiPaxos, network })).toThrow(
      /multi-paxos left operations of 5 clients unanswered.*give it timeouts above/,
    );
  });
});

test('a round trip to a quorum is the one to its farthest member that is needed', () => {
  const same = uniformNetwork('same', { delay: { type: 'constant', delay: 7 } });
  expect(roundTrip(same, 0, { n: 3, quorum: 2 })).toEqual({ least: 14, most: 14 });
  expect(roundTrip(same, 0, { n: 3, quorum: 1 })).toEqual({ least: 0, most: 0 });
  expect(roundTrip(wan, 0, { n, quorum })).toEqual({ least: 70_000, most: 74_374 });
  const table = uniformNetwork('table', { delay: { type: 'table', quantiles: [1, 5, 9] } });
  expect(roundTrip(table, 0, { n: 3, quorum: 2 })).toEqual({ least: 2, most: 18 });
});
