/** The guards of what only replicas with MACs say: see `admits.ts`. */
import type { Guards } from '@quorumlab/core';
import { type Group, isMember } from './group.ts';
import { validReport } from './mac-decision.ts';
import { isTimely, missingDigest } from './mac-view-change.ts';
import { isMissing } from './recovery.ts';
import type { Pbft } from './state.ts';
import { isVoter, primaryOf } from './votes.ts';

/** Whether the handlers of these kinds could make anything of a message now. */
export const macGuards = (group: Group): Guards<Pbft> => ({
  'mac-view-change': (replica, message) =>
    isTimely(replica, message) &&
    (replica.viewChanges.get(message.from)?.view ?? -1) < message.view &&
    validReport(group, replica, message),
  'view-change-ack': (replica, { from, view, of }, { self }) =>
    primaryOf(replica, view) === self &&
    view >= replica.view &&
    isVoter(group, replica, of) &&
    (replica.mac.acks.get(of)?.get(from)?.view ?? -1) < view,
  'mac-new-view': (replica, message) =>
    isTimely(replica, message) && message.from === primaryOf(replica, message.view),
  'fetch-view-change': (replica, { from }, { self }) =>
    from !== self &&
    isMember(group, from) &&
    (replica.answered.get(from)?.proofs ?? 0) <= 4 * group.window,
  vouched: (replica, { from, of }) =>
    missingDigest(replica, of) !== undefined &&
    replica.mac.vouching.get(of)?.by.includes(from) !== true,
  executed: (replica, { sequence }) => isMissing(group, replica, sequence),
});
