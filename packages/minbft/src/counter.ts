/**
 * The trusted counter, USIG in section 4 of the paper, and what it is good for: each member's
 * statements are taken in the order of their numbers, without a gap, by everybody. So all judge a
 * statement by the same past, and a view-change needs no log: it was heard already.
 *
 * createUI is to broadcast a statement with the next number: the host's trusted part gives each
 * number to one text. verifyUI is the check of its signature, which hosts do before any handler.
 */
import type { Signed } from '@quorumlab/core';
import { isMember } from './group.ts';
import type { Numbered } from './messages.ts';
import { type Context, type Heard, heardOf, mostEarly, ownOf, type Replica } from './state.ts';

type WithoutNumber<M> = M extends unknown ? Omit<M, 'number'> : never;

/**
 * Whether this replica may ask for a number: it has heard all that it has said itself, as its
 * trusted counter signed it, and knows what that was.
 */
export const maySpeak = (replica: Replica): boolean =>
  !replica.restoring && ownOf(replica).number === replica.number;

/** Says `statement` to all, with the next number of the trusted counter. */
export function say(replica: Replica, statement: WithoutNumber<Numbered>, ctx: Context): void {
  const number = replica.number + 1;
  // Its parts and its number are a statement again.
  const numbered = { ...statement, number } as Numbered;
  ctx.save({ number });
  ctx.put('said', number, numbered);
  ctx.broadcast(numbered);
}

/** A statement of `from` has come, in whatever order: it is kept until its turn. */
export function hear(replica: Replica, message: Signed<Numbered>, ctx: Context): void {
  const { from, number } = message;
  if (!isMember(ctx.group, from)) return;
  const heard = heardOf(replica, from);
  if (number <= heard.number) return accuse(heard, message, ctx);
  if (number > heard.number + mostEarly || heard.early.has(number)) return;
  heard.early.set(number, message);
}

/** Two statements under one number: a trusted counter that was set back. */
function accuse(heard: Heard, message: Signed<Numbered>, ctx: Context): void {
  const earlier = heard.statements.get(message.number);
  if (earlier !== undefined) ctx.accuse(earlier, message);
}
