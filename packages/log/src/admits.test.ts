/** What a service, and a client, could make something of: all else is not even looked at. */
import { firstClient, type PrincipalId, type Protocol } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { donor } from '../test/donor.ts';
import { getting } from '../test/getting.ts';
import { from, type Puppet, puppet, requestOf } from '../test/puppet.ts';
import { client } from './client.ts';
import { kv } from './key-value-store.ts';
import type { ServiceMessage } from './messages.ts';

type One = ReturnType<typeof puppet>;

const admits = (
  one: One,
  sender: PrincipalId,
  message: ServiceMessage | { kind: 'tug'; n: number },
) => one.machine().admits?.(from(sender, message) as never, one.now());
const expects = (one: One, kind: ServiceMessage['kind'] | 'tug', sender: PrincipalId) =>
  one.machine().expects?.(kind, sender);
const made = (protocol: Partial<Protocol<Puppet>> = {}) => puppet({ protocol });

const root = 'e'.repeat(64);
const query: ServiceMessage = {
  ...{ kind: 'query', sequence: 1, consistency: 'local', operations: [kv.get('a')] },
};

describe('a message of the protocol', () => {
  test('is for the protocol to judge, and passes where that says nothing', () => {
    const tug = (n: number) => ({ kind: 'tug', n }) as const;
    expect([admits(made(), 0, tug(1)), expects(made(), 'tug', 0)]).toEqual([true, true]);
    const strict = made({
      admits: { tug: (_, { n }) => n > 1 },
      expects: { tug: (_: unknown, sender: PrincipalId) => sender === 2 },
    } as Partial<Protocol<Puppet>>);
    expect([1, 2].map((n) => admits(strict, 0, tug(n)))).toEqual([false, true]);
    expect([0, 2].map((sender) => expects(strict, 'tug', sender))).toEqual([false, true]);
  });
});

describe('a request', () => {
  const admitsRequest = (one: One, request = requestOf(1)) =>
    one.machine().admits?.(request as never, one.now());

  test('passes if an honest client may have sent it, and the protocol has room', () => {
    expect(admitsRequest(made())).toBe(true);
    expect(admitsRequest(made(), { ...requestOf(1), from: firstClient + 1 })).toBe(false);
    expect(admitsRequest(made({ wants: () => true }))).toBe(true);
    expect(admitsRequest(made({ wants: () => false }))).toBe(false);
  });

  test('passes without room if there is something to say about it', () => {
    const full = made({ wants: () => false });
    full.decides(0);
    expect(admitsRequest(full, requestOf(1))).toBe(true);
    expect(admitsRequest(full, requestOf(2))).toBe(false);
    // A log of one slot tells all others that it is full.
    const short = made({ wants: () => false, length: 1 });
    expect(admitsRequest(short, requestOf(2))).toBe(true);
  });

  test('and a query may come from anybody, at any time', () => {
    for (const sender of [0, firstClient, firstClient + 9]) {
      expect(admits(made(), sender, query)).toBe(true);
      for (const kind of ['request', 'query'] as const)
        expect(expects(made(), kind, sender)).toBe(true);
    }
  });
});

describe('what is asked of a snapshot', () => {
  test('is asked by members', () => {
    const one = made();
    const asked: readonly ServiceMessage[] = [
      { kind: 'snapshot-request', slot: 3, root },
      { kind: 'chunk-request', root, index: 0 },
    ];
    for (const each of asked)
      for (const [sender, may] of [
        [0, true],
        [2, true],
        [firstClient, false],
      ] as const)
        expect([admits(one, sender, each), expects(one, each.kind, sender)]).toEqual([may, may]);
  });
});

describe('what is told of a snapshot', () => {
  const chunk = (index: number, of = root): ServiceMessage => ({
    ...{ kind: 'snapshot-chunk', root: of, index, bytes: new Uint8Array(1) },
  });

  test('is told to nobody who fetches none', () => {
    const one = made();
    const told: readonly ServiceMessage[] = [
      { kind: 'snapshot-manifest', slot: 3, size: 1, chunks: [root] },
      { kind: 'snapshot-absent', slot: 3, root },
      chunk(0),
    ];
    for (const each of told)
      expect([admits(one, 0, each), expects(one, each.kind, 0)]).toEqual([false, false]);
  });

  test('is of the one that is fetched, from those who were asked, as far as they are', () => {
    const { one, manifest, slot, root: wanted, shows } = getting(donor(80), [0]);
    const absent = { kind: 'snapshot-absent', slot, root: wanted } as const;
    const all = (sender: PrincipalId) => [
      admits(one, sender, manifest),
      admits(one, sender, { ...manifest, slot: slot + 1 } as ServiceMessage),
      admits(one, sender, absent),
      admits(one, sender, { ...absent, root }),
      admits(one, sender, chunk(0, wanted)),
    ];
    expect(all(0)).toEqual([true, false, true, false, false]);
    for (const sender of [2, firstClient]) expect(all(sender)).toEqual(Array(5).fill(false));
    const kinds = ['snapshot-manifest', 'snapshot-absent', 'snapshot-chunk'] as const;
    const expected = (sender: PrincipalId) => kinds.map((kind) => expects(one, kind, sender));
    expect([expected(0), expected(2)]).toEqual([
      [true, true, true],
      [false, false, false],
    ]);
    shows(0);
    // It owes four chunks now, and has shown what they are.
    expect(all(0)).toEqual([false, false, true, false, true]);
    expect([0, 3, 4, 79].map((index) => admits(one, 0, chunk(index, wanted)))).toEqual([
      ...[true, true, false, false],
    ]);
    expect(admits(one, 0, chunk(0))).toBe(false);
    expect(expected(0)).toEqual([false, true, true]);
    // What does not match its name comes from a liar: nothing more of it is wanted.
    one.hears(0, chunk(0, wanted));
    expect(all(0)).toEqual(Array(5).fill(false));
    expect(expected(0)).toEqual([false, false, false]);
  });
});

describe('an answer', () => {
  const kinds = ['reply', 'refusal', 'query-reply', 'redirect'] as const;
  const clock = { earliest: 0, latest: 0 };

  test('passes to a client that waits for it, from a member', () => {
    const machine = client({ matching: 1, ask: 'any', signed: false }, [0, 1, 2], firstClient, {
      orderReads: false,
    });
    const passes = (sender: PrincipalId, message: ServiceMessage) =>
      machine.admits?.(from(sender, message) as never, 0);
    const expected = (sender = 1) => kinds.map((kind) => machine.expects?.(kind, sender));
    expect(expected()).toEqual([false, false, false, false]);
    const ask = (id: number, operation: Uint8Array, readOnly: boolean): number => {
      const event = { type: 'submit', id, operation, readOnly } as const;
      const { sends } = machine.step({ now: 0, clock, event });
      const { message } = sends[0] as { readonly message: { readonly sequence: number } };
      return message.sequence;
    };
    const answers = (sequence: number, query: number): readonly ServiceMessage[] => [
      { kind: 'reply', client: firstClient, sequence, hash: 0, leader: 0, term: 1, results: [] },
      { kind: 'refusal', sequence, hash: 0, reason: 'log-full', next: 0 },
      { kind: 'query-reply', sequence: query, results: [] },
      { kind: 'redirect', about: 'request', sequence, leader: 0, term: 1 },
      { kind: 'redirect', about: 'query', sequence: query, leader: 0, term: 1 },
    ];
    const write = ask(1, kv.put('a', '1'), false);
    expect(expected()).toEqual([true, true, false, true]);
    const read = ask(2, kv.get('a'), true);
    expect(expected()).toEqual([true, true, true, true]);
    expect([expected(3), expected(firstClient)]).toEqual([
      [false, false, false, false],
      [false, false, false, false],
    ]);
    for (const each of answers(write, read)) {
      expect(passes(1, each), each.kind).toBe(true);
      expect(passes(firstClient, each), each.kind).toBe(false);
    }
    for (const each of answers(write + 7, read + 7)) expect(passes(1, each), each.kind).toBe(false);
    const [reply] = answers(write, read) as [ServiceMessage];
    expect(passes(1, { ...reply, client: firstClient + 1 } as ServiceMessage)).toBe(false);
    expect(passes(1, query)).toBe(false);
    // What nobody waits for is refused by a service too.
    for (const each of answers(write, read)) expect(admits(made(), 1, each)).toBe(false);
  });
});
