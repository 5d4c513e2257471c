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
  hasQuorum,
  isAwaited,
  isHigher,
  isPlausible,
  isTimeoutCertificate,
  isWeakCertificate,
} from './certificates.ts';
import { collects, endOfReign, type Group, leaderOf } from './group.ts';
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
  proposal: (replica, message) =>
    message.from === leaderOf(group, message.block.view) &&
    certifies(group, message.justify, message.block.parent) &&
    acceptable(message.block.batch) &&
    (!group.rules.provesViews || provesView(message)) &&
    (message.block.view > replica.committed.view || teaches(replica, message)),
  vote: (replica, message, { self }) =>
    collects(group, message.view, self) &&
    isAwaited(replica, message) &&
    message.justifyView < message.view &&
    Math.abs(message.view - replica.view) <= maxViewsAhead &&
    replica.votes.get(message.view)?.votes.get(message.from)?.block !== message.block,
  'pre-commit': (replica, message) => isNew(group, replica, message),
  commit: (replica, message) => isNew(group, replica, message),
  decide: (replica, message) => isNew(group, replica, message),
  timeout: (replica, message, { self, now }) => {
    const { from, view, highView } = message;
    if (!isPlausible(group, message) || view !== endOfReign(group, view)) return false;
    if (view > endOfReign(group, replica.view) + maxViewsAhead * group.reign) return false;
    const earlier = replica.timeoutVotes.get(from);
    if (view >= replica.view && (earlier === undefined || earlier.view < view)) return true;
    // Two that differ are proof against their signer; otherwise it asks for help.
    if (view >= replica.view && earlier?.view === view && earlier.highView !== highView)
      return true;
    return from !== self && mayBeAnswered(group, replica, from, now);
  },
  'new-view': (replica, message) =>
    (message.justify === null || hasQuorum(group, message.justify)) &&
    teaches(replica, message) &&
    (saysMore(replica, message.justify) ||
      (message.timeouts !== null && isTimeoutCertificate(group, message.timeouts))),
  relay: (replica, { requests }) => acceptable(requests) && hasNews(replica, requests),
  'fetch-blocks': (replica, { from }, { self }) =>
    from !== self && (replica.answered.get(from)?.fetched ?? 0) < group.window,
  blocks(replica, { blocks: [first] }, { digest }) {
    if (first === undefined || replica.wanted.size === 0) return false;
    const { block, justify } = first;
    if (!acceptable(block.batch) || !certifies(group, justify, block.parent)) return false;
    return replica.wanted.has(digest(group.schemas.content, block));
  },
  status: (replica, { from }, { self, now }) =>
    from !== self && mayBeAnswered(group, replica, from, now),
  checkpoint: (replica, { from, height, state, block }) =>
    height % group.checkpointEvery === 0 &&
    height > stableHeight(replica) &&
    !replica.checkpointVotes
      .get(from)
      ?.some((each) => each.height === height && each.state === state && each.block === block),
  'stable-checkpoint': (replica, { checkpoint }) =>
    checkpoint.body.height > stableHeight(replica) &&
    checkpoint.body.height % group.checkpointEvery === 0 &&
    isWeakCertificate(group, checkpoint),
});

/** Whether its leader shows a certificate that says more than what is known. */
const isNew = (group: Group, replica: Replica, message: Signed<Shown>): boolean =>
  isHigher(message.justify.body, replica.high) && matchingQC(group, message);

/** Whether its certificates are higher than those that are known. */
const teaches = (
  replica: Replica,
  { justify, timeouts }: Pick<NewView, 'justify' | 'timeouts'>,
): boolean =>
  saysMore(replica, justify) || (timeouts !== null && (timeouts[0]?.view ?? -1) >= replica.view);

const saysMore = (replica: Replica, justify: NewView['justify']): boolean =>
  justify !== null && isHigher(justify.body, replica.high);

const mayBeAnswered = (group: Group, replica: Replica, from: number, now: number): boolean =>
  isDue(replica.answered.get(from)?.at, group.statusPeriod / 2, now);
