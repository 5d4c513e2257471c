/**
 * What must not compile, and what must. Checked by `tsc -p tsconfig.test.json`: a line marked as an
 * error that is none fails it.
 */
import type { Context, Protocol, Replica, Shape } from '@quorumlab/core';
import { integer, message, messages } from '@quorumlab/core';

interface Entry {
  readonly term: number;
  readonly command: string;
}

/** The state of Raft's Figure 2, as an example. */
interface Example extends Shape {
  readonly Stable: {
    readonly currentTerm: number;
    readonly votedFor: number | null;
    readonly log: ReadonlyMap<number, Entry>;
  };
  readonly Volatile: { role: 'follower' | 'candidate'; commitIndex: number };
  readonly Message:
    | { readonly kind: 'request-vote'; readonly term: number }
    | { readonly kind: 'vote'; readonly term: number; readonly granted: boolean };
  readonly Timer: 'election' | 'heartbeat';
  readonly Command: string;
}

/** What a handler may do. */
export function right(replica: Replica<Example>, ctx: Context<Example>): void {
  ctx.save({ currentTerm: replica.currentTerm + 1, votedFor: ctx.self });
  ctx.put('log', 7, { term: 1, command: 'x' });
  ctx.drop('log', { from: 8 });
  ctx.setTimer('election', [150_000, 300_000]);
  ctx.broadcast({ kind: 'vote', term: 1, granted: true });
  ctx.decide(0, ['x']);
  replica.role = 'candidate';
}

/** What a handler may not do. */
export function wrong(replica: Replica<Example>, ctx: Context<Example>): void {
  // @ts-expect-error a stable register cannot be assigned
  replica.currentTerm = 3;
  // @ts-expect-error a stable table cannot be changed
  replica.log.set(1, { term: 1, command: 'x' });
  // @ts-expect-error a table is not a register
  ctx.save({ log: new Map() });
  // @ts-expect-error a register is not a table
  ctx.put('currentTerm', 1, 1);
  // @ts-expect-error no such row type
  ctx.put('log', 1, 'x');
  // @ts-expect-error rows are dropped from an index or below one
  ctx.drop('log', 8);
  // @ts-expect-error no such timer
  ctx.setTimer('elction', 1);
  // @ts-expect-error no such message
  ctx.broadcast({ kind: 'request-votes', term: 1 });
  // @ts-expect-error a part is missing
  ctx.send(1, { kind: 'vote', term: 1 });
  // @ts-expect-error a volatile field is not on disk
  ctx.save({ role: 'candidate' });
  // @ts-expect-error no such role
  replica.role = 'leader';
  // @ts-expect-error a command is text here
  ctx.decide(0, [7]);
  // @ts-expect-error handlers do not sign: a message has no sender before the host seals it
  ctx.send(1, { kind: 'vote', term: 1, granted: true, from: 0 });
}

// @ts-expect-error a handler is missing
export const missing: Protocol<Example>['on'] = { 'request-vote'() {} };

export const wrongHandler: Protocol<Example>['on'] = {
  'request-vote'() {},
  // @ts-expect-error a vote has no command
  vote: (_, { command }) => command,
};

const vote = messages(message('vote', { term: integer() }));
/** The type of a message follows from its declaration. */
export const declared: (typeof vote)['kinds'][number]['kind'] = 'vote';
// @ts-expect-error no such kind was declared
export const undeclared: (typeof vote)['kinds'][number]['kind'] = 'veto';
