/**
 * Parties: transactions, keepers, movers and readers. They ask groups and wait, as pure machines: a
 * host gives them what their clock shows, and carries their questions to the groups' logs.
 */
import type { Instant, Interval } from '@quorumlab/core';
import type { ShardOperation, ShardResult } from './operations.ts';

/** How a question is put: through the log, as a linearizable read, or to any one replica. */
export type Way = 'ordered' | 'read' | 'local';

/** A question to a group. Its answer comes back under its number. */
export interface Ask {
  readonly id: number;
  readonly group: number;
  readonly operation: ShardOperation;
  readonly way: Way;
}

/** What a party is told. */
export type PartyEvent =
  | { readonly type: 'start' }
  /** Undefined: nobody knows whether it ran, or will run. */
  | { readonly type: 'answer'; readonly id: number; readonly result: ShardResult | undefined }
  | { readonly type: 'wake' }
  /** Something ran in the group, as its replica on this machine saw: who rests looks again. */
  | { readonly type: 'changed'; readonly group: number };

/** See {@link PartyEvent}. */
export interface PartyInput {
  /** A clock that only goes forward, for waiting: microseconds. */
  readonly now: Instant;
  /** What the wall clock shows, with its error: for timestamps. */
  readonly clock: Interval;
  readonly event: PartyEvent;
}

/** What a party wants. */
export interface PartyOutput {
  readonly asks: readonly Ask[];
  /** Microseconds until it wants to be woken, unless something comes before. Undefined: never. */
  readonly wakeAfter: number | undefined;
}

/** A party: equal inputs, equal outputs. */
export interface Party {
  step(input: PartyInput): PartyOutput;
}

/** What parties are written with. */
export interface PartyContext {
  now(): Instant;
  /** What the clock of the present step shows. */
  clock(): Interval;
  /** Asks a group; `then` is called in the step in which the answer comes. */
  ask(
    group: number,
    operation: ShardOperation,
    way: Way,
    then: (result: ShardResult | undefined) => void,
  ): void;
  /** Calls `run` after so many microseconds. */
  later(after: number, run: () => void): void;
  /** The same, or as soon as something ran in the group, if the host tells of that. */
  rest(group: number, after: number, run: () => void): void;
}

/** A party that begins with `begin`. */
export function party(begin: (ctx: PartyContext) => void): Party {
  const waiting = new Map<number, (result: ShardResult | undefined) => void>();
  /** Groups in which something ran since they were asked last. */
  const changed = new Set<number>();
  let timers: { readonly at: Instant; readonly run: () => void; readonly group?: number }[] = [];
  let asks: Ask[] = [];
  let asked = 0;
  let input: PartyInput | undefined;
  const present = (): PartyInput => input as PartyInput;
  const ctx: PartyContext = {
    now: () => present().now,
    clock: () => present().clock,
    ask(group, operation, way, then) {
      asked += 1;
      changed.delete(group);
      asks.push({ id: asked, group, operation, way });
      waiting.set(asked, then);
    },
    later: (after, run) => void timers.push({ at: present().now + after, run }),
    rest(group, after, run) {
      const at = present().now + (changed.has(group) ? 0 : after);
      timers.push({ at, run, group });
    },
  };

  function due(): void {
    const { now } = present();
    const over = timers.filter(({ at }) => at <= now);
    timers = timers.filter(({ at }) => at > now);
    for (const { run } of over.sort((one, other) => one.at - other.at)) run();
  }

  return {
    step(next) {
      input = next;
      asks = [];
      const { event, now } = next;
      if (event.type === 'start') begin(ctx);
      if (event.type === 'answer') {
        const then = waiting.get(event.id);
        waiting.delete(event.id);
        then?.(event.result);
      }
      if (event.type === 'changed') {
        changed.add(event.group);
        timers = timers.map((each) => (each.group === event.group ? { ...each, at: now } : each));
      }
      due();
      const first = timers.reduce<Instant | undefined>(
        (least, { at }) => (least === undefined || at < least ? at : least),
        undefined,
      );
      return { asks, wakeAfter: first === undefined ? undefined : Math.max(0, first - now) };
    },
  };
}
