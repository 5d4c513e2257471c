/**
 * What a replica could make something of now: the first lines of the handlers, asked before the
 * signatures are checked. Whatever is refused here its handler would have ignored.
 */
import { acceptable, type Expectations, type Guards, hasNews, type Signed } from '@quorumlab/core';
import { mayAnswer } from './catch-up.ts';
import { isProof } from './checkpoint.ts';
import { digestOf, type Group, isMember, primaryOf } from './group.ts';
import type { Numbered } from './messages.ts';
import { heardOf, lowOf, type MinBft, mostEarly, type Replica } from './state.ts';
import { textOf } from './vows.ts';

/** The guards of a group. */
export const guards = (group: Group): Guards<MinBft> => ({
  prepare: isNews,
  commit: isNews,
  checkpoint: isNews,
  'view-change': isNews,
  'new-view': isNews,
  said: (replica, { statement }) => isMember(group, statement.from) && isNews(replica, statement),
  batch: (replica, { batch }) => acceptable(batch) && !replica.bodies.has(digestOf(group, batch)),
  relay: (replica, { requests }, { self }) =>
    primaryOf(group, replica.view) === self && acceptable(requests) && hasNews(replica, requests),
  'req-view-change': (replica, { from, view }) => view > heardOf(replica, from).asked,
  status: (replica, message, { self, now }) =>
    message.from !== self &&
    message.heard.length === group.n &&
    (replica.restoring || mayAnswer(group, replica, message, now)),
  'stable-checkpoint': (replica, { proof, anchors }) =>
    isProof(group, proof) &&
    ((proof[0]?.sequence ?? 0) > lowOf(replica) ||
      anchors.some(({ member, number }) => number > (replica.heard.get(member)?.number ?? number))),
  'fetch-batch': (_, { from }, { self }) => from !== self,
});

/** What could be of use whatever is in it. */
export const expectations = (group: Group): Expectations<MinBft> => ({
  relay: (replica, _, self) => primaryOf(group, replica.view) === self,
});

/** Whether it was not heard yet, and may be kept; or says something else under a number. */
function isNews(replica: Replica, message: Signed<Numbered>): boolean {
  const heard = heardOf(replica, message.from);
  const { number } = message;
  if (number > heard.number) return number <= heard.number + mostEarly && !heard.early.has(number);
  const earlier = heard.statements.get(number);
  return earlier !== undefined && textOf(earlier) !== textOf(message);
}
