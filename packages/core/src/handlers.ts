/** Handlers behind handlers: how a variant of a protocol differs in what it says or writes. */
import type { Context, Handlers, Protocol, Replica, Shape } from './protocol.ts';

/**
 * `right`, each handler of which is given a context changed by `change`: so one of its acts can be
 * left out or done otherwise wherever it is done. For flawed variants.
 */
export function withContext<S extends Shape>(
  right: Protocol<S>,
  change: (replica: Replica<S>, ctx: Context<S>) => Context<S>,
): Protocol<S> {
  type Handle = (replica: Replica<S>, message: never, ctx: Context<S>) => void;
  const on = Object.fromEntries(
    Object.entries<Handle>(right.on).map(([kind, handle]): [string, Handle] => [
      kind,
      (replica, message, ctx) => handle(replica, message, change(replica, ctx)),
    ]),
    // Each handler still gets just the kind of message that it is made for.
  ) as Handlers<S>;
  return {
    ...right,
    on,
    ...(right.settle && {
      settle: (replica: Replica<S>, ctx: Context<S>) =>
        right.settle?.(replica, change(replica, ctx)),
    }),
    start: (replica, ctx, life) => right.start?.(replica, change(replica, ctx), life),
    // Without it, coming back empty is a start.
    ...(right.rejoin && {
      rejoin: (replica: Replica<S>, ctx: Context<S>, life: number) =>
        right.rejoin?.(replica, change(replica, ctx), life),
    }),
    propose: (replica, command, ctx) => right.propose(replica, command, change(replica, ctx)),
    // Whether reads are served at all shows in whether there is a handler of them.
    ...(right.read && {
      read: (replica: Replica<S>, id: number, ctx: Context<S>) =>
        right.read?.(replica, id, change(replica, ctx)),
    }),
    timeout: (replica, timer, ctx) => right.timeout?.(replica, timer, change(replica, ctx)),
    snapshotTaken: (replica, slot, digest, ctx, configuration) =>
      right.snapshotTaken?.(replica, slot, digest, change(replica, ctx), configuration),
    snapshotInstalled: (replica, slot, digest, ctx, configuration) =>
      right.snapshotInstalled?.(replica, slot, digest, change(replica, ctx), configuration),
  };
}
