/** The schedules of the mutants that get chapter 4 of the thesis wrong, or what hangs on it. */
import type { Exhibit, ReplicaId, Stage, Which } from '@quorumlab/core';
import { type Change, encodeChange, encodeTransfer } from './configuration.ts';
import type { Options } from './group.ts';
import type { Raft } from './state.ts';

type Group = Stage<Raft>;

/** Messages between these servers only. */
const among =
  (...servers: readonly ReplicaId[]): Which<Raft> =>
  ({ from, to }) =>
    servers.includes(from) && servers.includes(to);

/** `id` tries to lead, heard by `servers`; again if its term is below that of others. */
function elect(group: Group, id: ReplicaId, ...servers: readonly ReplicaId[]): void {
  for (let i = 0; i < 4 && group.view(id).role !== 'leader'; i++) {
    group.timeout(id, 'election');
    group.settle(among(...servers));
  }
}

/** `id` is elected by `servers`, and nothing that it appends gets through. */
function electOnly(group: Group, id: ReplicaId, ...servers: readonly ReplicaId[]): void {
  const votes: Which<Raft> = ({ from, to, message }) =>
    among(...servers)({ from, to } as never) && !message.kind.startsWith('append');
  for (let i = 0; i < 4 && group.view(id).role !== 'leader'; i++) {
    group.timeout(id, 'election');
    group.settle(votes);
  }
}

function write(group: Group, id: ReplicaId, text: string, ...servers: readonly ReplicaId[]): void {
  group.propose([id], text);
  group.settle(among(...servers));
}

function beat(group: Group, id: ReplicaId, ...servers: readonly ReplicaId[]): void {
  group.timeout(id, 'heartbeat');
  group.settle(among(...servers));
}

/** A client asks `id` for another group; the request is on its way, nothing else. */
function change(group: Group, id: ReplicaId, what: string, wanted: Change): void {
  group.propose([id], `the group: ${what}`, { configuration: encodeChange(wanted) });
}

/** Ongaro's message of 2015: two changes of one voter each, by leaders that hear little. */
function twoChanges(group: Group): void {
  elect(group, 0, 0, 1, 2, 3, 4);
  change(group, 0, 'n4 learns', { learners: [4] });
  group.settle();
  for (let i = 0; i < 2; i++) beat(group, 0, 0, 1, 2, 3, 4);
  // n0 lets n4 vote, and only n4 hears of it.
  change(group, 0, 'n4 votes', { voters: [4] });
  group.settle(among(0, 4));
  // n1 is elected by the four and removes n0, before anything of its own term is committed.
  electOnly(group, 1, 1, 2, 3);
  change(group, 1, 'without n0', { leaving: [0] });
  group.settle(among(1, 2));
  for (let i = 0; i < 2; i++) beat(group, 1, 1, 2);
  write(group, 1, 'Ann', 1, 2);
  beat(group, 1, 1, 2);
  // n0 hears of the later term only, and leads by the votes of n3 and n4.
  if (group.view(0).role === 'leader') {
    group.timeout(0, 'check-quorum');
    group.lose();
  }
  elect(group, 0, 0, 3, 4);
  write(group, 0, 'Bob', 0, 3, 4);
  for (let i = 0; i < 3; i++) beat(group, 0, 0, 3, 4);
}

/** From {0,1,2} to {2,3,4}: n2 leads, and reaches only those that come. */
function unionOfGroups(group: Group): void {
  elect(group, 2, 0, 1, 2);
  change(group, 2, 'n3 and n4 learn', { learners: [3, 4] });
  group.settle();
  for (let i = 0; i < 2; i++) beat(group, 2, 0, 1, 2, 3, 4);
  change(group, 2, 'n2, n3, n4', { voters: [2, 3, 4], leaving: [0, 1], how: 'joint' });
  group.settle(among(2, 3, 4));
  for (let i = 0; i < 3; i++) beat(group, 2, 2, 3, 4);
  write(group, 2, 'Ann', 2, 3, 4);
  beat(group, 2, 2, 3, 4);
  // The others know nothing of that, and are a majority of the group that they know.
  elect(group, 0, 0, 1);
  write(group, 0, 'Bob', 0, 1);
  for (let i = 0; i < 2; i++) beat(group, 0, 0, 1);
}

/** n3 and n4 are let in; n1 has both changes in its log and does not know them to be committed. */
function olderGroup(group: Group): void {
  elect(group, 0, 0, 1, 2, 3, 4);
  change(group, 0, 'n3 and n4 learn', { learners: [3, 4] });
  group.settle();
  for (let i = 0; i < 2; i++) beat(group, 0, 0, 1, 2, 3, 4);
  change(group, 0, 'n3 votes', { voters: [3] });
  group.settle(among(0, 1, 3, 4));
  change(group, 0, 'n4 votes', { voters: [4] });
  group.settle(among(0, 1, 3, 4));
  write(group, 0, 'Ann', 0, 3, 4);
  for (let i = 0; i < 2; i++) beat(group, 0, 0, 3, 4);
  group.crash(0);
  group.restart(1);
  elect(group, 1, 1, 2);
  write(group, 1, 'Bob', 1, 2);
  for (let i = 0; i < 2; i++) beat(group, 1, 1, 2);
}

/** n3 was removed and does not hear of it; it campaigns as often as it likes. */
function removedServer(group: Group): void {
  elect(group, 0, 0, 1, 2, 3);
  group.propose([0], 'the group: without n3', { configuration: encodeChange({ leaving: [3] }) });
  group.settle(among(0, 1, 2));
  const others = among(0, 1, 2);
  group.wait(700_000);
  beat(group, 0, 0, 1, 2);
  for (let round = 0; round < 10; round++) {
    group.propose([0, 1, 2], `Ann ${round}`);
    group.fire(3, 'election');
    group.deliver(({ message }) => /vote/.test(message.kind));
    group.settle(others);
    if ([0, 1, 2].some((id) => group.leads(id))) continue;
    group.timeout(round % 3, 'election');
    group.deliver((flight) => others(flight) && /vote/.test(flight.message.kind));
  }
  group.expectAnswers('after 10 campaigns of a server that is in the group no more');
}

/** n2 does not get the log, and is to lead nevertheless. */
function blindSuccessor(group: Group): void {
  elect(group, 0, 0, 1, 2);
  write(group, 0, 'Ann', 0, 1);
  group.propose([0], 'n2 leads', { configuration: encodeTransfer(2) });
  const isLog: Which<Raft> = ({ to, message }) => to === 2 && message.kind === 'append-entries';
  group.settle((flight) => !isLog(flight));
  group.expect(
    group.leads(0),
    'liveness',
    'n0 led and was heard by all; it was unseated by a server that cannot be elected',
  );
}

/** n0 has a lease when it hands over to n1, and is cut off from then on. */
function leaseKept(group: Group): void {
  elect(group, 0, 0, 1, 2);
  write(group, 0, 'Ann', 0, 1, 2);
  beat(group, 0, 0, 1, 2);
  group.propose([0], 'n1 leads', { configuration: encodeTransfer(1) });
  group.deliver(({ message }) => message.kind === 'timeout-now');
  group.settle(among(1, 2));
  write(group, 1, 'Bob', 1, 2);
  group.read(0);
  group.settle(among(1, 2));
}

/** n1 reads for its clients when n0, which it follows, leads no more. */
function followerAlone(group: Group): void {
  elect(group, 0, 0, 1, 2);
  write(group, 0, 'Ann', 0, 1, 2);
  elect(group, 2, 0, 2);
  write(group, 2, 'Bob', 0, 2);
  beat(group, 2, 0, 2);
  group.read(1);
  group.settle(among(1));
}

/** n2 sleeps until it needs a snapshot that is later than the change; then it counts as before. */
function oldGroup(group: Group): void {
  elect(group, 0, 0, 1, 2);
  change(group, 0, 'n3 votes', { voters: [3] });
  group.settle(among(0, 1, 3));
  change(group, 0, 'n4 votes', { voters: [4] });
  group.settle(among(0, 1, 3, 4));
  for (let i = 0; i < 6; i++) {
    group.wait(400_000);
    beat(group, 0, 0, 1, 3, 4);
    write(group, 0, `Ann ${i}`, 0, 1, 3, 4);
  }
  for (const _ of [1, 2]) beat(group, 0, 0, 1, 2, 3, 4);
  group.install(2);
  group.settle(among(0, 2));
  write(group, 0, 'Bob', 0, 3, 4);
  beat(group, 0, 0, 3, 4);
  group.crash(0);
  elect(group, 2, 1, 2);
  write(group, 2, 'Cleo', 1, 2);
  beat(group, 2, 1, 2);
}

const spare: Options = { n: 5, initialMembers: [0, 1, 2], preVote: false, checkQuorum: false };

/** By the names of the mutants. */
export const exhibitsOfMembership: Readonly<Record<string, Exhibit<Raft, Options>>> = {
  'single-change-2015': {
    options: { ...spare, initialMembers: [0, 1, 2, 3] },
    shows: 'forked',
    selfAtOnce: true,
    story: 'n0 lets n4 in, n1 of a later term removes n0; neither majority has heard of the other.',
    play: twoChanges,
  },
  'joint-union-majority': {
    options: spare,
    shows: 'forked',
    selfAtOnce: true,
    story: 'n2, n3 and n4 are three of all five; n0 and n1 are two of the three that they know of.',
    play: unionOfGroups,
  },
  'joint-new-majority': {
    options: spare,
    shows: 'forked',
    selfAtOnce: true,
    story: 'C_old,new is taken for committed by n2, n3 and n4; n0 and n1 elect by the old group.',
    play: unionOfGroups,
  },
  'change-at-commit': {
    options: spare,
    shows: 'forked',
    selfAtOnce: true,
    story: 'n1 has both changes in its log, and leads by the group of before them.',
    play: olderGroup,
  },
  'removed-disrupts': {
    options: { n: 4 },
    shows: 'stalled',
    selfAtOnce: true,
    story: 'n3 was removed and does not know; its ever higher terms unseat each leader.',
    play: removedServer,
  },
  'timeout-now-unchecked': {
    options: { n: 3 },
    shows: 'stalled',
    selfAtOnce: true,
    story: 'n2 lacks an entry, is told to lead, unseats n0, and can win no vote.',
    play: blindSuccessor,
  },
  'lease-survives-transfer': {
    options: { n: 3, reads: 'lease' },
    shows: 'stale-read',
    selfAtOnce: true,
    story: 'n0 hands over to n1 while its lease lasts, and a client asks it for a read.',
    play: leaseKept,
  },
  'follower-reads-alone': {
    options: { n: 3 },
    shows: 'stale-read',
    selfAtOnce: true,
    story: 'n1 hears of no leader but n0, which leads no more, and answers a read by itself.',
    play: followerAlone,
  },
  'snapshot-without-configuration': {
    options: { ...spare, snapshotEvery: 4, keepEntries: 0 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'n2 gets a snapshot of the group of five, and is elected as by the group of three.',
    play: oldGroup,
  },
};
