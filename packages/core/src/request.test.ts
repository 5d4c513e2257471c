import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomOf } from '../test/random.ts';
import {
  altered,
  batchField,
  decode,
  encode,
  equalRequests,
  firstSequenceOf,
  identityOf,
  lifeOf,
  maxBatchBytes,
  maxInteger,
  maxOperationBytes,
  type Protocol,
  type Replica,
  type Request,
  replica,
  request,
  requestBytes,
  requestWeight,
  type Shape,
  type Signature,
  type Signed,
  sameBytes,
  sameDecision,
  sameRequest,
  sameWish,
  seal,
  signed,
} from './index.ts';

const few = fc.constantFrom(0, 1);
const part = fc.constantFrom(Uint8Array.of(), Uint8Array.of(1), Uint8Array.of(1, 2));
const numbers = { client: few, sequence: few, acknowledged: few, session: few };
const anyRequest: fc.Arbitrary<Request> = fc
  .oneof(
    fc.record({ ...numbers, operations: fc.array(part, { minLength: 1, maxLength: 3 }) }),
    fc.record({ ...numbers, operations: fc.constant([]) }),
    fc.record({ ...numbers, operations: fc.constant([]), configuration: part }),
  )
  // The first session is that of a request which names none.
  .map(({ session, ...each }) => ({ kind: 'request', ...each, ...(session && { session }) }));

const sameEncoding = (one: Request, two: Request): boolean =>
  sameBytes(encode(request, one), encode(request, two));

test('requests are equal, and have one identity, exactly if they are encoded alike', () => {
  const property = fc.property(anyRequest, anyRequest, (one, two) => {
    expect(equalRequests(one, two)).toBe(sameEncoding(one, two));
    expect(identityOf(one) === identityOf(two)).toBe(sameEncoding(one, two));
    const { client, sequence, session = 0 } = two;
    const heard = { ...one, acknowledged: two.acknowledged };
    expect(sameRequest(one, two)).toBe(sameEncoding(heard, two));
    expect(sameWish(one, two)).toBe(sameEncoding({ ...heard, client, sequence, session }, two));
    expect(sameDecision([one], [two])).toBe(sameRequest(one, two));
    expect(sameDecision([], [one])).toBe(false);
  });
  fc.assert(property, { numRuns: 3000 });
});

test('an altered request is another one, and one that can be encoded', () => {
  const property = fc.property(anyRequest, (one) => {
    const other = altered(seal(one, one.client, Uint8Array.of() as Signed<Request>['signature']));
    expect(sameEncoding(one, other)).toBe(false);
  });
  fc.assert(property);
});

interface Witness extends Shape {
  readonly Stable: Record<never, never>;
  readonly Volatile: { heard: Signed<Said> | undefined };
  readonly Message: Said;
  readonly Timer: never;
  readonly Command: never;
}
interface Said {
  readonly kind: 'said';
  readonly about: number;
  readonly what: string;
  readonly aside: string;
}

test('nobody is accused of what breaks no vow, whatever a protocol takes for a lie', () => {
  // It accuses whoever says anything different from the first thing that it heard.
  const suspicious: Partial<Protocol<Witness>> = {
    volatile: () => ({ heard: undefined }),
    stable: () => ({}),
    on: {
      said(state: Replica<Witness>, message, ctx) {
        if (state.heard === undefined) state.heard = message;
        else ctx.accuse(state.heard, message);
      },
    },
    *vows({ about, what }) {
      yield [`${about}`, what];
    },
  };
  const accused = (...said: readonly (readonly [from: number, Omit<Said, 'kind'>])[]) => {
    // The rest of a protocol is never looked at in a step.
    const machine = replica(suspicious as Protocol<Witness>, 0, {
      digest: () => {
        throw new Error('there are no digests here');
      },
    });
    return said.flatMap(([from, message]) => {
      const signed = seal({ kind: 'said' as const, ...message }, from, Uint8Array.of() as never);
      const clock = { earliest: 0, latest: 0 };
      return machine.step({ now: 0, clock, event: { type: 'message', message: signed } })
        .accusations;
    });
  };
  const first = { about: 1, what: 'a', aside: 'x' };
  expect(accused([1, first], [1, { ...first, what: 'b' }])).toHaveLength(1);
  expect(accused([1, first], [1, { ...first, aside: 'y' }])).toEqual([]);
  expect(accused([1, first], [1, { ...first, about: 2, what: 'b' }])).toEqual([]);
  expect(accused([1, first], [2, { ...first, what: 'b' }])).toEqual([]);
});

test('lives of a client have sequences of their own, and 0 is of none', () => {
  const most = 2 ** 24;
  for (const life of [0, 1, 5, most - 1, most, most + 1, 2 ** 40 + 3]) {
    const first = firstSequenceOf(life);
    expect(lifeOf(first)).toBe(life % most);
    expect(first).toBeGreaterThan(0);
    expect(lifeOf(first - 1 + most - 1)).toBe(life % most);
    expect(first).toBeLessThan(maxInteger);
    expect(firstSequenceOf(life + 1) - first === most || firstSequenceOf(life + 1) === 1).toBe(
      true,
    );
  }
});

test('a request never takes more than it is said to take, and a full batch has room', () => {
  const signature = new Uint8Array(64) as Signature;
  const sealed = (value: Request) => seal(value, value.client, signature);
  fc.assert(
    fc.property(fc.integer({ min: 0 }), (seed) => {
      const random = randomOf(seed);
      const value = { ...request.sample(random), client: maxInteger, sequence: maxInteger };
      const size = encode(signed(request), sealed(value)).length;
      expect(requestBytes(value)).toBeGreaterThanOrEqual(size);
      expect(requestBytes(value)).toBeLessThan(size + 150 + 3 * value.operations.length);
      expect(requestWeight(value)).toBeGreaterThanOrEqual(requestBytes(value));
    }),
  );
  const operation = new Uint8Array(maxOperationBytes);
  const half: Request = {
    kind: 'request',
    client: 70_000,
    sequence: 1,
    acknowledged: 1,
    operations: Array.from({ length: maxBatchBytes / 2 / maxOperationBytes }, () => operation),
  };
  const field = batchField(2);
  const full = [sealed(half), sealed({ ...half, sequence: 2 })];
  expect(decode(field, encode(field, full))).toHaveLength(2);
  const both = { ...half, configuration: Uint8Array.of(1) };
  expect(() => encode(request, both)).toThrow('never both');
});
