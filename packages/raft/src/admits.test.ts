/** What a replica of Raft refuses before it steps: the group's tests check that nothing is lost. */
import { type Signature, type Signed, seal } from '@quorumlab/core';
import { links } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { type Cluster, cluster, type Packet } from '../test/cluster.ts';
import { type RaftMessage, raft } from './index.ts';

const unsigned = new Uint8Array(0) as Signature;
const signed = (message: RaftMessage, from: number): Signed<RaftMessage> =>
  seal<RaftMessage>(message, from, unsigned);

/** Replica 0 leads, and 2 does not hear it. */
function led(): Cluster {
  const group = cluster(raft({ n: 3 }));
  group.elect(0, links([0, 1]));
  return group;
}

const isAdmitted = (group: Cluster, to: number, from: number, message: RaftMessage): boolean =>
  group.nodes[to]?.machine.admits?.(signed(message, from), group.now) !== false;

const lastTo = (group: Cluster, id: number, kind: RaftMessage['kind']): Packet => {
  const found = group.packets.filter(({ to, message }) => to === id && message.kind === kind);
  return found.at(-1) as Packet;
};

test('an acknowledgement counts once, and a later round of it again', () => {
  const group = led();
  group.propose(0, 'x');
  group.deliver(lastTo(group, 1, 'append-entries'));
  const { message } = lastTo(group, 0, 'append-reply');
  expect(isAdmitted(group, 0, 1, message)).toBe(true);
  group.inject(1, 0, message);
  expect(group.view(0).commitIndex).toBe(2);
  expect(isAdmitted(group, 0, 1, message)).toBe(false);
  group.inject(1, 0, message);
  group.timeout(0, 'heartbeat');
  group.deliver(lastTo(group, 1, 'append-entries'));
  expect(isAdmitted(group, 0, 1, lastTo(group, 0, 'append-reply').message)).toBe(true);
});

test('a leader is not made to send again what its follower has not been asked', () => {
  const group = led();
  for (const text of ['x', 'y']) group.propose(0, text);
  group.settle(links([0, 1]));
  const { round, currentTerm: term } = group.view(0);
  const refusal = (index: number): RaftMessage => ({
    kind: 'append-reply',
    term,
    success: false,
    index,
    conflictTerm: 0,
    conflictIndex: 1,
    round,
  });
  for (const index of [0, 1, 2, 3, 4, 99])
    expect(isAdmitted(group, 0, 1, refusal(index))).toBe(false);
  // It has acknowledged nothing, and is probed at the end of the log of the election.
  expect([0, 1, 2, 3].filter((index) => isAdmitted(group, 0, 2, refusal(index)))).toEqual([]);
});

test('the leader of an old term is told so, once in half a heartbeat', () => {
  const group = led();
  group.now += 10_000_000;
  group.elect(1, links([1, 2]));
  const old = { kind: 'append-entries', term: 1, prevIndex: 0, prevTerm: 0 } as const;
  const append = { ...old, entries: [], leaderCommit: 0, round: 1 };
  for (let i = 0; i < 3; i++) {
    group.packets.length = 0;
    expect(isAdmitted(group, 2, 0, append)).toBe(true);
    group.inject(0, 2, append);
    expect(group.packets).toMatchObject([{ to: 0, message: { success: false } }]);
    expect(isAdmitted(group, 2, 0, append)).toBe(false);
    group.inject(0, 2, append);
    expect(group.packets).toHaveLength(1);
    group.now += 15_000;
  }
});

test('who has lost its disk is answered twice in an election timeout, whatever it asks', () => {
  const group = led();
  const setAside = (): number => group.view(0).setAside.ownTerm;
  const seen = new Set<number>();
  for (let nonce = 1; nonce <= 100; nonce++) {
    group.now += 3_000;
    group.inject(2, 0, { kind: 'rejoin', nonce, lastIndex: 0 });
    seen.add(setAside());
  }
  expect(seen.size).toBe(2);
});

test('votes count once, and only while they are asked for', () => {
  const group = cluster(raft({ n: 5 }));
  const vote = { kind: 'vote', term: 1, candidate: 0, granted: true } as const;
  const yes = { kind: 'pre-vote-reply', term: 1, granted: true } as const;
  expect([vote.term, isAdmitted(group, 0, 1, yes)]).toEqual([1, false]);
  group.timeout(0, 'election');
  expect(isAdmitted(group, 0, 1, yes)).toBe(true);
  group.inject(1, 0, yes);
  expect(isAdmitted(group, 0, 1, yes)).toBe(false);
  group.inject(2, 0, yes);
  expect(isAdmitted(group, 0, 1, vote)).toBe(true);
  group.inject(1, 0, vote);
  expect(isAdmitted(group, 0, 1, vote)).toBe(false);
  expect(isAdmitted(group, 0, 2, { ...vote, granted: false })).toBe(false);
  expect(isAdmitted(group, 0, 2, { ...vote, term: 2, granted: false })).toBe(true);
});
