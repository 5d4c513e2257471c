/** Whom a replica asks for a snapshot, how much at a time, and when it asks another. */
import { type Digest, ms } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { donor, group, operation, service } from '../test/donor.ts';
import { alarm, asks, chunksAsked, getting } from '../test/getting.ts';
import { requestOf } from '../test/puppet.ts';

describe('a replica that fetches a snapshot', () => {
  test('asks all holders for its manifest, and again the later the less they answer', () => {
    const { begun, rings } = getting(donor(), [0, 2]);
    expect([asks(begun), alarm(begun)]).toEqual([
      ['0 snapshot-request', '2 snapshot-request'],
      [ms(500)],
    ]);
    expect(rings(ms(499)).sends).toEqual([]);
    const waits = [1, 999, 1, 1999, 1, 1999, 1].map((later) => asks(rings(ms(later))).length);
    expect(waits).toEqual([2, 0, 2, 0, 2, 0, 2]);
  });

  test('lets each holder owe four chunks, one more for each that comes, and all of them 24', () => {
    const { shows, gives } = getting(donor(80), [0, 2]);
    const first = chunksAsked(shows(0));
    expect(first).toEqual([0, 1, 2, 3].map((index) => ({ to: 0, index })));
    let owed = 4;
    let most = 0;
    for (let index = 0; index < 20; index++) {
      const more = chunksAsked(gives(0, index));
      owed += more.length - 1;
      most = Math.max(most, owed);
      // Nothing is asked for twice.
      for (const each of more) expect(each.index).toBeGreaterThan(index + 3);
    }
    expect(most).toBe(16);
    // The other one shares what is left.
    const other = chunksAsked(shows(2));
    expect(other.map(({ to }) => to)).toEqual([2, 2, 2, 2]);
    for (let i = 0; i < 4; i++) {
      owed += chunksAsked(gives(2, other[i]?.index ?? 0)).length;
      expect(owed).toBeLessThanOrEqual(24);
    }
  });

  test('asks another for what is late, and takes it all the same when it comes', () => {
    const { one, shows, gives, rings } = getting(donor(40), [0, 2]);
    const [late] = chunksAsked(shows(0, ms(10)));
    expect(late).toEqual({ to: 0, index: 0 });
    shows(2, ms(10));
    // Its manifest took 10 ms, so its chunks may take 50 ms, and not half a second.
    expect(chunksAsked(rings(ms(45)))).toEqual([]);
    // What comes from the other one lets it be asked for more: first for what is late.
    const again = chunksAsked(gives(2, 4, 1));
    expect(again).toEqual([0, 1].map((index) => ({ to: 2, index })));
    const before = one.disk().serviceChunks.size;
    gives(0, 0);
    expect(one.disk().serviceChunks.size).toBe(before + 1);
    // Nobody is listened to who was not asked.
    gives(2, 39);
    expect(one.disk().serviceChunks.size).toBe(before + 1);
  });

  test('asks who has nothing to do for what the others owe, but not at once', () => {
    const { shows, gives, rings } = getting(donor(3), [0, 2]);
    const owed = chunksAsked(shows(0, ms(10)));
    expect(owed.length).toBeGreaterThan(3);
    expect(chunksAsked(shows(2, ms(1)))).toEqual([]);
    expect(chunksAsked(rings(ms(3)))).toEqual([]);
    // Twice as long as its own answers take: 11 ms.
    const hasty = chunksAsked(rings(ms(22)));
    expect(hasty).toEqual(owed.map(({ index }) => ({ to: 2, index })));
    for (const { index } of owed) gives(2, index);
  });

  test('leaves who has none alone for a while, and asks again', () => {
    const { one, rings, manifest } = getting(donor(), [0]);
    const { slot } = manifest as { readonly slot: number };
    const root = donor().newest()?.digest as Digest;
    const absent = { kind: 'snapshot-absent', slot, root } as const;
    one.hears(0, absent);
    expect(asks(rings(ms(1999)))).toEqual([]);
    expect(asks(rings(ms(1)))).toEqual(['0 snapshot-request']);
  });

  test('fetches another one when nothing comes of the first, and turns back to it', () => {
    const [early, later] = [donor(12), donor(20)];
    const { one, shows, rings } = getting(early, [0]);
    shows(0);
    const { slot, digest: root } = later.newest() as {
      readonly slot: number;
      readonly digest: Digest;
    };
    const wish = one.does((ctx) => ctx.fetchSnapshot(slot, root, [2]));
    // The first one is not given up while its chunks may still come.
    expect(asks(wish)).toEqual([]);
    expect(asks(rings(ms(900)))).not.toContain('2 snapshot-request');
    expect(asks(rings(ms(101)))).toContain('2 snapshot-request');
    // Nobody has that one, so the first is fetched again, and its manifest is known.
    const turned = one.hears(2, { kind: 'snapshot-absent', slot, root });
    expect(asks(turned)).toEqual([]);
    expect(asks(rings(ms(2000)))).toContain('0 snapshot-request');
  });

  test('goes at once to another where all say that they have none', () => {
    const [early, later] = [donor(12), donor(20)];
    const { one, manifest } = getting(early, [0]);
    const wished = later.newest() as { readonly slot: number; readonly digest: Digest };
    one.does((ctx) => ctx.fetchSnapshot(wished.slot, wished.digest, [2]));
    const { slot } = manifest as { readonly slot: number };
    const root = early.newest()?.digest as Digest;
    const turned = one.hears(0, { kind: 'snapshot-absent', slot, root });
    expect(asks(turned)).toEqual(['2 snapshot-request']);
    // More holders of what is fetched are asked, too, each once.
    const more = one.does((ctx) => ctx.fetchSnapshot(wished.slot, wished.digest, [0, 2]));
    expect(asks(more)).toEqual(['0 snapshot-request']);
  });
});

test('where chunks are read back from the disk, nothing else changes', () => {
  const of = donor();
  const plain = getting(of, [0]);
  const lean = getting(of, [0], { readsDisk: true });
  for (const { one, shows, gives } of [plain, lean]) {
    let open = chunksAsked(shows(0));
    while (open.length > 0) open = open.flatMap(({ index }) => chunksAsked(gives(0, index)));
    expect(one.heard.at(-1)).toEqual(['installed', 11, of.newest()?.digest, group]);
    expect(one.state()).toEqual(of.state());
    one.does((ctx) => ctx.decide(12, [requestOf(13, [operation(12)])]));
    one.restart();
    const chunk = { kind: 'chunk-request', root: of.newest()?.digest as Digest, index: 3 } as const;
    expect(asks(one.hears(2, chunk))).toEqual(['2 snapshot-chunk']);
  }
  expect(lean.one.state()).toEqual(plain.one.state());
  expect(lean.one.disk()).toEqual(plain.one.disk());
});

test('a machine forked in the middle of all its work goes on alike, and apart', () => {
  const of = donor(30);
  const make = () => {
    const { one, shows } = getting(of, [0, 2], {
      protocol: { snapshotEvery: 4, length: 90 },
      service: { ...service, stepBytes: 1 },
    });
    shows(0);
    one.step({ type: 'submit', id: 1, operation: operation(1), readOnly: false });
    one.step({ type: 'submit', id: 2, operation: operation(2), readOnly: true, within: 500 });
    const query = {
      kind: 'query',
      sequence: 1,
      consistency: 'linearizable',
      operations: [],
    } as const;
    one.hears(70_000, query);
    one.hears(70_001, requestOf(1, [operation(9)], 70_001));
    for (const slot of [0, 1, 2, 3, 5, 6])
      one.does((ctx) => ctx.decide(slot, [requestOf(slot + 1, [operation(slot)])]));
    return one;
  };
  const one = make();
  const { now } = one;
  const clock = { earliest: now(), latest: now() };
  const fork = one.machine().fork();
  expect(fork.snapshot()).toEqual(one.machine().snapshot());
  const before = one.machine().snapshot();
  const chunk = of.hears(1, {
    kind: 'chunk-request',
    root: of.newest()?.digest as Digest,
    index: 0,
  });
  const events = [
    { type: 'timeout', timer: 'service/snapshot' },
    {
      type: 'message',
      message: { ...chunk.sends[0]?.message, from: 0, signature: new Uint8Array() },
    },
    { type: 'timeout', timer: 'service/transfer' },
    { type: 'timeout', timer: 'service/client' },
    { type: 'cancel', id: 1 },
    { type: 'read', id: 4 },
    { type: 'timeout', timer: 'service/snapshot' },
  ] as unknown as Parameters<typeof one.step>[0][];
  const theirs = events.map((event) => fork.step({ now: now(), clock, event }));
  expect(one.machine().snapshot()).toEqual(before);
  expect(events.map((event) => one.step(event))).toEqual(theirs);
  expect(one.machine().snapshot()).toEqual(fork.snapshot());
  expect(one.machine().status()).toEqual(fork.status());
});
