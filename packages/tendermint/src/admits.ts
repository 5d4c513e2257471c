/**
 * What a replica could make something of now: the first lines of the handlers, asked before the
 * signatures are checked. Whatever is refused here its handler would have ignored.
 */
import { acceptable, type Guards, hasNews, type Signed } from '@quorumlab/core';
import { isCheckpoint } from './checkpoint.ts';
import { isNamed } from './early.ts';
import type { Group } from './group.ts';
import { isPrevote, prevoteKey } from './polkas.ts';
import { idOf, isWhole } from './proposals.ts';
import { bodiesAtMost, isUseful, mayAnswer } from './recovery.ts';
import { isNear } from './rounds.ts';
import { type Early, type Replica, stableHeight, type Tendermint, validRoundOf } from './state.ts';
import { isPolka, votesAt } from './votes.ts';

/** The guards of a group. */
export const guards = (group: Group): Guards<Tendermint> => ({
  proposal: (replica, message, asked) => {
    if (!isTimely(group, replica, message) || !isWhole(group, replica, message)) return false;
    const heard = here(replica, message);
    // A second one counts if it is another one: then it is proof against its proposer.
    if (heard?.proposal === undefined || heard.proposal === null) return true;
    return (
      heard.value !== idOf(group, message.batch, asked) ||
      heard.proposal.validRound !== message.validRound
    );
  },
  prevote: (replica, message) => {
    if (!isPrevote(group, message) || !isTimely(group, replica, message)) return false;
    const earlier = here(replica, message)?.prevotes.votes.get(message.from);
    return earlier === undefined || prevoteKey(earlier) !== prevoteKey(message);
  },
  precommit: (replica, message) => {
    if (!isTimely(group, replica, message)) return false;
    const earlier = here(replica, message)?.precommits.votes.get(message.from);
    return earlier === undefined || earlier.value !== message.value;
  },
  polka: (replica, { polka }) => {
    const { height, round } = polka.body;
    if (height !== replica.height || !isPolka(group, replica, polka)) return false;
    const known = replica.heard.get(round)?.polka;
    if (known !== undefined && known !== null)
      return prevoteKey(known.body) !== prevoteKey(polka.body);
    return round > replica.round || round > (validRoundOf(replica) ?? -1);
  },
  decision: (replica, message) => isUseful(group, replica, message) && acceptable(message.batch),
  relay: (replica, { requests }) => acceptable(requests) && hasNews(replica, requests),
  status: (replica, message, { self, now }) =>
    message.from !== self && mayAnswer(group, replica, message, now),
  'fetch-batch': (replica, { from }, { self }) =>
    from !== self && (replica.answered.get(from)?.bodies ?? 0) < bodiesAtMost,
  batch: (replica, { height, batch }, asked) =>
    height === replica.height &&
    replica.wanted.size > 0 &&
    acceptable(batch) &&
    replica.wanted.get(idOf(group, batch, asked)) === null,
  checkpoint: (replica, { from, height, set, state }) =>
    height % group.checkpointEvery === 0 &&
    height > stableHeight(replica) &&
    !replica.checkpointVotes
      .get(from)
      ?.some((each) => each.height === height && each.set === set && each.state === state),
  'stable-checkpoint': (replica, { checkpoint }) =>
    checkpoint.body.height > stableHeight(replica) && isCheckpoint(group, replica, checkpoint),
});

/** Whether it is of a height that is not decided and its voters, and of a round that counts. */
function isTimely(group: Group, replica: Replica, message: Signed<Early>): boolean {
  const { height, round, from } = message;
  if (height < replica.height || !votesAt(group, replica, height, from)) return false;
  if (height > replica.height) return true;
  if (!isNamed(group, replica, message)) return false;
  // Of a round far ahead it says at least that its sender is there.
  return isNear(group, replica, round) || round > (replica.reached.get(from) ?? -1);
}

/** What was heard of its round, if it is of this height. */
const here = (replica: Replica, { height, round }: Signed<Early>) =>
  height === replica.height ? replica.heard.get(round) : undefined;
