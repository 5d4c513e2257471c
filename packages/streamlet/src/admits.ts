/**
 * What a replica could make something of now: the first lines of the handlers, asked before the
 * signatures are checked. Whatever is refused here its handler would have ignored.
 */
import { acceptable, type Guards, hasNews } from '@quorumlab/core';
import { isWhole } from './blocks.ts';
import { isNews, lacks, mayAnswer, mayAsk } from './catch-up.ts';
import { idOf, isQuorum } from './chain.ts';
import { isCheckpoint } from './checkpoint.ts';
import { isNear } from './epochs.ts';
import type { Group } from './group.ts';
import type { Notarization } from './messages.ts';
import { type Replica, type Streamlet, stableHeight } from './state.ts';

/** The guards of a group. */
export const guards = (group: Group): Guards<Streamlet> => ({
  proposal: (replica, message) => {
    if (!isWhole(group, message)) return false;
    const { block, notarization } = message;
    if (notarization !== null && isNew(replica, notarization)) return true;
    if (!isNear(group, replica, block.epoch)) return false;
    const heard = replica.heard.get(block.epoch);
    // A second one counts if it is another one: then it is proof against its leader.
    return heard === undefined || heard.proposal === null || heard.id !== idOf(group, block);
  },
  vote: (replica, { from, epoch, id, height }) => {
    if (!isNear(group, replica, epoch)) return false;
    const earlier = replica.heard.get(epoch)?.votes.votes.get(from);
    return earlier === undefined || earlier.id !== id || earlier.height !== height;
  },
  clock: (replica, message, { self, now }) => {
    const { from, over, tip, final } = message;
    if (from === self) return false;
    if (over > (replica.over.get(from) ?? 0)) return true;
    if (tip !== null && isNew(replica, tip) && isQuorum(group, tip)) return true;
    if (final > replica.final.height && mayAsk(group, replica, now)) return true;
    return lacks(replica, message) && mayAnswer(group, replica, message, now);
  },
  notarized: (replica, message) =>
    isNews(group, replica, message) && acceptable(message.block.batch),
  relay: (replica, { requests }) => acceptable(requests) && hasNews(replica, requests),
  checkpoint: (replica, { from, height, state, id }) =>
    height % group.checkpointEvery === 0 &&
    height > stableHeight(replica) &&
    !replica.checkpointVotes
      .get(from)
      ?.some((each) => each.height === height && each.state === state && each.id === id),
  'stable-checkpoint': (replica, { checkpoint }) =>
    checkpoint.body.height > stableHeight(replica) && isCheckpoint(group, checkpoint),
});

/** Whether it is not known that this block is notarized. */
const isNew = (replica: Replica, { body }: Notarization): boolean =>
  body.epoch > replica.final.epoch && !replica.notarized.has(body.epoch);
