/** What a replica does about what it lacks: it asks whoever has it, and again after a while. */
import type { Certificate, Digest } from '@quorumlab/core';
import { type Context, maxRoundsAhead, maxRoundsBehind, type Replica } from './state.ts';

/** Most values that are fetched at a time: of each round a polka's, and a decision's. */
const maxWanted = 2 * (maxRoundsAhead + maxRoundsBehind + 1);

/** Arms the timer that asks the others for what is missing. */
export function watch(replica: Replica, ctx: Context): void {
  if (replica.statusTimer) return;
  replica.statusTimer = true;
  ctx.setTimer('status', ctx.group.statusPeriod);
}

/**
 * Asks for the batch of `value`: first two of those who voted for it, and later, by the status
 * timer, all.
 */
export function want(
  replica: Replica,
  value: Digest,
  { seals }: Certificate<unknown>,
  ctx: Context,
): void {
  if (replica.wanted.has(value) || replica.wanted.size >= maxWanted) return;
  ctx.line('fetch-batch');
  replica.wanted.set(value, null);
  watch(replica, ctx);
  const holders = seals.map(({ from }) => from).filter((each) => each !== ctx.self);
  const first = ctx.self % Math.max(1, holders.length);
  for (const to of [...holders.slice(first), ...holders.slice(0, first)].slice(0, 2))
    ctx.send(to, { kind: 'fetch-batch', height: replica.height, value });
}
