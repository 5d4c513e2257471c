/**
 * The schedules that expose the mutants: the right protocol survives each of them. Leaders follow
 * from the digests of epochs, so each schedule looks for epochs that one liar leads, and lets all
 * others pass in vain. Slots start at 0.
 */
import type { Exhibit, ReplicaId } from '@quorumlab/core';
import type { Options } from './group.ts';
import {
  among,
  blockOn,
  honestIn,
  lead,
  leader,
  pass,
  runOf,
  type Staged,
  skipTo,
  toSome,
  votesFor,
} from './schedules.ts';
import { maxEpochsAhead, maxEpochsBehind, type Streamlet } from './state.ts';

/** The digest function is the host's. */
type Told = Omit<Options, 'digest'>;

const four = { options: { n: 4, f: 1 }, selfAtOnce: true } as const;

/**
 * Blocks on one path and blocks on another are equally long: with the liar's vote for b2 the first
 * honest replica sees two adjacent ones, and later two others see two adjacent ones on x.
 */
function twoPaths(group: Staged): void {
  // The liar leads one epoch, then two, and then two again.
  const pair = runOf(group, 2, 1, (liar, first) => leadsBefore(group, liar, first) > 0);
  const { liar, first } = pair;
  const again = runOf(group, 2, first + 1, (other) => other === liar);
  const [a, b, c] = honestIn(group, liar) as [ReplicaId, ReplicaId, ReplicaId];
  const before = leadsBefore(group, liar, first);
  group.betray(liar);
  group.propose([a, b, c], 'Eve');
  group.lose();
  skipTo(group, [a, b, c], liar, before);
  const x = blockOn(group, before, null, 'Ann');
  lead(group, liar, [a, c], x, null, []);
  const withheld = votesFor(group, liar, x);
  group.lose();
  skipTo(group, [a, b, c], liar, first);
  const b1 = blockOn(group, first, null, 'Bob');
  lead(group, liar, [a, b], b1);
  const b2 = blockOn(group, first + 1, b1);
  lead(group, liar, [a, b], b2, null, [a]);
  group.crash(a);
  group.lose();
  skipTo(group, [b, c], liar, again.first);
  const y = blockOn(group, again.first, x);
  lead(group, liar, [b, c], y, withheld);
  lead(group, liar, [b, c], blockOn(group, again.first + 1, y));
}

/** The last epoch before `first` that `liar` leads; 0: none. */
function leadsBefore(group: Staged, liar: ReplicaId, first: number): number {
  // Not the one just before: something must lie between.
  for (let epoch = first - 2; epoch > 0; epoch--) if (leader(group, epoch) === liar) return epoch;
  return 0;
}

/** Three blocks are notarized, the last one in front of one alone; then a liar leads thrice. */
function shorterChain(group: Staged, between: (seats: readonly ReplicaId[]) => void): void {
  const { liar, first } = runOf(group, 3, 4, (each, at) => honestRun(group, each, at) > 0);
  const start = honestRun(group, liar, first);
  const honest = honestIn(group, liar);
  const [gone, ...rest] = honest as [ReplicaId, ReplicaId, ReplicaId];
  group.betray(liar);
  group.propose(honest, 'Ann');
  group.lose(among(honest, 'relay'));
  skipTo(group, honest, liar, start);
  pass(group, honest);
  pass(group, honest);
  pass(group, honest, [gone]);
  group.crash(gone);
  group.lose();
  between(rest);
  group.propose(rest, 'Eve');
  group.lose();
  skipTo(group, rest, liar, first);
  const y = blockOn(group, first, null, 'Bob');
  const z = blockOn(group, first + 1, y);
  for (const block of [y, z, blockOn(group, first + 2, z)]) lead(group, liar, rest, block);
}

/** The first of three epochs before `end` that `liar` does not lead; 0: there are none. */
function honestRun(group: Staged, liar: ReplicaId, end: number): number {
  for (let first = end - 4; first > 0; first--)
    if ([0, 1, 2].every((i) => leader(group, first + i) !== liar)) return first;
  return 0;
}

/** n = 5: in two epochs of its own a liar shows each half another block, and votes for both. */
function twoHalves(group: Staged): void {
  const isAfterHonest = (liar: ReplicaId, first: number): boolean =>
    leader(group, first - 1) !== liar;
  const { liar, first } = runOf(group, 2, 2, isAfterHonest);
  const honest = honestIn(group, liar);
  group.betray(liar);
  group.propose(honest, 'Eve');
  group.lose(among(honest, 'relay'));
  skipTo(group, honest, liar, first - 1);
  pass(group, honest);
  const common = group.view(honest[0] as ReplicaId).blocks.get(first - 1)?.block ?? null;
  group.lose();
  for (const [text, half] of [
    ['Ann', honest.slice(0, 2)],
    ['Bob', honest.slice(2)],
  ] as const) {
    const block = blockOn(group, first, common, text);
    lead(group, liar, half, block);
    lead(group, liar, half, blockOn(group, first + 1, block));
  }
}

/** By the names of the mutants. */
export const exhibits: Readonly<Record<string, Exhibit<Streamlet, Told>>> = {
  'two-block-finality': {
    ...four,
    shows: 'forked',
    story: 'A liar shows one path to one replica, and another one, as long, to two.',
    play: twoPaths,
  },
  'any-notarized': {
    ...four,
    shows: 'forked',
    story: 'One decides Ann and is gone; a liar begins a new chain from genesis, with Bob.',
    play: (group) => shorterChain(group, () => undefined),
  },
  'chain-amnesia': {
    ...four,
    shows: 'forked',
    story: 'One decides Ann and is gone; the others crash, and a liar begins a new chain with Bob.',
    play: (group) =>
      shorterChain(group, (seats) => {
        for (const self of seats) group.restart(self);
        group.lose();
      }),
  },
  'vote-amnesia': {
    ...four,
    shows: 'invalid',
    story: 'A liar proposes twice in its epoch; one votes for both, and crashes in between.',
    play(group) {
      const { liar, first } = runOf(group, 1, 2, () => true);
      const honest = honestIn(group, liar);
      const [voter] = honest as [ReplicaId];
      group.betray(liar);
      group.propose(honest, 'Eve');
      group.lose();
      skipTo(group, honest, liar, first - 1);
      // Its epoch begins by a notarized block, which no crash takes away.
      pass(group, honest);
      if (leader(group, first - 1) === liar)
        lead(group, liar, honest, blockOn(group, first - 1, null));
      const parent = group.view(voter).blocks.get(first - 1)?.block ?? null;
      group.lose();
      const said = new Set<string>();
      for (const text of ['Ann', 'Bob']) {
        group.say(liar, [voter], {
          kind: 'proposal',
          block: blockOn(group, first, parent, text),
          notarization: null,
        });
        group.deliver(toSome([voter], 'proposal'));
        for (const { message } of group.hold(({ from }) => from === voter))
          if (message.kind === 'vote' && message.epoch === first) said.add(message.id);
        group.restart(voter);
        group.lose();
      }
      group.expect(
        said.size === 1,
        'one vote an epoch',
        `n${voter} has voted for ${said.size} blocks in epoch ${first}: it is convicted as a liar`,
      );
    },
  },
  'quorum-2f+1': {
    options: { n: 5, f: 1 },
    selfAtOnce: true,
    shows: 'forked',
    story: 'A liar proposes Ann to two and Bob to two, and votes for both, in two epochs.',
    play: twoHalves,
  },
  'no-future-bound': {
    ...four,
    shows: 'invalid',
    story: 'n3 votes in a thousand epochs that have not begun.',
    play(group) {
      group.betray(3);
      for (let epoch = 1; epoch <= 1000; epoch++)
        group.say(3, [0], { kind: 'vote', epoch, height: 1, id: '1'.repeat(64) });
      group.deliver();
      const kept = group.view(0).heard.size;
      group.expect(
        kept <= maxEpochsAhead + maxEpochsBehind + 1,
        'bounded',
        `n0 keeps votes of ${kept} epochs for one liar`,
      );
    },
  },
};
