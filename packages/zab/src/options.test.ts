/**
 * What a group is made of, what is refused with which words, what laboratories are told, and what
 * a replica says of itself. Kept in `test/runs`: renewed with `UPDATE_RUNS=1`.
 */
import * as files from 'node:fs';
import { replica, threshold } from '@quorumlab/core';
import { digestOfText, keeper, random, testDigest } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { oneOfEach } from '../test/messages.ts';
import { entry } from './entry.ts';
import type { Group } from './group.ts';
import { type ZabOptions, zab } from './index.ts';
import { invariant } from './invariant.ts';
import type { Replica } from './state.ts';
import { counter } from './status.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);

/** Whether `lines` are those on file. */
const expectRun = (name: string, lines: readonly string[]): void =>
  expect(keep(name, (sheet) => sheet.write(...lines))).not.toBe('');

/** The group of these options in one line, or why there is none. */
function groupOf(options: ZabOptions): string {
  try {
    const { group, snapshotEvery, client, f } = zab(options);
    const { schemas, members, voters, quorum, rules, ...rest } = group as Group;
    const isQuorum = voters.map((_, i) => quorum.has(voters.slice(0, i + 1)));
    return [
      `f=${f} members=${members.join()} voters=${voters.join()} enough=${isQuorum.indexOf(true)}`,
      `snapshots=${snapshotEvery} client=${JSON.stringify(client)}`,
      `most bytes=${schemas.messages.maxBytes} ${JSON.stringify(rest)}`,
    ].join(' ');
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

const few = threshold([0, 1, 2], 1);

test('a group follows from its options, or is refused with what to do', () => {
  const all: readonly ZabOptions[] = [
    ...[0, 1, 2, 3, 4, 5, 7].map((n) => ({ n })),
    ...[-1, 0, 1, 2].map((f) => ({ n: 4, f })),
    { n: 4, f: 2, unsafe: true },
    ...[0, 1, 2, 4, 5, -1].map((observers) => ({ n: 5, observers })),
    { n: 5, observers: 1, f: 2 },
    ...[9, 10, 19, 20].map((electionTimeout) => ({ n: 3, electionTimeout })),
    ...[0, 1, 150_000, 150_001].map((heartbeat) => ({ n: 3, heartbeat })),
    ...[-1, 0, 7].map((grace) => ({ n: 3, grace })),
    ...[-1, 0, 7].map((snapshotEvery) => ({ n: 3, snapshotEvery })),
    ...[-1, 0, 7].map((keepTransactions) => ({ n: 3, keepTransactions })),
    ...[0, 1, 1_024, 1_025].map((maxPerMessage) => ({ n: 3, maxPerMessage })),
    ...[524_000, 600_000].map((maxBytesPerMessage) => ({ n: 3, maxBytesPerMessage })),
    ...[0, 1].map((maxInFlight) => ({ n: 3, maxInFlight })),
    ...[0, 1].map((maxUncommitted) => ({ n: 3, maxUncommitted })),
    ...[0, 1].map((maxReads) => ({ n: 3, maxReads })),
    { n: 3, followerReads: true },
  ];
  const told = all.map((each) => `${JSON.stringify(each)}\n  ${groupOf(each)}`);
  expectRun('options', [
    ...told,
    `quorums that need not meet\n  ${groupOf({ n: 3, quorum: few })}`,
    `and are wanted\n  ${groupOf({ n: 3, quorum: few, unsafe: true })}`,
  ]);
});

test('what people and laboratories are told, and the options that a seed draws for ever', () => {
  const { options, title, small } = entry;
  const drawn = [1, 2, 3, 4, 5, 6].flatMap((seed) =>
    [true, false].map((narrow) => {
      const told = { n: 5, f: seed % 3, told: {}, narrow };
      const values = entry.drawn?.(random(seed), seed % 2 === 0 ? 'lan' : 'wan', told) ?? {};
      expect(() => entry.right({ n: 5, f: seed % 3, digest: testDigest, ...values })).not.toThrow();
      return `seed ${seed}${narrow ? ', narrow' : ''}: ${JSON.stringify(values)}`;
    }),
  );
  const { claims } = entry.right({ n: 3, f: 1, digest: testDigest });
  const byHand = (entry.byHand?.(2, 3) as ZabOptions | undefined)?.quorum;
  expectRun('entry', [
    title,
    ...Object.entries(options ?? {}).map(([name, told]) => `${name}: ${JSON.stringify(told)}`),
    `small: ${JSON.stringify(small)}`,
    `claims: ${[0, 1, 2].map((f) => claims.replicas(f)).join()}`,
    `by hand: ${[[0], [0, 1], [2, 1]].map((some) => byHand?.has(some)).join()}`,
    ...drawn,
  ]);
});

test('which epoch each message would have its receiver take over', () => {
  const all = oneOfEach(7).map((each) => `${each.kind}: ${counter.said(each)}`);
  const last = { epoch: 9, command: null };
  const later = { kind: 'diff', epoch: 7, previous: { epoch: 0, counter: 0 } } as const;
  expectRun('epochs', [...all, `later: ${counter.said({ ...later, transactions: [last] })}`]);
});

test('a state that cannot be is told in a sentence, and one that can is not', () => {
  const protocol = zab({ n: 3 });
  const { stable, volatile } = replica(protocol, 0, { digest: () => digestOfText('') }).snapshot();
  const at = (epoch: number, counted: number) => ({ epoch, counter: counted });
  const history = new Map([1, 2].map((each) => [each, { epoch: 3, command: null }]));
  const snapshot = (counted: number) => ({ zxid: at(3, counted), digest: digestOfText('') });
  const emptyFrom = (counted: number) => ({ compacted: at(3, counted), history: new Map() });
  const base: Partial<Replica> = { acceptedEpoch: 3, currentEpoch: 3, history };
  const leads = { role: 'leading', phase: 'broadcast', epoch: 3 } as const;
  const observed = { observes: true, role: 'following', phase: 'broadcast' } as const;
  const parts: readonly Partial<Replica>[] = [
    {},
    { currentEpoch: 4 },
    { currentEpoch: 2, acceptedEpoch: 2 },
    { committed: 2, delivered: 2 },
    { committed: 3, delivered: 3 },
    { committed: 1, delivered: 2 },
    { committed: 2, delivered: 2, snapshot: snapshot(2) },
    { committed: 2, delivered: 1, snapshot: snapshot(2) },
    { committed: 2, delivered: 2, snapshot: snapshot(2), ...emptyFrom(2) },
    { committed: 3, delivered: 3, snapshot: snapshot(2), ...emptyFrom(3) },
    { committed: 1, delivered: 1, ...emptyFrom(1) },
    { observes: true, role: 'leading' },
    { ...observed, committed: 2, delivered: 2 },
    { ...observed, committed: 1, delivered: 1 },
    { ...observed, phase: 'synchronization' },
    { ...leads, committed: 2, delivered: 2 },
    { ...leads, committed: 2, delivered: 1 },
    { ...leads, epoch: 4 },
    { ...leads, epoch: 4, phase: 'synchronization' },
    { ...leads, role: 'following', epoch: 4, committed: 2, delivered: 1 },
  ];
  expectRun(
    'invariants',
    parts.map((part) => {
      const found = invariant({ ...stable, ...volatile, ...base, ...part } as Replica);
      return `${JSON.stringify(part)}\n  ${found ?? 'well'}`;
    }),
  );
});
