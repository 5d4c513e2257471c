/** What a service makes of what its protocol says, one step at a time. */
import {
  decode,
  encode,
  firstClient,
  firstSequenceOf,
  integer,
  maxOperationBytes,
  maxOperations,
  maxRequestBytes,
  type Request,
  type Signed,
} from '@quorumlab/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { from, puppet, requestOf, sentIn, slotsOf } from '../test/puppet.ts';
import { runs } from '../test/runs.ts';
import { digestOf } from '../test/world.ts';
import { keyValueStore, kv } from './key-value-store.ts';
import { maxOutstanding, outcome, sessionNumber } from './messages.ts';

test('decisions run in the order of their slots, each once, however they come', () => {
  const slots = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 7, maxLength: 20 });
  const property = fc.property(slots, fc.boolean(), (order, restarts) => {
    const all = [...order, 0, 1, 2, 3, 4, 5, 6];
    const one = puppet();
    const ran = all.flatMap((slot, i) => {
      const said = slotsOf(one.decides(slot));
      if (restarts && i === 5) one.machine().restore(one.machine().fork().snapshot());
      return said;
    });
    expect(ran).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const other = puppet();
    other.decides(0, 1, 2, 3, 4, 5, 6);
    expect(one.state()).toEqual(other.state());
    expect(one.state().next).toBe(7);
  });
  fc.assert(property, { numRuns: runs(40) });
});

describe('a read of a client', () => {
  const query = (sequence: number, consistency: 'linearizable' | 'local' = 'linearizable') =>
    ({ kind: 'query', sequence, consistency, operations: [kv.get('a')] }) as const;
  const led = () => puppet({ self: 0 });

  test('is answered when all up to the slot that its protocol names has run', () => {
    const one = led();
    one.decides(0, 1);
    expect(one.hears(firstClient, query(5)).sends).toEqual([]);
    expect(one.hears(firstClient, query(6)).sends).toEqual([]);
    expect(one.heard).toEqual([
      ['read', 0],
      ['read', 2],
    ]);
    // One may be answered at once, the other waits for a slot; neither is one of the host's.
    const now = one.does((ctx) => {
      ctx.allowRead(0, 2);
      ctx.allowRead(2, 1);
    });
    expect(now.reads).toEqual([]);
    expect(sentIn(now)).toMatchObject([{ kind: 'query-reply', sequence: 6 }]);
    const later = sentIn(one.decides(2)).filter(({ kind }) => kind === 'query-reply');
    expect(later).toMatchObject([{ sequence: 5, results: [encodedValue('1,2,3,')] }]);
    expect(one.decides(3).sends.filter(({ message }) => message.kind === 'query-reply')).toEqual(
      [],
    );
  });

  test('goes to the leader unless any state will do; one of the host keeps its number', () => {
    const one = puppet();
    expect(sentIn(one.hears(firstClient, query(1)))).toEqual([
      { kind: 'redirect', about: 'query', sequence: 1, leader: 0, term: 3 },
    ]);
    expect(sentIn(one.hears(firstClient, query(2, 'local')))).toMatchObject([
      { kind: 'query-reply', sequence: 2 },
    ]);
    one.step({ type: 'read', id: 7 });
    expect(one.heard).toEqual([['read', 15]]);
    expect(one.does((ctx) => ctx.allowRead(15, 0)).reads).toEqual([{ id: 7, upTo: 0 }]);
  });

  test('is refused where one replica’s word is not enough, or its protocol cannot read', () => {
    for (const protocol of [
      { client: { matching: 2, ask: 'any', signed: false } },
      { read: undefined },
    ] as object[])
      expect(sentIn(puppet({ self: 0, protocol }).hears(firstClient, query(1)))).toMatchObject([
        { kind: 'query-reply', results: null },
      ]);
  });

  test('that nobody allows gives its room to later ones', () => {
    const one = led();
    for (let sequence = 1; sequence <= 1026; sequence++) one.hears(firstClient, query(sequence));
    one.decides(0);
    const said = one.does((ctx) => {
      for (let i = 0; i < 1026; i++) ctx.allowRead(2 * i, 0);
    });
    expect(sentIn(said).map((each) => 'sequence' in each && each.sequence)).toEqual(
      Array.from({ length: 1024 }, (_, i) => i + 3),
    );
  });

  test('is not driven out by those of another, however many and large they are', () => {
    const answered = (operations: readonly Uint8Array[], times: number) => {
      const one = led();
      one.hears(firstClient, query(1));
      for (let sequence = 1; sequence <= times; sequence++)
        one.hears(firstClient + 1, { ...query(sequence), operations });
      one.decides(0);
      const said = one.does((ctx) => {
        for (let i = 0; i <= times; i++) ctx.allowRead(2 * i, 0);
      });
      return said.sends.map(({ to }) => (to as number) - firstClient);
    };
    const many = answered([kv.get('a')], 1100);
    expect([many[0], many.length]).toEqual([0, 1024]);
    const large = answered(Array(8).fill(new Uint8Array(maxOperationBytes)), 40);
    expect([large[0], large.length]).toEqual([0, 1 + (16 << 20) / (8 * maxOperationBytes) - 1]);
  });

  test('gets as many results as fit into an answer, and none after the first that does not', () => {
    const sized = {
      ...keyValueStore(),
      query: (of: Uint8Array) => new Uint8Array(decode(size, of)),
    };
    const size = integer();
    const one = puppet({ self: 0, service: { stateMachine: () => sized } });
    const results = (...sizes: readonly number[]) => {
      const operations = sizes.map((each) => encode(size, each));
      const said = one.hears(firstClient, { ...query(1, 'local'), operations });
      const [answer] = sentIn(said);
      return answer?.kind === 'query-reply' ? answer.results?.map(({ length }) => length) : [];
    };
    expect(results(1, maxOperationBytes, 2)).toEqual([1, maxOperationBytes, 2]);
    expect(results(1, maxOperationBytes + 1, 2)).toEqual([1]);
    const most = Array.from({ length: 16 }, () => maxOperationBytes);
    expect(results(...most, 0)).toEqual([...most, 0]);
    expect(results(...most, 1, 0)).toEqual(most);
  });
});

const encodedValue = (text: string): Uint8Array => {
  const store = keyValueStore();
  store.apply(kv.put('a', text));
  return store.query(kv.get('a'));
};

/** What no honest client says, and the largest that one may say. */
const forms: Readonly<Record<string, readonly [runs: boolean, Partial<Signed<Request>>]>> = {
  'of another principal': [false, { from: firstClient + 1 }],
  'for the application and about the group': [false, { configuration: Uint8Array.of(1) }],
  'that waits for what comes later': [false, { acknowledged: 2000 }],
  'with as many before it as may be': [true, { acknowledged: 1999 - maxOutstanding + 1 }],
  'with one more before it': [false, { acknowledged: 1999 - maxOutstanding }],
  'that waits for another life': [
    false,
    { sequence: firstSequenceOf(1), acknowledged: firstSequenceOf(1) - 2 },
  ],
  'with most operations': [true, { operations: Array(maxOperations).fill(kv.get('a')) }],
  'with an operation too many': [false, { operations: Array(maxOperations + 1).fill(kv.get('a')) }],
  'with the largest operation': [true, { operations: [new Uint8Array(maxOperationBytes)] }],
  'with a larger operation': [false, { operations: [new Uint8Array(maxOperationBytes + 1)] }],
  'with most bytes': [
    true,
    {
      operations: Array(maxRequestBytes / maxOperationBytes).fill(
        new Uint8Array(maxOperationBytes),
      ),
    },
  ],
  'with a byte more': [
    false,
    {
      operations: [
        ...Array(maxRequestBytes / maxOperationBytes).fill(new Uint8Array(maxOperationBytes)),
        Uint8Array.of(1),
      ],
    },
  ],
};

test.each(Object.entries(forms))(
  'a request %s runs only if its client may say it',
  (_, [runs, part]) => {
    const one = puppet({
      digest: (field, value) => ('operations' in value ? 'aa'.repeat(32) : digestOf(field, value)),
    });
    const request = { ...requestOf(1999), ...part };
    expect(one.machine().admits?.(request, 0)).toBe(runs);
    // Neither what a client sends nor what a lying leader orders.
    expect(sentIn(one.hears(request.from, request)).length).toBe(runs ? 1 : 0);
    expect(slotsOf(one.does((ctx) => ctx.decide(0, [request])))).toEqual(runs ? [0] : []);
    const next = requestOf(1, [kv.get('a')], firstClient + 5);
    expect(slotsOf(one.does((ctx) => ctx.decide(1, [next])))).toEqual([1]);
  },
);

describe('a client', () => {
  const anybody = { client: { matching: 2, ask: 'any', signed: true } } as const;

  test('is answered by the leader, or by everybody where it compares answers', () => {
    const answers = (self: number, protocol: object) =>
      sentIn(puppet({ self, protocol }).decides(0)).map(({ kind }) => kind);
    expect([answers(0, {}), answers(1, {})]).toEqual([['reply'], []]);
    expect([answers(0, anybody), answers(1, anybody)]).toEqual([['reply'], ['reply']]);
  });

  test('is sent to the leader, unless replicas hand on what they are asked', () => {
    const forwards = {
      client: { matching: 1, ask: 'leader', signed: false, forwards: true },
    } as const;
    const asked = (self: number, protocol: object) => {
      const one = puppet({ self, protocol });
      const said = sentIn(one.hears(firstClient, requestOf(1)));
      return [said.map(({ kind }) => kind).join(), one.heard.map(([what]) => what).join()];
    };
    expect(asked(0, {})).toEqual(['', 'propose']);
    expect(asked(1, {})).toEqual(['redirect', '']);
    expect(asked(1, forwards)).toEqual(['', 'propose']);
    expect(asked(1, { ...forwards, status: () => ({ term: 3, role: '' }) })).toEqual([
      'redirect',
      '',
    ]);
    expect(asked(1, anybody)).toEqual(['', 'propose']);
  });

  test('that repeats what ran is answered at once, and what never will is refused', () => {
    const one = puppet();
    one.decides(0, 1, 2);
    const again = sentIn(one.hears(firstClient, requestOf(3)));
    expect(again).toMatchObject([{ kind: 'reply', sequence: 3, client: firstClient, term: 3 }]);
    const other = requestOf(3, [kv.put('a', 'other')]);
    expect(sentIn(one.hears(firstClient, other))).toMatchObject([
      { kind: 'refusal', sequence: 3, reason: 'sequence-reused' },
    ]);
    expect(sentIn(one.hears(firstClient, requestOf(2)))).toMatchObject([{ reason: 'too-old' }]);
    expect(one.heard).toEqual([]);
  });

  test('that asks for a session is told its number when that was ordered, and nothing runs', () => {
    const one = puppet({ self: 0 });
    one.decides(0);
    const question = requestOf(firstSequenceOf(4), []);
    expect(one.hears(firstClient, question).sends).toEqual([]);
    expect(one.heard).toEqual([['propose', question]]);
    const { sends, applied } = one.does((ctx) => ctx.decide(1, [question]));
    expect(applied).toEqual([]);
    expect(sends).toMatchObject([
      { to: firstClient, message: { kind: 'reply', results: [encode(sessionNumber, 1)] } },
    ]);
  });
});

describe('a log with an end', () => {
  const ending = () => puppet({ self: 0, protocol: { length: 2 } });

  test('refuses what found no slot when it is full, and answers what did', () => {
    const one = ending();
    const others = [7, 8, 9].map((client) => requestOf(1, [kv.put('x', '')], firstClient + client));
    for (const each of [...others, ...others]) one.hears(each.client, each);
    one.decides(0);
    const [first] = others;
    const { sends } = one.does((ctx) => ctx.decide(1, [first as Signed<Request>]));
    const said = sends.map(({ to, message }) => `${to} ${message.kind}`);
    expect(said.sort()).toEqual([
      `${firstClient + 7} reply`,
      `${firstClient + 8} refusal`,
      `${firstClient + 9} refusal`,
    ]);
    for (const { message } of sends)
      if (message.kind === 'refusal') expect(message.reason).toBe('log-full');
    const late = requestOf(5, [kv.put('x', '')], firstClient + 10);
    expect(sentIn(one.hears(late.client, late))).toMatchObject([{ reason: 'log-full' }]);
    expect(sentIn(one.hears(firstClient + 7, first as Signed<Request>))).toMatchObject([
      { kind: 'reply' },
    ]);
  });

  test('tells the number of a session at once: it has no slot to spare for that', () => {
    const one = ending();
    const question = requestOf(1, []);
    expect(sentIn(one.hears(firstClient, question))).toMatchObject([
      { kind: 'reply', results: [encode(sessionNumber, 0)] },
    ]);
    expect(one.heard).toEqual([]);
  });
});

test('whoever asks for a change of the group is told what came of it', () => {
  const results = (configured?: { readonly state: Uint8Array; readonly refusal?: string }) => {
    const one = puppet({ self: 0 });
    const change = { ...requestOf(1, []), configuration: Uint8Array.of(9) };
    const [answer] = sentIn(one.does((ctx) => ctx.decide(0, [change], undefined, configured)));
    const [result] = answer?.kind === 'reply' ? answer.results : [];
    return result && decode(outcome, result);
  };
  expect(results({ state: Uint8Array.of(1) })).toBe('');
  expect(results({ state: Uint8Array.of(1), refusal: 'too few' })).toBe('too few');
  expect(results({ state: Uint8Array.of(1), refusal: 'x'.repeat(5000) })).toHaveLength(1024);
  expect(results()).toContain('its protocol does not take this change');
});

test('a message from nobody in the group asks a replica for nothing', () => {
  const one = puppet();
  const manifest = { kind: 'snapshot-request', slot: 1, root: 'ab'.repeat(32) } as const;
  const chunk = { kind: 'chunk-request', root: 'ab'.repeat(32), index: 0 } as const;
  for (const asked of [manifest, chunk]) {
    expect(sentIn(one.hears(2, asked))).toMatchObject([{ kind: 'snapshot-absent' }]);
    expect(sentIn(one.hears(firstClient, asked))).toEqual([]);
    expect(one.machine().admits?.(from(2, asked), 0)).toBe(true);
    expect(one.machine().admits?.(from(firstClient, asked), 0)).toBe(false);
  }
});
