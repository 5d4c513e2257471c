/** The schedules that expose the mutants of view changes with MACs: see `exhibits.ts`. */
import type { Digest, Exhibit } from '@quorumlab/core';
import type { Options } from './group.ts';
import type { MacViewChange } from './mac-messages.ts';
import { schemas } from './messages.ts';
import { leaveWithBob, type Staged, to, votes } from './schedules.ts';
import type { Pbft } from './state.ts';

const { macViewChange } = schemas({ n: 4, window: 256, maxBatch: 256, mac: true });
const reportDigest = (group: Staged, report: MacViewChange): Digest =>
  group.digest(macViewChange, report);

const nothing: Omit<MacViewChange, 'view'> = {
  kind: 'mac-view-change',
  low: 0,
  checkpoints: [],
  prepared: [],
  prePrepared: [],
};

/**
 * The liar's authenticator is right for the primary of each view alone: that one gets its
 * view-change, first of all, and nobody else can be shown it.
 */
function partialAuthenticators(group: Staged): void {
  group.betray(0);
  group.propose([1, 2, 3], 'Ann');
  for (let view = 1; view <= 7; view++) {
    const primary = view % 4;
    if (primary !== 0) group.say(0, [primary], { ...nothing, view });
    const left = (): boolean => [1, 2, 3].some((self) => group.view(self).view > view);
    group.run(90_000_000, () => group.answered === 1 || left());
  }
  group.expectAnswers('after seven views whose primaries heard of one view-change alone');
}

/** n3 claims that Bob was prepared in view 1, of which nobody else has heard. */
function claimInP(group: Staged): void {
  const { batch, digest } = leaveWithBob(group);
  const prepared = [{ view: 1, sequence: 1, digest }];
  // Two want view 1, which is too few for it to begin; with the liar three want a later one.
  group.say(3, [1, 2], { ...nothing, view: 2, prepared });
  group.run(20_000_000, () => group.view(1).view >= 2 && group.view(2).view >= 2);
  const other = group.view(1).viewChange;
  if (other?.kind !== 'mac-view-change') return;
  group.say(3, [2], {
    kind: 'view-change-ack',
    view: 2,
    of: 1,
    digest: reportDigest(group, other),
  });
  for (let i = 0; i < 3; i++) {
    group.deliver(to(1, 2));
    group.say(3, [2], { kind: 'batch', sequence: 1, batch });
    if (i === 1) votes(group, 3, [1, 2], 2, digest);
  }
}

const four = { n: 4, f: 1, authentication: 'mac' } as const;

/** By the names of the mutants. */
export const macExhibits: Readonly<Record<string, Exhibit<Pbft, Options>>> = {
  'new-view-without-acks': {
    options: four,
    shows: 'stalled',
    story: 'The authenticators of the liar n0 are right for one replica alone, the next primary.',
    play: partialAuthenticators,
  },
  'decide-without-A2': {
    options: four,
    shows: 'forked',
    story: 'n0 executes Ann and is gone; n3 claims that Bob was prepared in view 1.',
    play: claimInP,
  },
};
