/** What does not count in an election, each sent to a machine as a network could bring it. */
import { firstClient } from '@quorumlab/core';
import { links } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { type RaftMessage, raft } from './index.ts';

const fresh = (): Cluster => cluster(raft({ n: 3 }));
const log = { lastIndex: 0, lastTerm: 0 };
const ask = (term: number): RaftMessage => ({ kind: 'request-vote', term, ...log });
const preAsk = (nextTerm: number): RaftMessage => ({ kind: 'pre-vote', nextTerm, ...log });

/** What `message` of `from` makes replica 1 say. */
function said(group: Cluster, from: number, message: RaftMessage): RaftMessage[] {
  group.packets.length = 0;
  group.inject(from, 1, message);
  return group.packets.splice(0).map((packet) => packet.message);
}

const everything: readonly RaftMessage[] = [
  preAsk(1),
  { kind: 'pre-vote-reply', term: 1, granted: true },
  { kind: 'pre-vote-reply', term: 7, granted: false },
  ask(7),
  { kind: 'vote', term: 7, candidate: 1, granted: true },
];

describe('who is no other member of the group', () => {
  test.each([1, 3, firstClient])('principal %i is not heard', (from) => {
    const group = fresh();
    group.timeout(1, 'election');
    for (const message of everything) {
      // Its own vote comes from itself, in its own term.
      if (from === 1 && message.kind === 'vote') continue;
      expect(said(group, from, message)).toEqual([]);
    }
    expect(group.view(1)).toMatchObject({ currentTerm: 0, role: 'pre-candidate' });
    expect([...group.view(1).votes]).toEqual([1]);
  });
});

describe('a voter', () => {
  test('says yes once more to whom it has said yes, and to nobody else in that term', () => {
    const group = fresh();
    for (const _ of [1, 2]) expect(said(group, 0, ask(1))).toMatchObject([{ granted: true }]);
    expect(said(group, 2, ask(1))).toMatchObject([{ granted: false, term: 1 }]);
    expect(said(group, 2, preAsk(1))).toMatchObject([{ granted: false }]);
    expect(said(group, 0, preAsk(1))).toMatchObject([{ granted: true }]);
    expect(group.view(1).votedFor).toBe(0);
  });

  test('has no vote left for a term that is over', () => {
    const group = fresh();
    said(group, 0, { kind: 'vote', term: 5, candidate: 0, granted: false });
    expect(group.view(1)).toMatchObject({ currentTerm: 5, votedFor: null });
    expect(said(group, 2, ask(3))).toMatchObject([{ granted: false, term: 5 }]);
    expect(said(group, 2, preAsk(4))).toMatchObject([{ granted: false, term: 5 }]);
    expect(said(group, 2, preAsk(5))).toMatchObject([{ granted: true, term: 5 }]);
    expect(group.view(1).votedFor).toBeNull();
  });

  test('helps nobody whose log is older, also when asked beforehand', () => {
    const group = fresh();
    group.elect(0);
    group.now += 10_000_000;
    expect(said(group, 2, preAsk(9))).toMatchObject([{ granted: false }]);
    expect(said(group, 2, ask(9))).toMatchObject([{ granted: false }]);
  });

  test('that hears a leader still answers for the term of that leader', () => {
    const group = fresh();
    group.elect(0);
    expect(said(group, 2, ask(1))).toMatchObject([{ granted: false, term: 1 }]);
    expect(said(group, 2, ask(2))).toEqual([]);
    expect(group.view(1).currentTerm).toBe(1);
  });

  test('that votes for another gives up its own attempt', () => {
    const group = fresh();
    group.timeout(1, 'election');
    expect(group.view(1).role).toBe('pre-candidate');
    expect(said(group, 0, ask(1))).toMatchObject([{ granted: true }]);
    expect(group.view(1).role).toBe('follower');
  });
});

describe('an answer', () => {
  test('counts only where it was asked for', () => {
    const group = fresh();
    said(group, 0, { kind: 'pre-vote-reply', term: 1, granted: true });
    said(group, 0, { kind: 'vote', term: 0, candidate: 1, granted: true });
    expect(group.view(1)).toMatchObject({ role: 'follower', votes: new Set() });
    group.timeout(1, 'election');
    for (const term of [0, 2]) said(group, 0, { kind: 'pre-vote-reply', term, granted: true });
    said(group, 0, { kind: 'vote', term: 0, candidate: 1, granted: true });
    expect(group.view(1)).toMatchObject({ role: 'pre-candidate', votes: new Set([1]) });
  });

  test('that refuses is no vote, and tells the term', () => {
    const group = fresh();
    group.timeout(1, 'election');
    said(group, 0, { kind: 'pre-vote-reply', term: 1, granted: false });
    expect(group.view(1)).toMatchObject({ role: 'follower', currentTerm: 1 });
  });

  test('lets the candidate wait for a whole timeout from then on', () => {
    const group = fresh();
    group.timeout(1, 'election');
    const [first = 0] = group.nodes[1]?.timers.get('election') ?? [];
    group.now += 5_000;
    said(group, 0, { kind: 'pre-vote-reply', term: 1, granted: true });
    expect(group.view(1).role).toBe('candidate');
    expect(group.nodes[1]?.timers.get('election')?.[0]).toBe(first + 5_000);
  });
});

test('thesis 6.2: a leader stays while a quorum answers it, and no longer than a timeout', () => {
  const group = fresh();
  group.elect(0);
  for (let i = 0; i < 5; i++) {
    group.timeout(0, 'heartbeat');
    group.settle(links([0, 1]));
  }
  const [due = 0] = group.nodes[0]?.timers.get('check-quorum') ?? [];
  group.now = due - 1_000;
  group.fire(0, 'heartbeat');
  group.settle(links([0, 1]));
  group.timeout(0, 'check-quorum');
  expect(group.view(0).role).toBe('leader');
  group.timeout(0, 'check-quorum');
  expect(group.view(0).role).toBe('follower');
});
