/** The schedules of basic HotStuff: liars that take a block through some phases, and not all. */
import type { ReplicaId, Signed } from '@quorumlab/core';
import { genesisHash } from './blocks.ts';
import { type Block, Phase, type QuorumCertificate, type Timeout, type Vote } from './messages.ts';
import { certified, giveUp, hashOf, isA, leaves, type Staged, taken, withOwn } from './staging.ts';

/** Time enough for many timeouts. */
const long = 3e8;

/** What a liar proposes, and why it may. */
interface Proposed {
  readonly view: number;
  readonly text: string;
  readonly timeouts: readonly Signed<Timeout>[] | null;
}

/** The liar proposes a first block to `seats`, and gets the prepareQC. */
function prepared(
  group: Staged,
  self: ReplicaId,
  seats: readonly ReplicaId[],
  { view, text, timeouts }: Proposed,
): QuorumCertificate | undefined {
  const block: Block = {
    set: 1,
    view,
    height: 1,
    parent: genesisHash,
    batch: [group.request(text)],
  };
  group.say(self, seats, { kind: 'proposal', block, justify: null, timeouts });
  group.deliver(({ to, message }) => seats.includes(to) && message.kind === 'proposal');
  const name = hashOf(group, block);
  const vote = {
    kind: 'vote',
    phase: Phase.prepare,
    set: 1,
    view,
    block: name,
    justifyView: 0,
  } as const;
  return certified(group, self, vote);
}

/** The liar shows a certificate to `seats`, and gets that of the next phase. */
function shown(
  group: Staged,
  self: ReplicaId,
  seats: readonly ReplicaId[],
  justify: QuorumCertificate | undefined,
): QuorumCertificate | undefined {
  if (justify === undefined) return undefined;
  const phase = justify.body.phase ?? Phase.prepare;
  const kind = (['pre-commit', 'commit', 'decide'] as const)[phase] ?? 'decide';
  group.say(self, seats, { kind, justify });
  group.deliver(({ to, message }) => seats.includes(to) && message.kind === kind);
  const next: Vote = { ...justify.body, phase: phase + 1 };
  return phase === Phase.commit ? undefined : certified(group, self, next);
}

/** Replica 0 has Ann pre-committed, and nobody hears of it; replica 1 takes Bob to the end. */
export function undecided(group: Staged): void {
  group.betray(1);
  group.propose([0, 2, 3], 'Ann');
  for (const kind of ['proposal', 'vote', 'pre-commit', 'vote'] as const) group.deliver(isA(kind));
  group.lose();
  group.propose([2, 3], 'Bob');
  const timeouts = giveUp(group, [2, 3], 1);
  let justify = prepared(group, 1, [2, 3], { view: 4, text: 'Bob', timeouts });
  while (justify !== undefined) justify = shown(group, 1, [2, 3], justify);
}

/** Replica 3 alone is locked on Ann; when replica 0 leads again, it has Bob prepared. */
export function loneLock(group: Staged): void {
  group.betray(0);
  const honest = [1, 2, 3];
  group.propose(honest, 'Ann');
  const first = prepared(group, 0, honest, { view: 1, text: 'Ann', timeouts: null });
  shown(group, 0, [3], shown(group, 0, honest, first));
  group.lose();
  const timeouts = leaveUpTo(group, 15, honest);
  const second = prepared(group, 0, [1, 2], { view: 16, text: 'Bob', timeouts });
  shown(group, 0, honest, second);
  group.lose();
  group.run(long, () => group.answered > 0);
  group.expectAnswers('300 s after one replica was locked by a leader that lied');
}

/** All leave every view up to `last`; of what replica 3 says, timeouts only get through. */
function leaveUpTo(group: Staged, last: number, seats: readonly ReplicaId[]): Signed<Timeout>[] {
  for (;;) {
    for (const each of seats) leaves(group, each);
    const timeouts = taken(group, 0, 'timeout');
    const left = timeouts[0]?.view ?? last;
    if (left >= last) {
      group.lose();
      return withOwn(group, 0, timeouts, left);
    }
    group.settle(
      ({ from, to, message: { kind } }) =>
        seats.includes(to) && (kind === 'timeout' || (kind === 'new-view' && from !== 3)),
    );
    group.lose();
  }
}
