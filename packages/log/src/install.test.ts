/** A replica that gets a snapshot from others: which answers it takes, and what it has after it. */
import { bytes as bytesField, type Digest, firstClient, type Signed } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { change, donor, group, operation, service } from '../test/donor.ts';
import { from, puppet, requestOf } from '../test/puppet.ts';
import { digestOf } from '../test/world.ts';
import {
  chunkBytes,
  maxSnapshotBytes,
  type ServiceMessage,
  type SnapshotManifest,
} from './messages.ts';
import { rootOf } from './snapshots.ts';

type Puppet = ReturnType<typeof puppet>;
type Said = ReturnType<Puppet['step']>;
type Of<K extends ServiceMessage['kind']> = Extract<ServiceMessage, { readonly kind: K }>;

const chunkField = bytesField(chunkBytes);

/** One that wishes for the newest snapshot of `of`, from `holders`. */
function taker(of: Puppet, holders: readonly number[] = [0, 1, 2], options: object = {}): Puppet {
  const one = puppet({ self: 1, service, ...options });
  said.set(
    one,
    one.does((ctx) => fetch(ctx, of, holders)),
  );
  return one;
}
const said = new WeakMap<Puppet, Said>();
const fetch = (
  ctx: { fetchSnapshot(slot: number, digest: Digest, holders: readonly number[]): void },
  of: Puppet,
  holders: readonly number[],
) => ctx.fetchSnapshot(of.newest()?.slot ?? 0, of.newest()?.digest ?? '', holders);

type Spoil = (message: ServiceMessage) => ServiceMessage | undefined;
const honest: Spoil = (message) => message;

/**
 * Carries everything between the taker and holders that all have what `of` has, until nothing is
 * under way or the taker has installed something. Returns who was asked for what.
 */
function carry(one: Puppet, of: Puppet, spoil: Readonly<Record<number, Spoil>> = {}): string[] {
  const asked: string[] = [];
  let open = [...(said.get(one)?.sends ?? [])];
  for (let i = 0; i < 300 && open.length > 0; i++) {
    const [next, ...rest] = open;
    open = rest;
    if (next === undefined) break;
    asked.push(`${next.to} ${next.message.kind}`);
    const answers = of.run({ type: 'message', message: from(1, next.message as ServiceMessage) });
    one.wait(100);
    for (const { message } of answers.sends) {
      const told = (spoil[next.to as number] ?? honest)(message as ServiceMessage);
      if (told !== undefined) open.push(...one.hears(next.to as number, told).sends);
    }
  }
  return asked;
}

const shelfOf = (one: Puppet) =>
  (
    one.machine().snapshot().volatile.service as {
      readonly shelf: { readonly places: ReadonlyMap<Digest, { readonly row: number }> };
    }
  ).shelf;
const installed = (one: Puppet) => one.heard.filter(([what]) => what === 'installed');
const slotOf = (of: Puppet) => of.newest()?.slot ?? -1;

describe('a replica that is given a snapshot', () => {
  test('is what its donor is: state, sessions, group and hash, also after a restart', () => {
    const of = donor();
    const one = taker(of);
    // What was decided above the snapshot runs right after it, and what is below never does.
    one.decides(5, 12, 13);
    const asked = carry(one, of);
    expect(asked.slice(0, 2)).toEqual(['0 snapshot-request', '2 snapshot-request']);
    expect(asked.filter((each) => each.endsWith('chunk-request')).length).toBeGreaterThan(2);
    expect(installed(one)).toEqual([['installed', 11, of.newest()?.digest, group]]);
    expect(one.newest()).toEqual({ ...of.newest(), origin: 'installed', rows: expect.anything() });
    of.decides(12, 13);
    expect(one.state()).toEqual(of.state());
    one.decides(14);
    of.decides(14);
    one.restart();
    one.decides(12, 13, 14);
    expect(one.state()).toEqual(of.state());
    const repeated = one.does((ctx) => ctx.decide(15, [requestOf(15)]));
    expect(repeated.applied).toMatchObject([{ slot: 15, fresh: false }]);
  });

  test('knows the group when it takes the next one itself, and counts from there', () => {
    const of = donor();
    const one = taker(of, [0], { protocol: { snapshotEvery: 14 } });
    carry(one, of);
    one.decides(12, 13);
    expect(one.heard.at(-1)).toEqual(['taken', 13, one.newest()?.digest, group]);
    expect(one.newest()).toMatchObject({ slot: 13, origin: 'taken' });
    one.restart();
    one.does((ctx) => ctx.decide(14, [requestOf(15, [operation(14)])]));
    for (const slot of [12, 13, 14]) of.decides(slot);
    expect(one.state().next).toBe(15);
  });

  test('lets go of one of its own that is older, and finishes one that is newer', () => {
    const of = donor();
    for (const own of [3, 14]) {
      const slow = { ...service, stepBytes: 1 };
      const one = taker(of, [0], { protocol: { snapshotEvery: own }, service: slow });
      // Its own begins in the same step in which the last chunk comes, or before.
      for (let slot = 0; slot < 3; slot++) one.step({ type: 'timeout', timer: 'service/client' });
      one.decides(0, 1, 2);
      carry(one, of);
      one.decides(12, 13);
      expect(one.state().next).toBe(14);
      const { places } = shelfOf(one);
      const kept = new Set([...(one.disk().serviceSnapshot?.rows ?? [])]);
      for (const { rows } of one.disk().serviceOlder.values())
        for (const row of rows) kept.add(row);
      // No chunk stays that belongs to nothing.
      expect(new Set([...places.values()].map(({ row }) => row))).toEqual(kept);
      expect(one.newest()?.slot).toBe(own === 14 ? 13 : 11);
    }
  });

  test('gives it to the next one', () => {
    const of = donor();
    const one = taker(of);
    carry(one, of);
    const third = taker(one, [1, 2], { self: 2 });
    carry(third, one);
    expect(third.state()).toEqual(of.state());
  });

  test('asks for each chunk once while its holders answer, and for nothing that it has', () => {
    const of = donor();
    const one = taker(of, [0]);
    const asked = carry(one, of);
    const chunks = asked.filter((each) => each === '0 chunk-request').length;
    expect(new Set(asked).size).toBe(2);
    expect(asked.filter((each) => each === '0 snapshot-request')).toHaveLength(1);
    // A later one shares most of its chunks with it.
    const later = donor(13);
    said.set(
      one,
      one.does((ctx) => fetch(ctx, later, [0])),
    );
    const more = carry(one, later).filter((each) => each === '0 chunk-request').length;
    expect(installed(one)).toHaveLength(2);
    expect(more).toBeLessThanOrEqual(chunks);
    expect(one.state()).toEqual(later.state());
  });

  test('wishes for none that it has, or has gone beyond', () => {
    const of = donor();
    const one = taker(of);
    carry(one, of);
    for (const slot of [11, 10]) {
      const { sends } = one.does((ctx) => ctx.fetchSnapshot(slot, 'aa'.repeat(32), [0, 2]));
      expect(sends).toEqual([]);
      expect(installed(one).at(-1)).toEqual(['installed', slot, 'aa'.repeat(32), undefined]);
    }
    const { sends } = one.does((ctx) => ctx.fetchSnapshot(12, 'aa'.repeat(32), [1]));
    expect(sends).toEqual([]);
    expect(
      one.does((ctx) => ctx.fetchSnapshot(12, 'aa'.repeat(32), [1, 2])).sends.map(({ to }) => to),
    ).toEqual([2]);
  });

  test('needs it no longer when decisions have led there', () => {
    const of = donor(3);
    const one = taker(of);
    one.does((ctx) => {
      ctx.decide(0, [requestOf(1, [operation(0)])]);
      ctx.decide(1, [change(1)], undefined, { state: group });
    });
    expect(installed(one)).toEqual([]);
    const done = one.does((ctx) => ctx.decide(2, [requestOf(3, [operation(2)])]));
    expect(installed(one)).toEqual([['installed', 2, of.newest()?.digest, undefined]]);
    expect(done.timers).toContainEqual({ type: 'clear', timer: 'service/transfer' });
    // Nobody is listened to any more.
    expect(carry(one, of)).toHaveLength(2);
    expect(one.state()).toEqual(of.state());
  });
});

const chunk =
  (how: (message: Of<'snapshot-chunk'>) => ServiceMessage | undefined): Spoil =>
  (message) =>
    message.kind === 'snapshot-chunk' ? how(message) : message;
const manifest =
  (how: (message: Of<'snapshot-manifest'>) => ServiceMessage | undefined): Spoil =>
  (message) =>
    message.kind === 'snapshot-manifest' ? how(message) : message;

/** What a holder may say in place of the truth. Some are lies by which it is known for a liar. */
const lies: Readonly<Record<string, Spoil>> = {
  'a byte of a chunk is another': chunk((each) => ({
    ...each,
    bytes: each.bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
  })),
  'a chunk is cut short': chunk((each) => ({ ...each, bytes: each.bytes.slice(1) })),
  'two chunks change places': manifest(({ chunks: [one, two, ...rest], ...each }) => ({
    ...each,
    chunks: [two, one, ...rest] as readonly Digest[],
  })),
  'a chunk is left out': manifest((each) => ({ ...each, chunks: each.chunks.slice(1) })),
  'the size is another': manifest((each) => ({ ...each, size: each.size + 1 })),
  'there are no chunks': manifest((each) => ({ ...each, chunks: [] })),
};
/** Others are mistaken for late answers, and only useless. */
const useless: Readonly<Record<string, Spoil>> = {
  'chunks come under other numbers': chunk((each) => ({ ...each, index: (each.index + 1) % 3 })),
  'chunks of another snapshot': chunk((each) => ({ ...each, root: 'ab'.repeat(32) })),
  'a chunk that there is not': chunk((each) => ({ ...each, index: 99 })),
  'the manifest of another slot': manifest((each) => ({ ...each, slot: each.slot - 1 })),
  'that it has none': manifest(({ slot }) => ({ kind: 'snapshot-absent', slot, root: 'aa' })),
  nothing: () => undefined,
};

describe('a holder that lies', () => {
  test.each(Object.entries(lies))('%s: it is not asked again, and the other is', (name, lie) => {
    const of = donor();
    for (const liar of [0, 2]) {
      const one = taker(of);
      const asked = carry(one, of, { [liar]: lie }).filter((each) => each.startsWith(`${liar} `));
      // By then each may owe a few chunks; what it owed is asked of the other.
      expect(asked.length).toBeLessThan(name.includes('chunk') ? 7 : 2);
      expect(installed(one)).toHaveLength(1);
      expect(one.state()).toEqual(of.state());
    }
  });

  test.each(Object.entries({ ...lies, ...useless }))('%s: alone it brings nothing', (_, lie) => {
    const of = donor();
    const one = taker(of, [0]);
    const before = one.state();
    carry(one, of, { 0: lie });
    expect(installed(one)).toEqual([]);
    expect(one.state()).toEqual(before);
    expect(one.newest()).toBe(null);
  });

  test.each(Object.entries(useless))('%s: others are asked when it takes too long', (_, lie) => {
    const of = donor();
    const one = taker(of);
    carry(one, of, { 0: lie });
    for (let i = 0; i < 20 && installed(one).length === 0; i++) {
      one.wait(500_000);
      said.set(one, one.run({ type: 'timeout', timer: 'service/transfer' }));
      carry(one, of, { 0: lie });
    }
    expect(one.state()).toEqual(of.state());
  });

  test('is not asked for another snapshot either, until nobody else is left', () => {
    const of = donor();
    const one = taker(of, [0, 2]);
    carry(one, of, { 0: lies['a chunk is cut short'] as Spoil, 2: () => undefined });
    const later = donor(13);
    const wish = one.does((ctx) => fetch(ctx, later, [0, 2]));
    const to = (output: Said) => output.sends.map((each) => each.to);
    const heard = [...to(wish)];
    for (let i = 0; i < 6; i++) {
      one.wait(1_500_000);
      heard.push(...to(one.run({ type: 'timeout', timer: 'service/transfer' })));
    }
    expect(heard.length).toBeGreaterThan(2);
    expect(new Set(heard)).toEqual(new Set([2]));
    // All of them having lied, all are asked once more: too many liars there are not.
    const alone = taker(of, [0]);
    carry(alone, of, { 0: lies['a chunk is cut short'] as Spoil });
    expect(to(alone.run({ type: 'timeout', timer: 'service/transfer' }))).toEqual([]);
    alone.wait(10_000_000);
    said.set(alone, alone.run({ type: 'timeout', timer: 'service/transfer' }));
    carry(alone, of);
    expect(alone.state()).toEqual(of.state());
  });

  test('with the right digests for what is no snapshot leaves its replica as it was', () => {
    const of = donor(3);
    const bytes = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)];
    const good = of.disk();
    const rows = (good.serviceSnapshot?.rows ?? []).map((row) => good.serviceChunks.get(row));
    const colophon = rows.at(-1) as Uint8Array;
    // Nonsense, one without its last chunk, the last chunk alone, and that of another slot.
    for (const [slot, all] of [
      [2, bytes],
      [2, rows.slice(0, -1)],
      [2, [colophon]],
      [7, rows],
    ] as readonly (readonly [number, readonly Uint8Array[]])[]) {
      const chunks = all.map((each) => digestOf(chunkField, each));
      const size = all.reduce((sum, each) => sum + each.length, 0);
      const made: SnapshotManifest = { kind: 'snapshot-manifest', slot, size, chunks };
      const root = rootOf(made, digestOf);
      const one = puppet({ self: 1, service });
      const before = one.state();
      one.does((ctx) => ctx.fetchSnapshot(slot, root, [0]));
      let { sends } = one.hears(0, made);
      for (let i = 0; i < 20 && sends.length > 0; i++) {
        const next: (typeof sends)[number][] = [];
        for (const { message } of sends)
          if (message.kind === 'chunk-request')
            next.push(
              ...one.hears(0, {
                kind: 'snapshot-chunk',
                root,
                index: message.index,
                bytes: all[message.index] as Uint8Array,
              }).sends,
            );
        sends = next;
      }
      expect(installed(one)).toEqual([]);
      expect(one.state()).toEqual(before);
      expect(one.decides(0).applied).toHaveLength(1);
    }
  });

  test('with the right digest for a manifest that no snapshot has is asked for no chunk', () => {
    const chunks = ['ab'.repeat(32)];
    for (const [size, names, fits] of [
      [chunkBytes, chunks, true],
      [chunkBytes + 1, chunks, false],
      [maxSnapshotBytes + 1, Array(maxSnapshotBytes / chunkBytes + 1).fill(chunks[0]), false],
      [0, [], false],
    ] as readonly (readonly [number, readonly Digest[], boolean])[]) {
      const made: SnapshotManifest = { kind: 'snapshot-manifest', slot: 2, size, chunks: names };
      const one = puppet({ self: 1, service });
      one.does((ctx) => ctx.fetchSnapshot(2, rootOf(made, digestOf), [0]));
      expect(one.hears(0, made).sends).toHaveLength(fits ? 1 : 0);
    }
  });
});

test('only what was asked for is worth checking', () => {
  const of = donor();
  const one = taker(of, [0]);
  const admits = (sender: number, message: ServiceMessage) =>
    one.machine().admits?.(from(sender, message) as Signed<ServiceMessage>, 0);
  const expects = (sender: number, kind: ServiceMessage['kind']) =>
    one.machine().expects?.(kind, sender);
  const root = of.newest()?.digest as Digest;
  const slot = slotOf(of);
  const answer = (message: ServiceMessage): ServiceMessage =>
    of.hears(1, message).sends[0]?.message as ServiceMessage;
  const whole = answer({ kind: 'snapshot-request', slot, root });
  const part = answer({ kind: 'chunk-request', root, index: 0 }) as Of<'snapshot-chunk'>;
  const absent = { kind: 'snapshot-absent', slot, root } as const;
  expect(admits(0, whole)).toBe(true);
  expect(admits(0, absent)).toBe(true);
  const parts = ['snapshot-manifest', 'snapshot-absent', 'snapshot-chunk'] as const;
  expect(parts.map((kind) => expects(0, kind))).toEqual([true, true, true]);
  for (const sender of [2, firstClient])
    expect(parts.map((kind) => expects(sender, kind))).toEqual([false, false, false]);
  for (const kind of ['request', 'query'] as const) expect(expects(firstClient, kind)).toBe(true);
  for (const kind of ['snapshot-request', 'chunk-request'] as const)
    expect([expects(2, kind), expects(firstClient, kind)]).toEqual([true, false]);
  for (const kind of ['reply', 'refusal', 'query-reply', 'redirect'] as const)
    expect(expects(2, kind)).toBe(false);
  for (const [sender, message] of [
    [2, whole],
    [firstClient, whole],
    [0, { ...whole, slot: slot + 1 } as ServiceMessage],
    [0, { ...absent, root: 'aa'.repeat(32) }],
    [2, absent],
    [0, part],
  ] as readonly (readonly [number, ServiceMessage])[])
    expect(admits(sender, message)).toBe(false);
  one.hears(0, whole);
  expect(admits(0, whole)).toBe(false);
  expect(admits(0, part)).toBe(true);
  expect(parts.map((kind) => expects(0, kind))).toEqual([false, true, true]);
  expect(admits(0, { ...part, index: 99 })).toBe(false);
  expect(admits(0, { ...part, root: 'aa'.repeat(32) })).toBe(false);
  expect(admits(2, part)).toBe(false);
  one.hears(0, { ...part, bytes: new Uint8Array(3) });
  expect([admits(0, part), admits(0, absent)]).toEqual([false, false]);
  expect(parts.map((kind) => expects(0, kind))).toEqual([false, false, false]);
});
