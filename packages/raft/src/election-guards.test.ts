/** What does not count in an election, each sent to a machine as a network could bring it. */
import { firstClient, maxInteger, type Output } from '@quorumlab/core';
import { links } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { append, oneOfEach } from '../test/messages.ts';
import { type Raft, type RaftMessage, raft } from './index.ts';

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

/** Replica 1 of three, in each role in which something is there to be disturbed. */
const roles: readonly (readonly [string, () => Cluster])[] = [
  [
    'an asker',
    () => {
      const group = fresh();
      group.timeout(1, 'election');
      return group;
    },
  ],
  [
    'a leader',
    () => {
      const group = fresh();
      group.elect(1);
      group.propose(1, 'x');
      group.step(1, { type: 'read', id: 7 });
      return group;
    },
  ],
  [
    'one that lost its disk',
    () => {
      const group = fresh();
      group.crash(1);
      group.restart(1, 'lost');
      return group;
    },
  ],
];

describe.each(roles)('%s', (_, make) => {
  test.each([1, 3, firstClient])('does not hear principal %i, who is no other member', (from) => {
    const group = make();
    const before = group.nodes[1]?.machine.snapshot();
    for (const message of [...oneOfEach(1), ...oneOfEach(7)]) {
      // Its own vote, and what it says of its own disk, comes from itself.
      if (from === 1 && (message.kind === 'vote' || message.kind === 'append-reply')) continue;
      expect(said(group, from, message)).toEqual([]);
      expect(group.nodes[1]?.machine.snapshot()).toEqual(before);
    }
  });
});

test('what is said again from a reign or an attempt that is over changes nothing', () => {
  const group = fresh();
  group.elect(0);
  const before = group.nodes[1]?.machine.snapshot();
  for (const timer of ['heartbeat', 'check-quorum', 'rejoin'] as const) {
    const { sends, early, timers } = group.wouldDo(1, { type: 'timeout', timer });
    expect([sends, early, timers]).toEqual([[], [], []]);
    group.fire(1, timer);
  }
  group.fire(1, 'check-quorum');
  expect(group.nodes[1]?.machine.snapshot()).toEqual(before);
  const { sends, timers } = group.wouldDo(0, { type: 'timeout', timer: 'election' });
  expect([sends, timers]).toEqual([[], []]);
});

describe('who wants to lead', () => {
  const to = ({ sends, early }: Output<Raft>): unknown[] =>
    [...sends, ...early].map((each) => [each.to, each.message.kind]);
  const timeout = { type: 'timeout', timer: 'election' } as const;

  test('begins at once if it has never heard a leader, and asks all others', () => {
    const group = fresh();
    expect(to(group.wouldDo(1, timeout))).toEqual([
      [0, 'pre-vote'],
      [2, 'pre-vote'],
    ]);
    expect(to(cluster(raft({ n: 3, preVote: false })).wouldDo(1, timeout))).toEqual([
      [0, 'request-vote'],
      [2, 'request-vote'],
      [1, 'vote'],
    ]);
    group.elect(1);
    expect(to(group.wouldDo(1, { type: 'timeout', timer: 'heartbeat' }))).toEqual([
      [0, 'append-entries'],
      [2, 'append-entries'],
    ]);
  });

  test('can use the last term of the wire', () => {
    const group = fresh();
    for (const from of [1, 2])
      group.inject(from, 0, { kind: 'vote', term: maxInteger - 1, candidate: 1, granted: false });
    group.elect(0);
    expect(group.nodes[0]?.machine.status().term).toBe(maxInteger);
  });

  test('names no leader until there is one', () => {
    expect(fresh().nodes[1]?.machine.status()).toEqual({ term: 0, role: 'follower' });
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

  test.each([1, 2])('that votes for another in term %i gives up its own attempt', (term) => {
    const group = fresh();
    said(group, 0, { kind: 'vote', term: 1, candidate: 0, granted: false });
    group.timeout(1, 'election');
    expect(group.view(1).role).toBe('pre-candidate');
    expect(said(group, 0, ask(term))).toMatchObject([{ granted: true }]);
    expect(group.view(1)).toMatchObject({ role: 'follower', votes: new Set() });
  });

  test('that follows nobody helps, however lately it heard the leader of an older term', () => {
    const group = fresh();
    group.inject(0, 1, append());
    expect(said(group, 2, preAsk(3))).toEqual([]);
    said(group, 0, { kind: 'vote', term: 2, candidate: 0, granted: false });
    expect(said(group, 2, preAsk(3))).toMatchObject([{ granted: true, term: 3 }]);
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

test('thesis 6.2: an answer that is a whole timeout old does not count', () => {
  const group = fresh();
  group.elect(0);
  expect(group.view(0).pipelines.get(1)?.heardAt).toBe(group.now);
  group.timeout(0, 'check-quorum');
  expect(group.view(0)).toMatchObject({ role: 'follower', leader: null });
});
