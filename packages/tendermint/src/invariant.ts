/** What one replica can check by itself after every step. */
import { type Replica, validRoundOf } from './state.ts';

/**
 * What must hold after every step. Constant time: each rule about one height is kept where it is
 * written.
 */
export function invariant(replica: Replica): string | undefined {
  const { height, round, locked, proposed, snapshot, said } = replica;
  const validRound = validRoundOf(replica) ?? -1;
  const lockedRound = locked?.round ?? -1;
  if (lockedRound > round) return `is locked in round ${lockedRound} and is in round ${round}`;
  if (validRound < lockedRound)
    return `is locked in round ${lockedRound}, and its valid value is of round ${validRound}`;
  if (replica.valid !== null && replica.valid.body.height !== height)
    return `holds a valid value of height ${replica.valid.body.height} at height ${height}`;
  if ((proposed?.round ?? -1) > round)
    return `has proposed in round ${proposed?.round} and is in round ${round}`;
  const precommit = said.get(round)?.precommit?.value ?? null;
  if (precommit !== null && locked?.round === round && locked.value !== precommit)
    return `has precommitted ${precommit} in round ${round} and is locked on ${locked.value}`;
  if (snapshot >= height) return `has a snapshot of height ${snapshot} and is at height ${height}`;
  return undefined;
}
