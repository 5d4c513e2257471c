/** How much of its history a replica keeps for others: each bound is met, and one more. */
import { keptBehindBytes, type Request, type Signed, toUtf8 } from '@quorumlab/core';
import { command } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { cluster } from '../test/cluster.ts';
import { zxid } from '../test/messages.ts';
import { mayDropTo } from './channel.ts';
import type { Group } from './group.ts';
import { zab } from './index.ts';
import { transactionBytes } from './messages.ts';
import type { Learner, Replica } from './state.ts';

const MiB = 2 ** 20;
const withOperation = (bytes: number): Signed<Request> => ({
  ...command(''),
  operations: [toUtf8('x'), new Uint8Array(bytes)],
});
/** A request whose transaction counts `bytes`. */
const requestOf = (bytes: number): Signed<Request> =>
  withOperation(bytes - transactionBytes(withOperation(MiB)) + MiB);

const group = zab({ n: 3 }).group as Group;
const now = 1_000_000;
const learner = (more: Partial<Learner>): Learner => ({
  ...{ stage: 'synced', next: 2, cut: null, held: 1, probing: false, inFlight: [] },
  ...{ heardAt: now, answeredBeat: 0, toldSnapshot: 0 },
  ...more,
});

describe('what a follower that answers still needs', () => {
  /** A leader with these transactions, from the first on. */
  const leads = (
    commands: readonly (Signed<Request> | null)[],
    ...learners: readonly Learner[]
  ): Replica =>
    ({
      compacted: zxid(0, 0),
      history: new Map(commands.map((each, i) => [i + 1, { epoch: 1, command: each }])),
      learners: new Map(learners.map((each, i) => [i + 1, each])),
    }) as Partial<Replica> as Replica;
  const five = [1, 2, 3, 4, 5].map(() => null);
  const dropped = (leader: Replica, upTo = 5) => mayDropTo(group, leader, upTo, now);

  test('stays, what comes after a snapshot that it is fetching first of all', () => {
    expect(dropped(leads(five))).toBe(5);
    expect(dropped(leads(five, learner({ held: 2 }), learner({ held: 4 })))).toBe(2);
    expect(dropped(leads(five, learner({ held: 4 }), learner({ held: 2 })))).toBe(2);
    expect(dropped(leads(five, learner({ held: 1, toldSnapshot: 3 })))).toBe(3);
    expect(dropped(leads(five, learner({ held: 5 })))).toBe(5);
  });

  test('does not stay once it was silent for an election timeout', () => {
    const { electionTimeout } = group;
    expect(dropped(leads(five, learner({ heardAt: now - electionTimeout + 1 })))).toBe(1);
    expect(dropped(leads(five, learner({ heardAt: now - electionTimeout })))).toBe(5);
  });

  test('does not stay if it needs what is gone already', () => {
    const later = { ...leads(five, learner({ held: 1 })), compacted: zxid(1, 2) };
    expect(dropped(later)).toBe(5);
    const just = { ...leads(five, learner({ held: 2 })), compacted: zxid(1, 2) };
    expect(dropped(just)).toBe(2);
  });

  test('stays up to 64 MiB', () => {
    const of = (last: number): Replica =>
      leads([null, requestOf(40 * MiB), requestOf(last)], learner({ held: 1, toldSnapshot: 1 }));
    const most = of(24 * MiB);
    expect(dropped(most, 3)).toBe(1);
    expect(most.learners.get(1)?.toldSnapshot).toBe(1);
    const more = of(24 * MiB + 1);
    expect(dropped(more, 3)).toBe(3);
    // It is told of the snapshot that is taken now.
    expect(more.learners.get(1)?.toldSnapshot).toBe(0);
  });

  const most = 65_536;
  const long = leads(Array<null>(most + 2).fill(null));
  test('stays up to 65,536 transactions', () => {
    const of = (held: number): Replica => ({
      ...long,
      learners: new Map([[1, learner({ held })]]),
    });
    expect(dropped(of(2))).toBe(2);
    expect(dropped(of(1))).toBe(5);
  });
});

test('what stays behind a snapshot for all is bounded in bytes, too', () => {
  const compactedWith = (bytes: number): number => {
    const alone = cluster(zab({ n: 1 }));
    alone.nominate([0]);
    for (const each of [requestOf(1_000), requestOf(keptBehindBytes - 1_000), requestOf(bytes)])
      alone.request(0, each);
    alone.step(0, { type: 'snapshot-taken', slot: 2, digest: 'f'.repeat(64) });
    return alone.view(0).compacted.counter;
  };
  expect(compactedWith(1_000)).toBe(1);
  expect(compactedWith(1_001)).toBe(2);
});
