/** Reads at a timestamp: without locks, at any replica, of any number of groups. */
import type { Instant } from '@quorumlab/core';
import type { Write } from './operations.ts';
import { type Party, type PartyContext, party } from './party.ts';
import type { Router } from './router.ts';
import type { Values } from './transaction.ts';

/** See {@link snapshotRead}. */
export interface SnapshotReadOptions {
  readonly router: Router;
  readonly groups: readonly number[];
  readonly keys: readonly string[];
  /**
   * The timestamp; what committed at or below it is seen, and nothing else. Unless told, what the
   * reader's clock shows at the latest: then all is seen that had ended before (section 4.2.2).
   */
  readonly at?: number;
  /** Called once. `tooOld`: what was at that time is no longer kept. */
  readonly onEnd: (end: SnapshotEnd) => void;
  /** Microseconds between two tries. 2 ms unless told. */
  readonly pollEvery?: number;
}

/** How a read ended. */
export type SnapshotEnd =
  | { readonly kind: 'read'; readonly at: number; readonly values: Values }
  | { readonly kind: 'too old'; readonly at: number };

/** Reads all keys at one timestamp; waits until all that can be below it is known. */
export function snapshotRead(options: SnapshotReadOptions): Party {
  return party((ctx) => {
    const at = options.at ?? ctx.clock().latest;
    const values = new Map<string, Uint8Array | null>();
    let left = options.keys.length;
    let isOver = false;
    const end = (how: SnapshotEnd): void => {
      if (!isOver) options.onEnd(how);
      isOver = true;
    };
    const take = (found: readonly Write[]): void => {
      for (const { key, value } of found) values.set(key, value);
      left -= found.length;
      if (left === 0) end({ kind: 'read', at, values });
    };
    if (left === 0) return end({ kind: 'read', at, values });
    const wanted = new Map<number, Instant>();
    const tooOld = (): void => end({ kind: 'too old', at });
    readAll(ctx, options, { keys: options.keys, at, take, tooOld, wanted });
  });
}

interface Reading {
  readonly keys: readonly string[];
  readonly at: number;
  readonly take: (values: readonly Write[]) => void;
  readonly tooOld: () => void;
  /** Groups that were told that somebody waits, and when they were told last. */
  readonly wanted: Map<number, Instant>;
}

function readAll(ctx: PartyContext, options: SnapshotReadOptions, reading: Reading): void {
  const { router, groups, pollEvery = 2000 } = options;
  const { keys, at, take, tooOld, wanted } = reading;
  const byGroup = new Map<number, string[]>();
  for (const key of keys) {
    // Of a key that nobody is known to have, any group says where it is.
    const group = router.groupOf(key) ?? (groups[0] as number);
    byGroup.set(group, [...(byGroup.get(group) ?? []), key]);
  }
  for (const [group, mine] of byGroup) {
    const again = (): void =>
      ctx.later(pollEvery, () => readAll(ctx, options, { ...reading, keys: mine }));
    ctx.ask(group, { kind: 'read', keys: mine, at }, 'local', (result) => {
      if (result?.kind === 'values') return take(result.values);
      if (result?.kind === 'refused' && result.why === 'too old') return tooOld();
      // A group that has rested for long hears how late it is before it takes this for due.
      const isTold = ctx.now() - (wanted.get(group) ?? -Infinity) < 8 * pollEvery;
      if (result?.kind === 'unsafe' && !isTold) {
        wanted.set(group, ctx.now());
        return ctx.ask(group, { kind: 'want', at }, 'ordered', again);
      }
      if (result?.kind === 'elsewhere') {
        router.learn(result.known);
        for (const each of groups)
          ctx.ask(each, { kind: 'ranges' }, 'read', (known) => {
            if (known?.kind === 'ranges') router.learn(known.known);
          });
      }
      again();
    });
  }
}
