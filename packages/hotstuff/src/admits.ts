/**
 * What a replica could make something of now: the first lines of the handlers, asked before the
 * signatures are checked. Whatever is refused here its handler would have ignored.
 */
import {
  acceptable,
  type Expectations,
  type Guards,
  hasNews,
  isDue,
  patientGuards,
  type Signed,
} from '@quorumlab/core';
import {
  certifies,
  isAwaited,
  isCertificate,
  isCheckpoint,
  isHigher,
  isPlausible,
  isTimeoutCertificate,
} from './certificates.ts';
import { mayEnd } from './epochs.ts';
import { collects, endOfReign, type Group, leaderOf } from './group.ts';
import { isVoter } from './membership.ts';
import type { NewView } from './messages.ts';
import { matchingQC, type Shown } from './phases.ts';
import { provesView } from './pipeline.ts';
import { type HotStuff, maxViewsAhead, type Replica, stableHeight } from './state.ts';

/** The guards of a group. The first message of a member counts whatever it says: it is there. */
export const guards = (group: Group): Guards<HotStuff> =>
  patientGuards<HotStuff>(guardsOfHandlers(group), (replica, from) => !replica.heard.has(from));

/** What could be of use whatever is in it. */
export const expectations: Expectations<HotStuff> = {
  blocks: (replica, from) => !replica.heard.has(from) || replica.wanted.size > 0,
};

const guardsOfHandlers = (group: Group): Guards<HotStuff> => ({
  proposal(replica, message, { self, now }) {
    const { block, from } = message;
    if (block.set !== replica.voters.set)
      return from !== self && mayBeAnswered(group, replica, from, now);
    return (
      from === leaderOf(group, replica, block.view) &&
      certifies(group, replica, message) &&
      acceptable(block.batch) &&
      (!group.rules.provesViews || provesView(replica, message)) &&
      (block.view > replica.committed.view || teaches(replica, message))
    );
  },
  vote: (replica, message, { self }) =>
    isVoter(replica, message.from) &&
    collects(group, replica, message.view, self) &&
    isAwaited(replica, message) &&
    message.justifyView < message.view &&
    Math.abs(message.view - replica.view) <= maxViewsAhead &&
    replica.votes.get(message.view)?.votes.get(message.from)?.block !== message.block,
  'pre-commit': (replica, message) => isNew(group, replica, message),
  commit: (replica, message) => isNew(group, replica, message),
  decide: (replica, message) => isNew(group, replica, message),
  timeout: (replica, message, { self, now }) => {
    const { from, view, highView } = message;
    if (message.set !== replica.voters.set)
      return from !== self && mayBeAnswered(group, replica, from, now);
    if (!isVoter(replica, from) || !isPlausible(group, message)) return false;
    if (view !== endOfReign(group, view)) return false;
    if (view > endOfReign(group, replica.view) + maxViewsAhead * group.reign) return false;
    const earlier = replica.timeoutVotes.get(from);
    if (view >= replica.view && (earlier === undefined || earlier.view < view)) return true;
    // Two that differ are proof against their signer; otherwise it asks for help.
    if (view >= replica.view && earlier?.view === view && earlier.highView !== highView)
      return true;
    return from !== self && mayBeAnswered(group, replica, from, now);
  },
  'new-view': (replica, message) =>
    (message.justify === null || isCertificate(group, replica, message.justify)) &&
    teaches(replica, message) &&
    (saysMore(replica, message.justify) ||
      (message.timeouts !== null && isTimeoutCertificate(group, replica, message.timeouts))),
  relay: (replica, { requests }) => acceptable(requests) && hasNews(replica, requests),
  'fetch-blocks': (replica, { from }, { self }) =>
    from !== self && (replica.answered.get(from)?.fetched ?? 0) < group.window,
  blocks(replica, { blocks: [first] }, { digest }) {
    if (first === undefined || replica.wanted.size === 0) return false;
    if (!acceptable(first.block.batch) || !certifies(group, replica, first)) return false;
    return replica.wanted.has(digest(group.schemas.content, first.block));
  },
  status: (replica, { from }, { self, now }) =>
    from !== self && mayBeAnswered(group, replica, from, now),
  checkpoint: (replica, { from, set, height, state, block }) =>
    height % group.checkpointEvery === 0 &&
    height > stableHeight(replica) &&
    !replica.checkpointVotes
      .get(from)
      ?.some(
        (each) =>
          each.height === height &&
          each.set === set &&
          each.state === state &&
          each.block === block,
      ),
  'stable-checkpoint': (replica, { checkpoint }) =>
    checkpoint.body.height > stableHeight(replica) &&
    checkpoint.body.height % group.checkpointEvery === 0 &&
    isCheckpoint(group, replica, checkpoint),
  'epoch-change': (replica, message) => mayEnd(group, replica, message),
});

/** Whether its leader shows a certificate that says more than what is known. */
const isNew = (group: Group, replica: Replica, message: Signed<Shown>): boolean =>
  isHigher(replica, message.justify.body) && matchingQC(group, replica, message);

/** Whether its certificates are higher than those that are known. */
const teaches = (
  replica: Replica,
  { justify, timeouts }: Pick<NewView, 'justify' | 'timeouts'>,
): boolean =>
  saysMore(replica, justify) || (timeouts !== null && (timeouts[0]?.view ?? -1) >= replica.view);

const saysMore = (replica: Replica, justify: NewView['justify']): boolean =>
  justify !== null && isHigher(replica, justify.body);

const mayBeAnswered = (group: Group, replica: Replica, from: number, now: number): boolean =>
  isDue(replica.answered.get(from)?.at, group.statusPeriod / 2, now);
