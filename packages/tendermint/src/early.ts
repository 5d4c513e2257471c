/** Messages that come before their time: of the next height, of rounds too far ahead. */
import { bytesOf, maxBatchBytes, type Signed } from '@quorumlab/core';
import type { Group } from './group.ts';
import { isNear, noteReached } from './rounds.ts';
import { type Early, maxRoundsAhead, type Replica } from './state.ts';
import { judgesOf, votesAt } from './votes.ts';

/** Most messages of the next height that are kept for one sender, and most bytes of batches. */
const most = { messages: 3 * (maxRoundsAhead + 1), bytes: 2 * maxBatchBytes };

/**
 * Whether `message` is of this height and its validators, and of a round that is near. What is of
 * the next height is kept until that begins: only then its set has a name.
 */
export function isCurrent(group: Group, replica: Replica, message: Signed<Early>): boolean {
  const { height, round, from } = message;
  if (height < replica.height || !votesAt(group, replica, height, from)) return false;
  if (height > replica.height) {
    if (height > replica.height + 1 || !keep(group, replica, message)) replica.above.add(from);
    return false;
  }
  if (!isNamed(group, replica, message)) return false;
  noteReached(replica, from, round);
  if (isNear(group, replica, round)) return true;
  if (round > replica.round) replica.dropped += 1;
  return false;
}

/** Whether what is said of this height names the set that it has to: no other one's votes count. */
export const isNamed = (group: Group, replica: Replica, { height, set }: Early): boolean =>
  judgesOf(group, replica, height, set) !== undefined;

/** Keeps `message` until its height begins; false: there is no room. */
function keep(group: Group, replica: Replica, message: Signed<Early>): boolean {
  const { from, kind, round } = message;
  if (group.rules.boundsRounds && round > maxRoundsAhead) return false;
  const kept = replica.early.get(from) ?? [];
  replica.early.set(from, kept);
  if (kept.some((each) => each.round === round && each.kind === kind)) return true;
  let bytes = sizeOf(message);
  for (const each of kept) bytes += sizeOf(each);
  if (kept.length >= most.messages || bytes > most.bytes) return false;
  kept.push(message);
  return true;
}

const sizeOf = (message: Early): number =>
  message.kind === 'proposal'
    ? message.batch.reduce((sum, request) => sum + bytesOf(request), 0)
    : 0;
