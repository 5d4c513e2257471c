/** The schedules that expose the mutants: the right protocol survives each of them. */
import type { Exhibit, ReplicaId, Stage, Which } from '@quorumlab/core';
import { exhibitsOfMembership } from './exhibits-of-membership.ts';
import type { Options } from './group.ts';
import type { Raft } from './state.ts';

type Group = Stage<Raft>;

/** Messages between these servers only. */
const among =
  (...servers: readonly ReplicaId[]): Which<Raft> =>
  ({ from, to }) =>
    servers.includes(from) && servers.includes(to);

/** Messages over these links only, each in both directions. */
const links =
  (...pairs: readonly (readonly [ReplicaId, ReplicaId])[]): Which<Raft> =>
  ({ from, to }) =>
    pairs.some(([one, two]) => (one === from && two === to) || (one === to && two === from));

const of =
  (...kinds: readonly Raft['Message']['kind'][]): Which<Raft> =>
  ({ message }) =>
    kinds.includes(message.kind);

const both =
  (one: Which<Raft>, two: Which<Raft>): Which<Raft> =>
  (flight) =>
    one(flight) && two(flight);

/**
 * `id` tries to lead, over what `which` lets pass; again if its term is below that of others. One
 * that still believes that it leads hears first that it does not.
 */
function elect(group: Group, id: ReplicaId, which: Which<Raft>): void {
  if (group.view(id).role === 'leader') beat(group, id, which);
  for (let i = 0; i < 4 && group.view(id).role !== 'leader'; i++) {
    group.timeout(id, 'election');
    group.settle(which);
  }
}

/** A client asks `id` for `text`, and only what `which` lets pass arrives. */
function write(group: Group, id: ReplicaId, text: string, which: Which<Raft>): void {
  group.propose([id], text);
  group.settle(which);
}

/** The leader `id` says what is committed, and sends what is missing. */
function beat(group: Group, id: ReplicaId, which: Which<Raft>, times = 1): void {
  for (let i = 0; i < times; i++) {
    group.timeout(id, 'heartbeat');
    group.settle(which);
  }
}

const everything: Which<Raft> = () => true;
/** Elections by §5.2 alone, where nothing else is looked at. */
const plain = { preVote: false, checkQuorum: false } as const;

/** The paper's Figure 8, with a no-op in the place of its second value. */
function figure8(group: Group): void {
  elect(group, 0, everything);
  // (a) Ann is on 0 and 1 only.
  write(group, 0, 'Ann', both(links([0, 1]), of('append-entries')));
  // (b) 4 is elected by 2 and 3; what it appends stays on it.
  elect(group, 4, both(among(2, 3, 4), of('request-vote', 'vote')));
  // (c) 0 leads again and shows Ann, of an older term, to 2 also; nothing of its own term arrives.
  const isOwn: Which<Raft> = ({ message }) =>
    message.kind === 'append-entries' &&
    message.entries.some(({ term }) => term === group.view(0).currentTerm);
  const old: Which<Raft> = (flight) => among(0, 1, 2)(flight) && !isOwn(flight);
  elect(group, 0, old);
  // Nobody is told what 0 takes for committed: who knows it would not let go of it.
  for (let i = 0; i < 4 && group.decided(0) < 2; i++) beat(group, 0, old);
  group.crash(0);
  // (d) 4 leads by its later term, and what it appended takes the place of Ann.
  elect(group, 4, among(1, 2, 3, 4));
  write(group, 4, 'Bob', among(1, 2, 3, 4));
  beat(group, 4, among(1, 2, 3, 4), 4);
}

function twoCandidates(group: Group): void {
  const votes = of('request-vote', 'vote');
  group.timeout(0, 'election');
  group.settle(both(links([0, 1]), votes));
  group.restart(1);
  group.timeout(2, 'election');
  group.settle(both(links([1, 2]), votes));
  for (const [leader, text] of [
    [0, 'Ann'],
    [2, 'Bob'],
  ] as const) {
    group.propose([leader], text);
    for (let i = 0; i < 2; i++) {
      group.timeout(leader, 'heartbeat');
      group.settle(links([1, leader]));
    }
  }
}

function staleTail(group: Group): void {
  elect(group, 0, everything);
  beat(group, 0, everything);
  write(group, 0, 'Ann', both(links([0, 4]), of('append-entries')));
  group.crash(0);
  elect(group, 1, among(1, 2, 3));
  write(group, 1, 'Bob', among(1, 2, 3));
  beat(
    group,
    1,
    both(links([1, 4]), ({ to }) => to === 4),
  );
}

function lateAppend(group: Group): void {
  elect(group, 0, everything);
  group.propose([0], 'Ann');
  const late = group.flights.filter(({ to }) => to === 1);
  group.settle();
  write(group, 0, 'Bob', among(0, 1));
  group.release(late);
  group.settle(({ to }) => to === 1);
  group.crash(0);
  elect(group, 2, among(1, 2));
  elect(group, 1, among(1, 2));
  for (const id of [1, 2]) group.propose([id], 'Cleo');
  group.settle(among(1, 2));
}

/**
 * Server 3 only reaches 1 and server 4 only 2; each campaigns as soon as it misses its leader, and
 * before the clients' requests get anywhere.
 */
function oneBadLink(group: Group): void {
  const link = links([0, 1], [0, 2], [1, 2], [1, 3], [2, 4]);
  const campaign = of('pre-vote', 'pre-vote-reply', 'request-vote', 'vote');
  elect(group, 0, link);
  for (let round = 0; round < 10; round++) {
    group.propose([0, 1, 2], `Ann ${round}`);
    group.fire(3 + (round % 2), 'election');
    group.deliver(both(link, campaign));
    // Whoever leads hears of the later term before its entry is acknowledged.
    group.settle(link);
    if (![0, 1, 2].some((id) => group.leads(id))) elect(group, round % 3, both(link, campaign));
  }
  group.expectAnswers('after 10 leaders that were unseated by a server with one bad link');
}

/** The leader 3 reaches only 1, and only through 1 can 0 and 2 find a majority; 4 is down. */
function deafLeader(group: Group): void {
  elect(group, 3, everything);
  group.crash(4);
  const link = links([0, 1], [0, 2], [1, 2], [1, 3]);
  for (let round = 0; round < 20; round++) {
    group.wait(100_000);
    if (group.leads(3)) group.fire(3, 'heartbeat');
    group.settle(link);
    const isDue = (id: ReplicaId, timer: Raft['Timer']): boolean =>
      (group.due(id, timer)?.[1] ?? Number.POSITIVE_INFINITY) <= group.now;
    if (isDue(3, 'check-quorum')) group.fire(3, 'check-quorum');
    for (const id of [0, 1, 2]) {
      if (isDue(id, 'election')) group.fire(id, 'election');
      group.settle(link);
    }
    group.propose([0, 1, 2, 3], 'Ann');
    group.settle(link);
  }
  group.expectAnswers('after 2 s in which three servers could reach each other');
}

function emptyDisk(group: Group): void {
  elect(group, 0, everything);
  write(group, 0, 'Ann', among(0, 1));
  group.crash(1);
  group.restart(1, 'lost');
  // 1 hears everybody's answer and then no more of 0, which holds Ann.
  group.settle(of('rejoin', 'rejoin-reply'));
  elect(group, 2, among(1, 2));
  write(group, 2, 'Bob', among(1, 2));
}

/** Server 1 is elected, but its no-op does not get through before it is asked to read. */
function earlyRead(group: Group): void {
  elect(group, 0, everything);
  write(group, 0, 'Ann', among(0, 1));
  group.crash(0);
  const isEmpty: Which<Raft> = ({ message }) =>
    message.kind !== 'append-entries' || message.entries.length === 0;
  elect(group, 1, both(among(1, 2), isEmpty));
  group.read(1);
  group.settle(among(1, 2));
  beat(group, 1, among(1, 2), 3);
}

/** By the names of the mutants. */
export const exhibits: Readonly<Record<string, Exhibit<Raft, Options>>> = {
  ...exhibitsOfMembership,
  'figure-8': {
    options: { n: 5, maxEntriesPerAppend: 1, ...plain },
    shows: 'forked',
    selfAtOnce: true,
    story:
      'n0 leads again and shows an old entry to a third server; n4, of a later term, replaces it.',
    play: figure8,
  },
  'double-vote': {
    options: { n: 3, preVote: false },
    shows: 'forked',
    selfAtOnce: true,
    story: 'n1 votes for n0, crashes, and votes for n2 in the same term.',
    play: twoCandidates,
  },
  'commit-beyond-verified': {
    options: { n: 5, ...plain },
    shows: 'forked',
    selfAtOnce: true,
    story:
      'n4 holds Ann of a leader that is gone; the next one tells it that position 1 is committed.',
    play: staleTail,
  },
  'truncate-on-stale-append': {
    options: { n: 3 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'The append of Ann comes to n1 a second time, after Bob was committed behind her.',
    play: lateAppend,
  },
  'vote-by-length': {
    options: { n: 3, ...plain },
    shows: 'forked',
    selfAtOnce: true,
    story: 'n2 has three entries of term 1 that nobody else has; Ann is committed in term 2.',
    play(group) {
      elect(group, 2, both(links([1, 2]), of('request-vote', 'vote')));
      for (const text of ['Bob', 'Cleo']) write(group, 2, text, () => false);
      elect(group, 0, both(among(0, 1), of('request-vote', 'vote')));
      group.propose([0], 'Ann');
      // No longer than it takes: who knows what is committed would not let go of it.
      for (let i = 0; i < 4 && group.decided(0) < 2; i++) beat(group, 0, among(0, 1));
      group.crash(0);
      elect(group, 2, among(1, 2));
      beat(group, 2, among(1, 2), 3);
    },
  },
  'no-prevote': {
    options: { n: 5 },
    shows: 'stalled',
    selfAtOnce: true,
    story: 'n3 reaches only n1, n4 only n2; whoever of the others leads, one of them misses it.',
    play: oneBadLink,
  },
  'no-checkquorum': {
    options: { n: 5 },
    shows: 'stalled',
    selfAtOnce: true,
    story: 'The leader n3 reaches only n1, which stays loyal; n0, n1 and n2 could elect another.',
    play: deafLeader,
  },
  'rejoin-as-new': {
    options: { n: 3 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'n0 and n1 commit Ann; n1 loses its disk, and elects n2, which has not heard of her.',
    play: emptyDisk,
  },
  'readindex-without-noop': {
    options: { n: 3 },
    shows: 'stale-read',
    selfAtOnce: true,
    story: 'n0 commits Ann and is gone; n1 leads and reads before it knows that she is committed.',
    play: earlyRead,
  },
  'lease-forgotten': {
    options: { n: 3, reads: 'lease' },
    shows: 'stale-read',
    selfAtOnce: true,
    story:
      'n0 leads with a lease of n1, which is restarted and elects n2; a client asks n0 for a read.',
    play(group) {
      elect(group, 0, everything);
      write(group, 0, 'Ann', everything);
      // For an election timeout n2 hears nothing. n1 does, and after its restart it has to know.
      beat(group, 0, links([0, 1]), 11);
      group.restart(1);
      group.fire(2, 'election');
      group.settle(among(1, 2));
      write(group, 2, 'Bob', among(1, 2));
      group.read(0);
      group.settle(among(1, 2));
    },
  },
  'stale-leader-read': {
    options: { n: 3 },
    shows: 'stale-read',
    selfAtOnce: true,
    story: 'n0 is cut off while n1 leads and commits Bob; a client asks n0 for a read.',
    play(group) {
      elect(group, 0, everything);
      write(group, 0, 'Ann', everything);
      elect(group, 1, among(1, 2));
      write(group, 1, 'Bob', among(1, 2));
      group.read(0);
      group.settle(among(1, 2));
    },
  },
};
