import { maxInteger, type Protocol } from '@quorumlab/core';
import { among, links } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { cluster, mutant, type Packet } from '../test/cluster.ts';
import { append } from '../test/messages.ts';
import { type Raft, raft } from './index.ts';

const options = { n: 3 };
const entry = (term: number) => ({ term, command: null });

test('§5.2: who hears no leader for an election timeout is elected by a majority', () => {
  const group = cluster(raft(options));
  group.elect(0);
  expect(group.view(0)).toMatchObject({ role: 'leader', currentTerm: 1, votedFor: 0 });
  expect(group.nodes[1]?.machine.status()).toEqual({ leader: 0, term: 1, role: 'follower' });
});

test('§5.2: a group of one elects itself, but only once its vote is durable', () => {
  const group = cluster(raft({ n: 1 }), { instantSync: false });
  group.timeout(0, 'election');
  expect(group.view(0).role).toBe('candidate');
  group.nodes[0]?.finishSync?.();
  expect(group.view(0).role).toBe('leader');
  expect(group.view(0).commitIndex).toBe(0);
  group.nodes[0]?.finishSync?.();
  expect(group.view(0).commitIndex).toBe(1);
});

test('§5.2: a split vote elects nobody, and the next term decides', () => {
  const group = cluster(raft(options));
  group.timeout(0, 'election');
  group.timeout(1, 'election');
  for (const packet of group.packets.splice(0))
    if (packet.to < 2) group.inject(packet.from, packet.to, packet.message);
  const voted = group.packets.splice(0);
  for (const packet of voted) group.inject(packet.from, packet.to, packet.message);
  group.settle(among(0, 1));
  expect([group.view(0).role, group.view(1).role]).toEqual(['candidate', 'candidate']);
  group.elect(0);
  expect(group.view(0)).toMatchObject({ role: 'leader', currentTerm: 2 });
});

test('§5.2: a vote is given once in a term, and says to whom', () => {
  const group = cluster(raft(options));
  const ask = { kind: 'request-vote', term: 5, lastIndex: 0, lastTerm: 0 } as const;
  group.inject(1, 0, ask);
  group.inject(2, 0, ask);
  expect(group.packets.map(({ message }) => message)).toEqual([
    { kind: 'vote', term: 5, candidate: 1, granted: true },
    { kind: 'vote', term: 5, candidate: 2, granted: false },
  ]);
});

test('§5.2: no vote leaves before it is durable', () => {
  const group = cluster(raft(options), { instantSync: false });
  group.inject(1, 0, { kind: 'request-vote', term: 5, lastIndex: 0, lastTerm: 0 });
  expect(group.packets).toEqual([]);
  group.nodes[0]?.finishSync?.();
  expect(group.packets).toHaveLength(1);
  expect(group.nodes[0]?.disk).toMatchObject({ currentTerm: 5, votedFor: 1 });
});

test('a candidate does not count votes of an older term, of strangers or for another', () => {
  const group = cluster(raft({ n: 5, preVote: false }));
  group.timeout(0, 'election');
  group.timeout(0, 'election');
  const vote = { kind: 'vote', term: 2, candidate: 0, granted: true } as const;
  group.inject(1, 0, { ...vote, term: 1 });
  group.inject(2, 0, { ...vote, candidate: 3 });
  group.inject(3, 0, { ...vote, granted: false });
  group.inject(65_536, 0, vote);
  group.inject(4, 0, vote);
  group.inject(4, 0, vote);
  expect(group.view(0).role).toBe('candidate');
  group.inject(3, 0, vote);
  expect(group.view(0).role).toBe('leader');
});

test('thesis 9.6: asking for pre-votes changes no term, so a lone replica raises none', () => {
  const group = cluster(raft(options));
  group.elect(0);
  for (let i = 0; i < 20; i++) group.elect(2, () => false);
  expect(group.view(2)).toMatchObject({ currentTerm: 1, role: 'pre-candidate' });
});

test('thesis 9.6: an asker with an older term learns the newer one from the refusal', () => {
  const group = cluster(raft(options));
  group.inject(2, 1, { kind: 'vote', term: 7, candidate: 2, granted: false });
  group.elect(0);
  expect(group.view(0).currentTerm).toBe(7);
  group.elect(0);
  expect(group.view(0)).toMatchObject({ role: 'leader', currentTerm: 8 });
});

test('thesis 4.2.3: who hears a leader neither votes for another nor takes over its term', () => {
  const group = cluster(raft(options));
  group.elect(0);
  group.timeout(0, 'heartbeat');
  group.settle();
  for (const voter of [0, 1]) {
    group.inject(2, voter, { kind: 'pre-vote', nextTerm: 9, lastIndex: 9, lastTerm: 9 });
    group.inject(2, voter, { kind: 'request-vote', term: 9, lastIndex: 9, lastTerm: 9 });
    expect(group.view(voter)).toMatchObject({ currentTerm: 1, leader: 0 });
  }
  expect(group.packets).toEqual([]);
});

test('§5.1: a leader on an older term steps down when it hears of the newer one', () => {
  const group = cluster(raft(options));
  group.elect(0);
  group.inject(1, 2, { kind: 'append-reply', term: 6, ...failure });
  group.timeout(0, 'heartbeat');
  group.settle();
  expect(group.view(0)).toMatchObject({ role: 'follower', currentTerm: 6 });
});

const failure = { success: false, index: 0, conflictTerm: 0, conflictIndex: 1, round: 0 };

test('A-14: a voter that crashes between two candidates remembers its vote', () => {
  const run = (protocol: Protocol<Raft>) => {
    const group = cluster(protocol);
    const vote = (candidate: number): void => {
      group.timeout(candidate, 'election');
      group.settle((packet) => among(1, candidate)(packet) && isElection(packet));
    };
    vote(0);
    group.crash(1);
    group.restart(1);
    vote(2);
    for (const [leader, text] of [
      [0, 'x'],
      [2, 'y'],
    ] as const) {
      group.propose(leader, text);
      group.timeout(leader, 'heartbeat');
      group.settle(among(1, leader));
      group.timeout(leader, 'heartbeat');
      group.settle(among(1, leader));
    }
    return group;
  };
  const right = run(raft({ n: 3, preVote: false }));
  expect(right.disagreements).toEqual([]);
  expect([right.view(0).role, right.view(2).role]).toEqual(['leader', 'candidate']);
  const wrong = run(mutant('double-vote', { n: 3, preVote: false }));
  expect([wrong.view(0).role, wrong.view(2).role]).toEqual(['leader', 'leader']);
  expect(wrong.view(0).currentTerm).toBe(wrong.view(2).currentTerm);
  expect(wrong.disagreements).toEqual(['slot 1: x and, at 2, y']);
});

const isElection = ({ message }: Packet): boolean =>
  message.kind === 'request-vote' || message.kind === 'vote';

test('A-25: the later last term wins an election, not the longer log', () => {
  const run = (protocol: Protocol<Raft>) => {
    const group = cluster(protocol);
    // Replica 2 led term 1 alone; then replicas 0 and 1 committed x in term 2.
    const stale = [entry(1), entry(1), entry(1)];
    group.inject(0, 2, append({ term: 1, entries: stale }));
    for (const other of [0, 1])
      group.inject(2, other, { kind: 'vote', term: 1, candidate: 2, granted: false });
    group.packets.length = 0;
    group.elect(0, among(0, 1));
    group.propose(0, 'x');
    group.settle(among(0, 1));
    expect(group.nodes[0]?.decided).toEqual(['-', 'x']);
    group.crash(0);
    for (let i = 0; i < 4; i++) group.elect(2, among(1, 2));
    return group;
  };
  expect(run(raft(options)).view(2).role).not.toBe('leader');
  const wrong = run(mutant('vote-by-length', options));
  expect(wrong.view(2).role).toBe('leader');
  expect(wrong.logOf(2)).not.toContain('2x');
});

test('A-21: a replica that was alone comes back without unseating the leader', () => {
  const run = (protocol: Protocol<Raft>) => {
    const group = cluster(protocol);
    group.elect(0);
    for (let i = 0; i < 5; i++) group.elect(2, () => false);
    group.timeout(0, 'heartbeat');
    group.settle(among(0, 1));
    group.fire(2, 'election');
    group.settle();
    return group.view(0);
  };
  expect(run(raft(options))).toMatchObject({ role: 'leader', currentTerm: 1 });
  expect(run(mutant('no-prevote', options))).toMatchObject({ role: 'follower' });
});

test('A-21: at the largest term of the wire there is no election, and never two leaders', () => {
  const group = cluster(raft(options));
  // What one member says would not be heard.
  for (const from of [1, 2])
    group.inject(from, 0, { kind: 'vote', term: maxInteger, candidate: from, granted: false });
  group.elect(0);
  expect(group.view(0)).toMatchObject({ role: 'follower', currentTerm: maxInteger });
  expect(group.packets).toEqual([]);
});

test('A-28: with PreVote and loyalty a partly cut-off replica cannot unseat the leader', () => {
  const run = (protocol: Protocol<Raft>) => {
    const group = cluster(protocol);
    const link = links([0, 1], [0, 2], [1, 2], [1, 3], [2, 4]);
    const elected = new Set<string>();
    group.elect(0, link);
    for (let i = 0; i < 30; i++) {
      for (const id of [0, 1, 2])
        if (group.view(id).role === 'leader') group.timeout(id, 'heartbeat');
      group.settle(link);
      group.fire(3 + (i % 2), 'election');
      group.settle(link);
      const leader = [0, 1, 2].find((id) => group.view(id).role === 'leader');
      if (leader === undefined) group.elect(i % 3, link);
      else elected.add(`${leader}/${group.view(leader).currentTerm}`);
    }
    return elected.size;
  };
  expect(run(raft({ n: 5 }))).toBe(1);
  expect(run(mutant('no-prevote', { n: 5 }))).toBeGreaterThan(5);
});

test('A-29: a leader that no majority answers steps down, so that others may elect', () => {
  const run = (protocol: Protocol<Raft>) => {
    const group = cluster(protocol);
    group.elect(3);
    group.crash(4);
    // The leader 3 reaches only 1, and only through 1 can 0 and 2 find a majority.
    const link = links([0, 1], [0, 2], [1, 2], [1, 3]);
    for (let i = 0; i < 20; i++) {
      group.now += 100_000;
      if (group.view(3).role === 'leader') group.fire(3, 'heartbeat');
      group.settle(link);
      const [due = Number.POSITIVE_INFINITY] = group.nodes[3]?.timers.get('check-quorum') ?? [];
      if (due <= group.now) group.fire(3, 'check-quorum');
      group.fire(0, 'election');
      group.settle(link);
      if (group.view(0).role === 'leader') return true;
    }
    return false;
  };
  expect(run(raft({ n: 5 }))).toBe(true);
  expect(run(mutant('no-checkquorum', { n: 5 }))).toBe(false);
});

test('A-30: a replica that hears no heartbeats any more cannot disturb the others', () => {
  const group = cluster(raft({ n: 4 }));
  group.elect(0);
  for (let i = 0; i < 10; i++) {
    group.timeout(0, 'heartbeat');
    group.settle(among(0, 1, 2));
    group.fire(3, 'election');
    group.settle(({ to }) => to !== 3);
  }
  expect(group.view(0)).toMatchObject({ role: 'leader', currentTerm: 1 });
});

test('a vote of an earlier attempt does not count in the next one', () => {
  const group = cluster(raft({ n: 5 }));
  for (const voter of [1, 2]) {
    group.timeout(0, 'election');
    group.settle(links([0, voter]));
    expect([...group.view(0).votes].sort()).toEqual([0, voter]);
    expect(group.view(0).role).toBe('pre-candidate');
  }
});

test('an election begins one to two timeouts after a leader was heard last', () => {
  const group = cluster(raft({ n: 3 }));
  const [timeout = 0] = group.nodes[1]?.timers.get('election') ?? [];
  group.now = timeout - 1_000;
  group.elect(0);
  const heard = group.view(1).lastContact ?? 0;
  group.now = heard + 60_000;
  group.fire(1, 'election');
  expect(group.nodes[1]?.timers.get('election')).toEqual([heard + timeout, heard + 2 * timeout]);
});

test('a leader that steps down forgets what only a leader knows', () => {
  const group = cluster(raft({ n: 3 }));
  group.elect(0);
  group.packets.length = 0;
  group.propose(0, 'x');
  expect(group.view(0).uncommittedBytes).toBeGreaterThan(0);
  group.inject(1, 0, { kind: 'vote', term: 9, candidate: 1, granted: false });
  const { role, nextIndex, matchIndex, pipelines, uncommitted, uncommittedBytes } = group.view(0);
  expect(role).toBe('follower');
  expect([nextIndex, matchIndex, pipelines, uncommitted].map(({ size }) => size)).toEqual([
    0, 0, 0, 0,
  ]);
  expect(uncommittedBytes).toBe(0);
  expect([...(group.nodes[0]?.timers.keys() ?? [])]).toEqual(['election']);
});
