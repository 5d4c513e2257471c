/** The schedules that expose the mutants: the right protocol survives each of them. */
import type { Exhibit, ReplicaId, Stage, Which } from '@quorumlab/core';
import type { Options } from './group.ts';
import type { Zab } from './state.ts';

type Group = Stage<Zab>;

/** Messages between these replicas only. */
const among =
  (...replicas: readonly ReplicaId[]): Which<Zab> =>
  ({ from, to }) =>
    replicas.includes(from) && replicas.includes(to);

const of =
  (...kinds: readonly Zab['Message']['kind'][]): Which<Zab> =>
  ({ message }) =>
    kinds.includes(message.kind);

const both =
  (one: Which<Zab>, two: Which<Zab>): Which<Zab> =>
  (flight) =>
    one(flight) && two(flight);

const not =
  (one: Which<Zab>): Which<Zab> =>
  (flight) =>
    !one(flight);

const everything: Which<Zab> = () => true;
const nothing: Which<Zab> = () => false;
const all = [0, 1, 2] as const;

/**
 * `members` start again, out of sight of all others. The one of them with the best history becomes
 * their prospective leader, and as much of phases 1 and 2 as `which` lets pass happens.
 */
function convene(
  group: Group,
  members: readonly ReplicaId[],
  which: Which<Zab> = everything,
): void {
  for (const id of members) {
    group.crash(id);
    group.restart(id);
  }
  const inside = among(...members);
  for (const id of members) group.timeout(id, 'election');
  group.settle(both(inside, of('notification')));
  for (const id of members) if (group.due(id, 'grace') !== undefined) group.fire(id, 'grace');
  for (const id of members) if (group.due(id, 'join') !== undefined) group.fire(id, 'join');
  group.settle(both(inside, which));
}

/** `id` starts again among replicas that have a leader, over what `which` lets pass. */
function joins(group: Group, id: ReplicaId, which: Which<Zab>): void {
  group.crash(id);
  group.restart(id);
  group.timeout(id, 'election');
  group.deliver(which);
}

/** A client asks whoever leads among `members` for `text`, and what they say arrives. */
function write(
  group: Group,
  members: readonly ReplicaId[],
  text: string,
  which: Which<Zab> = among(...members),
): void {
  group.propose(members, text);
  group.settle(which);
}

/** Whoever leads among `members` says how much is committed, and sends what is missing. */
function beat(group: Group, members: readonly ReplicaId[], times = 1): void {
  for (let i = 0; i < times; i++) {
    for (const id of members) if (group.view(id).role === 'leading') group.fire(id, 'ping');
    group.settle(among(...members));
  }
}

function halfSynced(group: Group): void {
  convene(group, all);
  for (const text of ['Ann', 'Bob', 'Cleo']) write(group, [0, 1], text);
  convene(group, [0, 2], not(of('newleader')));
  group.crash(0);
  convene(group, [1, 2]);
  write(group, [1, 2], 'Dan');
  beat(group, [1, 2], 2);
}

function longTail(group: Group): void {
  convene(group, all);
  write(group, all, 'Ann');
  for (const text of ['Bob', 'Cleo']) write(group, [0], text, nothing);
  convene(group, [1, 2]);
  write(group, [1, 2], 'Dan');
  group.crash(1);
  convene(group, [0, 2]);
  beat(group, [0, 2], 2);
}

/** Raft's Figure 8 with epochs in place of terms. */
function establishedWithout(group: Group): void {
  convene(group, all);
  write(group, [0], 'Ann', nothing);
  convene(group, [1, 2]);
  write(group, [1], 'Bob', nothing);
  convene(group, [0, 2]);
  beat(group, [0, 2]);
  group.crash(0);
  convene(group, [1, 2]);
  beat(group, [1, 2], 2);
}

function lateJoiner(group: Group): void {
  convene(group, [0, 1]);
  write(group, [0, 1], 'Ann');
  joins(group, 2, not(of('newleader')));
  group.propose([0], 'Bob');
  // NEWLEADER was sent before Bob was proposed, and is acknowledged before Bob is.
  group.deliver(of('newleader', 'ack-ld', 'commit-ld'));
  group.settle();
  write(group, all, 'Cleo');
  beat(group, all, 3);
}

function overtaken(group: Group): void {
  convene(group, all);
  group.propose([0], 'Ann');
  const late = group.hold(({ to }) => to === 1);
  group.propose([0], 'Bob');
  group.deliver(among(0, 1));
  group.release(late);
  group.settle();
  beat(group, all, 2);
}

function countedOneByOne(group: Group): void {
  const five = [0, 1, 2, 3, 4];
  convene(group, five);
  for (const text of ['Ann', 'Bob']) write(group, [0], text, nothing);
  // 1 makes epoch 2 its own; nobody hears NEWLEADER.
  convene(group, [1, 2, 3], of('cepoch', 'newepoch', 'ack-e'));
  // 0 shows Ann to 4 and 3, and nobody hears NEWLEADER.
  convene(group, [0, 3, 4], not(of('newleader')));
  group.crash(0);
  convene(group, [1, 2, 4]);
  write(group, [1, 2, 4], 'Cleo');
  beat(group, [1, 2, 4], 2);
}

function unwritten(group: Group): void {
  convene(group, all);
  write(group, [0, 1], 'Ann');
  group.crash(1);
  convene(group, [0, 2]);
  write(group, [0, 2], 'Bob');
  beat(group, [0, 2], 2);
}

function cutAndBack(group: Group): void {
  convene(group, all);
  for (const text of ['Ann', 'Bob']) write(group, [0], text, nothing);
  convene(group, [1, 2]);
  write(group, [1, 2], 'Cleo');
  joins(group, 0, everything);
  beat(group, all, 2);
  joins(group, 0, everything);
  write(group, [1, 2], 'Dan');
  beat(group, all, 3);
}

function cutOff(group: Group): void {
  convene(group, all);
  write(group, all, 'Ann');
  convene(group, [1, 2]);
  write(group, [1, 2], 'Bob');
  group.read(0);
  group.settle(among(1, 2));
}

/** 0 leads, with the observer 3 on its side; then 1 and 2 have another leader. */
function cutOffWithObserver(group: Group): void {
  convene(group, all);
  joins(group, 3, everything);
  write(group, [0, 1, 2, 3], 'Ann');
  beat(group, [0, 1, 2, 3]);
  convene(group, [1, 2]);
  write(group, [1, 2], 'Bob');
  group.read(3);
  group.settle(among(0, 3));
  beat(group, [0, 3], 2);
}

/** What 0 proposes to nobody but the observer 3 is lost with it; 1 and 2 go on without. */
function proposalSeen(group: Group): void {
  convene(group, all);
  joins(group, 3, everything);
  beat(group, [0, 1, 2, 3]);
  write(group, [0], 'Ann', among(0, 3));
  group.crash(0);
  convene(group, [1, 2]);
  write(group, [1, 2], 'Bob');
  joins(group, 3, among(1, 2, 3));
  beat(group, [1, 2, 3], 2);
}

function emptyDisk(group: Group): void {
  convene(group, all);
  write(group, [0, 1], 'Ann');
  group.crash(1);
  group.restart(1, 'lost');
  // 1 hears everybody's answer and then no more of 0, which holds Ann.
  group.settle(of('rejoin', 'rejoin-reply'));
  group.crash(0);
  convene(group, [1, 2]);
  write(group, [1, 2], 'Bob');
}

/** By the names of the mutants. */
export const exhibits: Readonly<Record<string, Exhibit<Zab, Options>>> = {
  'epoch-before-history': {
    options: { n: 3, maxPerMessage: 1 },
    shows: 'forked',
    selfAtOnce: true,
    story:
      'n2 crashes in the middle of its synchronization, without Cleo; n1 has her, of an older ' +
      'epoch.',
    play: halfSynced,
  },
  'longest-history': {
    options: { n: 3 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'n0 has three transactions, two of which nobody else has; Dan is committed in epoch 2.',
    play: longTail,
  },
  'zxid-alone': {
    options: { n: 3 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'Epoch 3 is established with Ann of epoch 1; then n1 leads, which has Bob of epoch 2.',
    play: establishedWithout,
  },
  'join-hole': {
    options: { n: 3 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'n0 proposes Bob while its NEWLEADER is under way to n2, which never hears of him.',
    play: lateJoiner,
  },
  'fifo-assumed': {
    options: { n: 3 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'n0 proposes Ann and Bob, and Bob comes to n1 first.',
    play: overtaken,
  },
  'old-epoch-commit': {
    options: { n: 5, maxPerMessage: 1 },
    shows: 'forked',
    selfAtOnce: true,
    story:
      'n0 counts three that have Ann before its epoch is that of any other; n1 has a later one.',
    play: countedOneByOne,
  },
  'counts-before-fsync': {
    options: { n: 3 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'n0 commits Ann with n1 before she is on its own disk, and crashes; then n1 is gone.',
    play: unwritten,
  },
  'uncut-log': {
    options: { n: 3 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'Bob is cut off the history of n0, which starts again and has him still.',
    play: cutAndBack,
  },
  'stale-leader-read': {
    options: { n: 3 },
    shows: 'stale-read',
    selfAtOnce: true,
    story: 'n0 is cut off while n1 leads and commits Bob; a client asks n0 for a read.',
    play: cutOff,
  },
  'unconfirmed-sync': {
    options: { n: 4, f: 1, observers: 1, followerReads: true },
    shows: 'stale-read',
    selfAtOnce: true,
    story: 'n1 and n2 have a new leader; n3, an observer that still hears n0, reads without Bob.',
    play: cutOffWithObserver,
  },
  'informs-early': {
    options: { n: 4, f: 1, observers: 1 },
    shows: 'forked',
    selfAtOnce: true,
    story: 'n0 proposes Ann, and only the observer n3 hears of it; n1 and n2 commit Bob.',
    play: proposalSeen,
  },
  'rejoin-as-new': {
    options: { n: 3 },
    shows: 'forked',
    selfAtOnce: true,
    story:
      'n1 and n0 commit Ann; n1 loses its disk, and helps n2 to lead, which has not heard of her.',
    play: emptyDisk,
  },
};
