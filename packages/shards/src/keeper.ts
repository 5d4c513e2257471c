/**
 * A keeper: the clock of a group. It has the group's lease, or waits for it, gives commits their
 * timestamps, tells when they are over, and finds out what came of transactions whose client is
 * gone. Several may run for a group: one of them holds the lease.
 */
import type { Interval, PrincipalId } from '@quorumlab/core';
import type { ShardOperation, ShardResult } from './operations.ts';
import { type Party, type PartyContext, party } from './party.ts';
import { type ShardRules, shardRules } from './rules.ts';

/** See {@link keeper}. */
export interface KeeperOptions {
  /** The principal that the group's log sees: one of the shard's `keepers`. */
  readonly self: PrincipalId;
  readonly group: number;
  /** Microseconds between two looks at the group. 2 ms unless told. */
  readonly every?: number;
  /** Microseconds that the shard's leases last, as it was told. 10 s unless told. */
  readonly lease?: number;
  /** Microseconds after which an idle group is told the time all the same. 500 ms unless told. */
  readonly idle?: number;
  /**
   * Microseconds for which it does not look while nothing is to be done, unless it is told that
   * something ran (`changed`). With it, an idle group is not told the time, and the lease runs out:
   * who comes then waits for the next one. Unless told it looks at each turn, and keeps its lease.
   */
  readonly rest?: number;
  readonly rules?: ShardRules;
  /** Told of each reading that counted: for whoever watches clocks and leases. */
  readonly onTick?: (tick: Ticked) => void;
}

/** A reading of a keeper's clock that counted, under a lease that it had. */
export interface Ticked {
  readonly lease: Extract<ShardResult, { readonly kind: 'ticked' }>['lease'];
  readonly clock: Interval;
  /** By the keeper's own forward clock. */
  readonly readAt: number;
}

type Work = Extract<ShardResult, { readonly kind: 'work' }>;

/** Runs for ever. */
export function keeper(options: KeeperOptions): Party {
  const { group, every = 2000, rest = every } = options;
  return party((ctx) => {
    const helping = new Set<string>();
    let told = 0;
    const look = (): void =>
      ctx.ask(group, { kind: 'work' }, 'local', (work) => {
        if (work?.kind !== 'work') return ctx.later(every, look);
        if (work.lease?.holder === options.self) help(ctx, options, work, helping);
        // The clock is looked at now, when the commits are known: not before.
        const clock = ctx.clock();
        const operation = wanted(options, work, clock, ctx.now() - told);
        if (operation === undefined)
          return isDue(work) ? ctx.later(every, look) : ctx.rest(group, rest, look);
        const readAt = ctx.now();
        told = readAt;
        ctx.ask(group, operation, 'ordered', (result) => {
          if (result?.kind === 'ticked' && result.lease.number === operation.lease)
            options.onTick?.({ lease: result.lease, clock, readAt });
          ctx.later(every, look);
        });
      });
    look();
  });
}

type Tick = Extract<ShardOperation, { readonly kind: 'tick' }>;

/** Whether somebody waits for what the clock shows, or for news of others. */
const isDue = ({ isBusy, wanted, at }: Work): boolean => isBusy || wanted > at;

/** What is to be said to the group of the time, if there is any reason to. */
function wanted(
  { self, lease: length = 10_000_000, idle = 500_000, rest, rules = shardRules }: KeeperOptions,
  work: Work,
  clock: Interval,
  silent: number,
): Tick | undefined {
  const { lease, deciding, waiting } = work;
  const tick: Tick = { kind: 'tick', ...clock, lease: lease?.number ?? 0, stamps: deciding };
  if (lease === null) return tick;
  const mayRest = rest !== undefined && !isDue(work);
  const mayAct = lease.holder === self && rules.mayAct(lease.end, clock);
  if (!mayAct) return !mayRest && rules.mayFollow(lease.end, clock) ? tick : undefined;
  const isNeeded =
    deciding.length > 0 ||
    (waiting !== null && rules.isOver(waiting, clock)) ||
    work.wanted > work.at ||
    (!mayRest && clock.latest > lease.end - Math.floor(length / 2)) ||
    (!mayRest && silent >= idle);
  return isNeeded ? tick : undefined;
}

/** Brings transactions to their end whose client has not. */
function help(
  ctx: PartyContext,
  { group, every = 2000 }: KeeperOptions,
  work: Work,
  helping: Set<string>,
): void {
  const begin = (name: string): boolean => !helping.has(name) && helping.add(name).has(name);
  for (const { transaction, coordinator } of work.orphans) {
    const name = `orphan ${transaction.client}/${transaction.number}`;
    if (!begin(name)) continue;
    // What one replica still shows as prepared may have ended: it is not asked for at each look.
    const over = (): void => ctx.later(16 * every, () => void helping.delete(name));
    ctx.ask(coordinator, { kind: 'settle', transaction }, 'ordered', (result) => {
      // Only a decision counts: without one it stays prepared, and is asked for again.
      if (result?.kind !== 'committed' && result?.kind !== 'aborted') return over();
      const at = result.kind === 'committed' ? result.at : null;
      ctx.ask(group, { kind: 'resolve', transaction, at }, 'ordered', over);
    });
  }
  for (const { transaction, at, participants } of work.untold) {
    const name = `untold ${transaction.client}/${transaction.number}`;
    if (!begin(name)) continue;
    let open = participants.length;
    let known = 0;
    for (const each of participants)
      ctx.ask(each, { kind: 'resolve', transaction, at }, 'ordered', (result) => {
        open -= 1;
        if (result?.kind === 'done') known += 1;
        if (open > 0) return;
        ctx.later(16 * every, () => void helping.delete(name));
        if (known === participants.length)
          ctx.ask(group, { kind: 'forget', transaction }, 'ordered', () => undefined);
      });
  }
}

/** Gives the lease of a group back, so that the next keeper need not wait for its end. */
export function abdicate(options: {
  /** Whose lease it is. Its keeper has to be stopped: it would take the lease again. */
  readonly self: PrincipalId;
  readonly group: number;
  /** Called once the lease is given back, or is another's. */
  readonly onEnd: () => void;
}): Party {
  const { self, group, onEnd } = options;
  return party((ctx) => {
    const give = (): void =>
      ctx.ask(group, { kind: 'work' }, 'read', (work) => {
        if (work?.kind !== 'work') return ctx.later(5000, give);
        if (work.lease?.holder !== self) return onEnd();
        const lease = work.lease.number;
        ctx.ask(group, { kind: 'yield', ...ctx.clock(), lease }, 'ordered', (result) =>
          // Its timestamps are not all over yet: it waits.
          result?.kind === 'ticked' ? onEnd() : ctx.later(5000, give),
        );
      });
    give();
  });
}
