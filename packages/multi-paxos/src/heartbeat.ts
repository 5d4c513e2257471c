/** The leader's sign of life, which tells what is chosen and asks whether it still leads. */
import { noteRound } from './lease.ts';
import { acquaintances, type Context, type Replica } from './state.ts';

/** To everybody who is or may become a member, so that newcomers are up to date when they join. */
export function sendHeartbeats(leader: Replica, ctx: Context): void {
  ctx.line('heartbeat');
  leader.round += 1;
  noteRound(leader, ctx);
  const { ballot, round, firstUnchosen } = leader;
  const message = { kind: 'heartbeat', ballot, round, firstUnchosen } as const;
  // It carries nothing that a disk must hold: the ballot is durable since phase 1.
  for (const member of acquaintances(ctx.group.known, leader))
    if (member !== ctx.self) ctx.sendEarly(member, message);
}
