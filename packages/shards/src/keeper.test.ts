import { decode, encode } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { asked, id, keeperId, write } from '../test/asked.ts';
import { keeper } from './keeper.ts';
import { type ShardOperation, shardOperation, shardResult } from './operations.ts';
import type { Party, PartyEvent } from './party.ts';
import { snapshotRead } from './reader.ts';
import { router } from './router.ts';

const hour = 3_600_000_000;

/** Parties over one shard that answers at once, by a clock that is right; all time is virtual. */
function table() {
  const shard = asked();
  const parties = new Map<Party, { readonly client: number; wakeAt: number }>();
  let now = 10;
  let looks = 0;
  const ask = (client: number, operation: ShardOperation, way: string) => {
    const bytes = encode(shardOperation, operation);
    const { machine } = shard;
    return decode(
      shardResult,
      way === 'ordered' ? machine.apply(bytes, client) : machine.query(bytes),
    );
  };
  function step(party: Party, event: PartyEvent): void {
    const own = parties.get(party);
    if (own === undefined) return;
    const { asks, wakeAfter } = party.step({
      ...{ now, event },
      clock: { earliest: now - 5, latest: now + 5 },
    });
    own.wakeAt = wakeAfter === undefined ? Infinity : now + wakeAfter;
    for (const each of asks) {
      looks += 1;
      const result = ask(own.client, each.operation, each.way);
      step(party, { type: 'answer', id: each.id, result });
      if (each.way === 'ordered') changed();
    }
  }
  const changed = (): void => {
    for (const party of parties.keys()) step(party, { type: 'changed', group: 0 });
  };
  return {
    shard,
    changed,
    begin(party: Party, client: number) {
      parties.set(party, { client, wakeAt: Infinity });
      step(party, { type: 'start' });
    },
    /** Lets time go on; how many questions were asked meanwhile. */
    pass(span: number): number {
      const [before, end] = [looks, now + span];
      for (;;) {
        const [next] = [...parties].sort(([, one], [, two]) => one.wakeAt - two.wakeAt);
        if (next === undefined || next[1].wakeAt > end) break;
        now = Math.max(now, next[1].wakeAt);
        step(next[0], { type: 'wake' });
      }
      now = end;
      return looks - before;
    },
    now: () => now,
  };
}

const resting = { self: keeperId, group: 0, every: 5000, rest: 60_000_000, lease: 1_000_000 };

test('a keeper that is told of changes rests, and gives commits timestamps all the same', () => {
  const { shard, begin, pass, changed } = table();
  begin(keeper(resting), keeperId);
  pass(1_000_000);
  // An hour in which nobody wants anything costs a look a minute.
  expect(pass(hour)).toBeLessThanOrEqual(60);
  shard.access(1, 1, ['k']);
  changed();
  shard.commit(1, 'k', 'value');
  changed();
  pass(50_000);
  expect(shard.outcome(1).kind).toBe('committed');
  shard.ask(id(1).client, { kind: 'forget', transaction: id(1) });
  changed();
  pass(2_000_000);
  expect(pass(hour)).toBeLessThanOrEqual(60);
});

test('a read at a clock ends in a group that has rested for an hour', () => {
  const { begin, pass } = table();
  begin(keeper(resting), keeperId);
  pass(hour);
  let end: string | undefined;
  const routes = router([{ from: '', to: null, group: 0, epoch: 1 }]);
  const onEnd = ({ kind }: { kind: string }): void => void (end = kind);
  begin(snapshotRead({ router: routes, groups: [0], keys: ['k'], onEnd }), 90_000);
  pass(100_000);
  expect(end).toBe('read');
});

test('a transaction that begins in a group that has rested is not taken for silent', () => {
  const { shard, begin, pass, changed } = table();
  begin(keeper(resting), keeperId);
  pass(hour);
  shard.access(1, 1, ['k']);
  changed();
  pass(20_000);
  const prepare = { kind: 'prepare', transaction: id(1), writes: [write('k', 'v')] } as const;
  expect(shard.ask(id(1).client, prepare).kind).toBe('prepared');
});

test('one that nobody tells looks at each turn, and keeps its lease', () => {
  const { shard, begin, pass } = table();
  const { rest: _, ...looking } = resting;
  begin(keeper(looking), keeperId);
  expect(pass(10_000_000)).toBeGreaterThan(1000);
  const work = shard.query({ kind: 'work' });
  expect(work.kind === 'work' && work.lease?.number).toBe(1);
});
