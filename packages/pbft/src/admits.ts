/**
 * What a replica could make something of now: the first lines of the handlers, asked before the
 * signatures are checked. Whatever is refused here its handler would have ignored.
 */
import {
  acceptable,
  type Expectations,
  type Guards,
  hasNews,
  patientGuards,
  type Signed,
  type Tally,
} from '@quorumlab/core';
import { batchAt } from './batches.ts';
import { isNextEpoch, isShown } from './checkpoint.ts';
import { type Group, isMember } from './group.ts';
import { macGuards } from './mac-guards.ts';
import type { Checkpoint, Commit, PrePrepare, Prepare } from './messages.ts';
import { isWhole, validViewChange } from './new-view.ts';
import { isOfPrimary } from './normal-case.ts';
import { mayLearn } from './proofs.ts';
import { isMissing, mayAnswer } from './recovery.ts';
import { epochOf, isCurrent, type Pbft, type Replica } from './state.ts';
import { isVoter, primaryOf, quorumOf, signedByQuorum } from './votes.ts';
import { betweenWatermarks, lowWatermark } from './watermarks.ts';

/**
 * The guards of a group. Until a quorum has been heard, whoever says anything good counts: see
 * `patience.ts`.
 */
export const guards = (group: Group): Guards<Pbft> =>
  patientGuards<Pbft>(guardsOfHandlers(group), (replica, from) => isUnheard(group, replica, from));

/**
 * What could be of use whatever is in it. A pre-prepare of a later view may be kept, and the batch
 * of a `committed` may be missing here without being asked for: those have to be read.
 */
export const expectations = (group: Group): Expectations<Pbft> => ({
  relay: (replica, from, self) =>
    isUnheard(group, replica, from) || primaryOf(replica, replica.view) === self,
  batch: (replica, from) => isUnheard(group, replica, from) || replica.wanted.size > 0,
  proofs: (replica, from) =>
    isUnheard(group, replica, from) || replica.asked.size > 0 || replica.unproven !== null,
});

/** Whether anything good that `from` says counts: that it is there. */
const isUnheard = (group: Group, replica: Replica, from: number): boolean =>
  replica.heard.size < quorumOf(group, replica) &&
  !replica.heard.has(from) &&
  isVoter(group, replica, from);

const guardsOfHandlers = (group: Group): Guards<Pbft> => ({
  'pre-prepare': (replica, message, { self }) =>
    message.from !== self && isOfPrimary(replica, message) && isOrderable(group, replica, message),
  prepare: (replica, message) =>
    message.from !== primaryOf(replica, message.view) || !isCurrent(replica, message)
      ? isCountable(group, replica, message, 'prepares')
      : false,
  commit: (replica, message) => isCountable(group, replica, message, 'commits'),
  checkpoint: (replica, message) =>
    message.sequence % group.checkpointEvery === 0 &&
    message.sequence > lowWatermark(replica) &&
    !replica.checkpointVotes.get(message.from)?.some((each) => isSame(each, message)),
  'view-change': (replica, message) =>
    isAhead(replica, message) &&
    (replica.viewChanges.get(message.from)?.view ?? -1) < message.view &&
    validViewChange(group, replica, message),
  'new-view': (replica, message, { self }) =>
    message.from === primaryOf(replica, message.view) &&
    message.from !== self &&
    message.view > 0 &&
    isAhead(replica, message) &&
    replica.unproven?.view !== message.view &&
    // In the view that it waits for, a replica takes one that is no good as a reason to go on.
    (message.view === replica.view || isWhole(group, replica, message)),
  relay: (replica, { requests }, { self }) =>
    primaryOf(replica, replica.view) === self && acceptable(requests) && hasNews(replica, requests),
  status: (replica, message, { self, now }) =>
    message.from !== self && mayAnswer(group, replica, message, now),
  committed: (replica, { commit, batch }) =>
    isMissing(group, replica, commit.body.sequence) &&
    signedByQuorum(group, replica, commit) &&
    acceptable(batch),
  'stable-checkpoint': (replica, message, asked) =>
    message.checkpoint.body.sequence > lowWatermark(replica) &&
    isShown(group, replica, message, asked),
  // Each one is judged by the one before it, so only the first of them can be looked at here.
  epochs: (replica, { handovers }, asked) =>
    handovers.some((each) => isNextEpoch(group, replica, each, asked)),
  'fetch-batch': (replica, { from }, { self }) =>
    from !== self && (replica.answered.get(from)?.bodies ?? 0) < group.window,
  batch: (replica, { batch }, { digest }) =>
    replica.wanted.size > 0 &&
    acceptable(batch) &&
    replica.wanted.has(digest(group.schemas.content, batch)),
  'fetch-proofs': (replica, { from }, { self }) =>
    from !== self && (replica.answered.get(from)?.proofs ?? 0) <= 4 * group.window,
  proofs: (replica, message) => mayLearn(group, replica, message) || replica.unproven !== null,
  ...(group.mac ? macGuards(group) : {}),
});

/** Whether both name one state and one group after one number; two that differ are a lie. */
const isSame = (one: Checkpoint, other: Checkpoint): boolean =>
  one.sequence === other.sequence &&
  one.epoch === other.epoch &&
  one.digest === other.digest &&
  one.group === other.group;

/** Whether the view has not begun here. */
const isAhead = (
  replica: Replica,
  { epoch, view }: { readonly epoch: number; readonly view: number },
): boolean =>
  epoch === epochOf(replica).number &&
  (view > replica.view || (view === replica.view && !replica.active));

/** Whether it is of this view and between the watermarks, or may be kept until it is. */
function isTimely(
  group: Group,
  replica: Replica,
  { from, epoch, view, sequence }: Signed<PrePrepare | Prepare | Commit>,
): boolean {
  const current = epochOf(replica).number;
  if (epoch < current || !isMember(group, from)) return false;
  if (epoch === current && (view < replica.view || !isVoter(group, replica, from))) return false;
  // Above the high watermark it shows at least that others are ahead.
  return sequence > lowWatermark(replica) || betweenWatermarks(group, replica, sequence);
}

/** A pre-prepare: a second one for its number counts if it is another one. */
function isOrderable(group: Group, replica: Replica, message: Signed<PrePrepare>): boolean {
  if (!isTimely(group, replica, message)) return false;
  if (!isCurrent(replica, message)) return true;
  const logged = replica.prePrepares.get(message.sequence);
  const repeated =
    logged?.view === message.view &&
    logged.digest === message.digest &&
    batchAt(replica, message.sequence) !== null;
  return !repeated || group.rules.acceptsSecondPrePrepare;
}

/** A vote that is not counted yet, about something that still needs it. */
function isCountable(
  group: Group,
  replica: Replica,
  message: Signed<Prepare | Commit>,
  name: 'prepares' | 'commits',
): boolean {
  if (!isTimely(group, replica, message)) return false;
  const { sequence, from, digest } = message;
  if (!isCurrent(replica, message)) return true;
  const isPrepared = replica.prepared.get(sequence)?.proof.body.view === replica.view;
  if (replica.committed.has(sequence) && isPrepared) return false;
  const tally: Tally<Signed<Prepare | Commit>> | undefined = replica.progress.get(sequence)?.[name];
  return tally?.votes.get(from)?.digest !== digest;
}
