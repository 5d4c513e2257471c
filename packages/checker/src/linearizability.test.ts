import fc from 'fast-check';
import { expect, test } from 'vitest';
import { get, type KeyValueCall, put, store } from '../test/calls.ts';
import {
  type Call,
  checkLinearizable,
  HistoryError,
  type KeyValueInput,
  type KeyValueOutput,
  keyValueModel,
  type Model,
  type ModelState,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
  tooLong,
  verifyWitness,
} from './index.ts';

type RegisterCall = Call<RegisterInput<number>, RegisterOutput<number>>;

/** One of so many draws is enough where a test is run once for every mutant. */
const every = process.env.QUORUMLAB_SHORT_TESTS === '1' ? 20 : 1;
const register = registerModel<number>();

/**
 * The plain twin: tries every order of every choice of calls, without keys, memory or cleverness.
 * Calls that returned after `until` may be left out.
 */
function hasOrder<S extends ModelState, I, O>(
  { initial, step, key }: Model<S, I, O>,
  calls: readonly Call<I, O>[],
  until = Infinity,
): boolean {
  const keyOf = (call: Call<I, O>): string => key?.(call.input) ?? '';
  const go = (order: readonly Call<I, O>[], states: ReadonlyMap<string, S>): boolean => {
    const rest = calls.filter((call) => !order.includes(call));
    if (rest.every(({ returnedAt }) => returnedAt === undefined || returnedAt > until)) return true;
    return rest.some((call) => {
      if (order.some(({ invokedAt }) => (call.returnedAt ?? Infinity) < invokedAt)) return false;
      const name = keyOf(call);
      const after = step(states.has(name) ? states.get(name)! : initial, call.input, call.output);
      return after !== undefined && go([...order, call], new Map([...states, [name, after]]));
    });
  };
  return go([], new Map());
}

const small = fc.nat(1);
const times = fc.record({
  process: fc.nat(9),
  invokedAt: fc.nat(8),
  lasts: fc.nat(5),
  ends: fc.constantFrom('returned', 'returned', 'returned', 'unseen', 'open'),
});
const registerOperation: fc.Arbitrary<[RegisterInput<number>, RegisterOutput<number> | undefined]> =
  fc.oneof(
    fc.tuple(fc.constant({ kind: 'read' } as const), fc.option(small)),
    fc.tuple(
      fc.record({ kind: fc.constant('write' as const), value: small }),
      fc.constant(undefined),
    ),
    fc.tuple(
      fc.record({
        kind: fc.constant('compare-and-set' as const),
        expected: fc.option(small),
        value: small,
      }),
      fc.oneof(fc.boolean(), fc.record({ found: fc.option(small) })),
    ),
  );
const letter = fc.constantFrom('a', 'b');
const keyValueOperation: fc.Arbitrary<[KeyValueInput, KeyValueOutput | undefined]> = fc.oneof(
  fc.tuple(
    fc.record({ kind: fc.constant('get' as const), key: letter }),
    fc.option(fc.constantFrom('x', 'y', 'xy', 'xx')),
  ),
  fc.tuple(fc.record({ kind: fc.constant('delete' as const), key: letter }), fc.boolean()),
  fc.tuple(
    fc.record({
      kind: fc.constantFrom('put' as const, 'append' as const),
      key: letter,
      value: fc.constantFrom('x', 'y'),
    }),
    fc.constantFrom(undefined, true, { refused: tooLong }, { refused: 'not now' }),
  ),
  fc.tuple(
    fc.record({
      kind: fc.constant('compare-and-set' as const),
      key: letter,
      expected: fc.option(fc.constantFrom('x', 'xy')),
      value: fc.constantFrom('x', 'y'),
    }),
    fc.oneof(fc.boolean(), fc.record({ found: fc.option(fc.constantFrom('x', 'xy')) })),
  ),
);

const historyOf = <I, O>(operation: fc.Arbitrary<[I, O | undefined]>) =>
  fc.array(
    fc.tuple(times, operation).map(
      ([{ process, invokedAt, lasts, ends }, [input, output]]): Call<I, O> => ({
        process,
        invokedAt,
        returnedAt: ends === 'open' ? undefined : invokedAt + lasts,
        input,
        output: ends === 'returned' ? output : undefined,
      }),
    ),
    { maxLength: 6 },
  );

function agreesWithTwin<S extends ModelState, I, O>(
  model: Model<S, I, O>,
  calls: readonly Call<I, O>[],
  seen: Map<string, number>,
): void {
  const found = checkLinearizable(model, calls);
  seen.set(found.verdict, (seen.get(found.verdict) ?? 0) + 1);
  expect(found.verdict).toBe(hasOrder(model, calls) ? 'linearizable' : 'not-linearizable');
  if (found.verdict === 'linearizable')
    expect(verifyWitness(model, calls, found.witness)).toBe(true);
  if (found.verdict !== 'not-linearizable') return;
  const { key, prefix, call } = found.blame;
  const until = calls[call]?.returnedAt as number;
  const ofKey = calls.filter(({ input }) => model.key?.(input) === key);
  expect(hasOrder(model, ofKey, until)).toBe(false);
  // The order of the prefix is a witness of all that returned before, and of more at one instant.
  const before = calls.map((each, i) =>
    each.returnedAt !== undefined && each.returnedAt < until && i !== call
      ? each
      : { ...each, returnedAt: undefined },
  );
  const early = before.map((each, i) =>
    ofKey.includes(calls[i] as Call<I, O>) ? each : { ...each, returnedAt: undefined },
  );
  expect(verifyWitness(model, early, [{ key, order: prefix }])).toBe(true);
}

/** Neither verdict is rare among those that were drawn. */
function expectBoth(seen: ReadonlyMap<string, number>): void {
  const all = [...seen.values()].reduce((sum, each) => sum + each, 0);
  for (const verdict of ['linearizable', 'not-linearizable'])
    expect(seen.get(verdict)).toBeGreaterThan(all / 14);
}

test('any small history of a register is judged as by trying every order', () => {
  const seen = new Map<string, number>();
  const property = fc.property(historyOf(registerOperation), (calls) =>
    agreesWithTwin(register, calls, seen),
  );
  fc.assert(property, { numRuns: 6000 / every });
  expectBoth(seen);
});

test('any small history of a store is judged as by trying every order', () => {
  const seen = new Map<string, number>();
  const property = fc.property(historyOf(keyValueOperation), (calls) =>
    agreesWithTwin(store, calls, seen),
  );
  fc.assert(property, { numRuns: 4000 / every });
  expectBoth(seen);
});

/** A history with an order: every call takes effect at its own moment between its two times. */
function soundHistory(
  operations: readonly (readonly [RegisterInput<number>, before: number, after: number])[],
  lost: (i: number) => boolean = () => false,
): readonly RegisterCall[] {
  let state: number | null = null;
  return operations.map(([input, before, after], i) => {
    const output: RegisterOutput<number> | undefined =
      input.kind === 'read'
        ? state
        : input.kind === 'compare-and-set'
          ? state === input.expected
          : undefined;
    state = register.step(state, input, undefined) as number | null;
    const at = 10 * i;
    const call = { process: i, invokedAt: at - before, input };
    if (lost(i)) return { ...call, returnedAt: undefined, output: undefined };
    return { ...call, returnedAt: at + after, output };
  });
}

const operations = fc.array(
  fc.tuple(
    registerOperation.map(([input]) => input),
    fc.nat(40),
    fc.nat(40),
  ),
  { minLength: 20, maxLength: 120 },
);

test('a long history that has an order is found to have one, lost answers included', () => {
  const property = fc.property(operations, fc.nat(12), (chosen, lossy) => {
    const calls = soundHistory(chosen, (i) => i % 17 === lossy);
    const found = checkLinearizable(register, calls);
    expect(found.verdict).toBe('linearizable');
    if (found.verdict === 'linearizable')
      expect(verifyWitness(register, calls, found.witness)).toBe(true);
  });
  fc.assert(property, { numRuns: 160 / every });
});

test('a value that nobody wrote is found in a long history, and its reader is blamed', () => {
  const property = fc.property(operations, fc.nat(), (chosen, where) => {
    const calls = [...soundHistory(chosen)];
    const index = where % calls.length;
    calls[index] = { ...(calls[index] as RegisterCall), input: { kind: 'read' }, output: 77 };
    const found = checkLinearizable(register, calls);
    expect(found.verdict).toBe('not-linearizable');
  });
  fc.assert(property, { numRuns: 160 / every });
});

test('a stale read is blamed in words', () => {
  const calls = [put('a', 'x', 0, 1), put('a', 'y', 2, 3), get('a', 'x', 4, 5)];
  const found = checkLinearizable(store, calls);
  expect(found).toMatchObject({ verdict: 'not-linearizable', blame: { key: 'a', call: 2 } });
  if (found.verdict === 'not-linearizable')
    expect(found.blame.sentence).toBe(
      "process 4: get 'a' gave 'x' fits no order of the calls; the longest order without it has " +
        `2 of them, ends with put 'a' 'y' and leaves the state "y"`,
    );
});

test('calls that touch at one instant are concurrent; later ones are not', () => {
  expect(checkLinearizable(store, [get('a', 'x', 0, 5), put('a', 'x', 5, 9)]).verdict).toBe(
    'linearizable',
  );
  expect(checkLinearizable(store, [get('a', 'x', 0, 5), put('a', 'x', 6, 9)]).verdict).toBe(
    'not-linearizable',
  );
});

test('a lost write may take effect at any later time, but not earlier and not twice', () => {
  const lost = put('a', 'x', 0, undefined);
  const verdict = (...calls: KeyValueCall[]) => checkLinearizable(store, calls).verdict;
  expect(verdict(lost, get('a', null, 1, 2), get('a', 'x', 1000, 1001))).toBe('linearizable');
  expect(verdict({ ...lost, invokedAt: 5 }, get('a', 'x', 1, 2))).toBe('not-linearizable');
  const twice = [get('a', 'x', 1, 2), put('a', 'y', 3, 4), get('a', 'x', 5, 6)];
  expect(verdict(lost, ...twice)).toBe('not-linearizable');
});

test('who reports a call that never returned, and would change nothing, says nothing', () => {
  const open = { ...get('a', 'x', 0, 0), returnedAt: undefined, output: undefined };
  const found = checkLinearizable(store, [open, put('a', 'y', 1, 2)]);
  expect(found).toMatchObject({ verdict: 'linearizable', witness: [{ key: 'a', order: [1] }] });
});

test('the order of the recording is not that of the calls', () => {
  const calls = [get('a', 'y', 4, 5), put('a', 'y', 2, 3), put('a', 'x', 0, 1)];
  expect(checkLinearizable(store, calls)).toMatchObject({
    verdict: 'linearizable',
    witness: [{ order: [2, 1, 0] }],
  });
  expect(checkLinearizable(store, [get('a', 'x', 4, 5), ...calls.slice(1)])).toMatchObject({
    blame: { call: 0, prefix: [2, 1] },
  });
});

test('a wrong turn at the very beginning is found and undone, however much follows it', () => {
  const append = (value: string): KeyValueCall => ({
    ...put('a', value, 0, 1),
    input: { kind: 'append', key: 'a', value },
  });
  const log = keyValueModel();
  for (const count of [1, 29, 30, 31, 62, 100]) {
    // Nobody saw what these reads gave.
    const reads = Array.from({ length: count }, (_, i) => ({
      ...get('a', null, 2 * i + 2, 2 * i + 3),
      output: undefined,
    }));
    const last = (value: string) => get('a', value, 1000, 1001);
    const calls = (value: string) => [append('x'), append('y'), append('z'), ...reads, last(value)];
    for (const value of ['xyz', 'zyx', 'yzx', 'zxy'])
      expect(checkLinearizable(log, calls(value)).verdict).toBe('linearizable');
    for (const value of ['xxz', 'xy', 'xyzx'])
      expect(checkLinearizable(log, calls(value)).verdict).toBe('not-linearizable');
  }
});

test('the same state after more of the same calls is another place in the search', () => {
  for (const count of [31, 32, 33, 64, 65, 200]) {
    const calls = Array.from({ length: count }, (_, i) => put('a', 'x', 2 * i, 2 * i + 1));
    expect(checkLinearizable(store, calls).verdict).toBe('linearizable');
    const lost = [...calls, put('a', 'y', 0, undefined), get('a', 'y', 2 * count, 2 * count + 1)];
    expect(checkLinearizable(store, lost).verdict).toBe('linearizable');
  }
});

test('a history of many calls needs no more memory for each of them', () => {
  const calls = soundHistory(
    Array.from({ length: 100_000 / every }, (_, i) => [
      i % 3 === 0 ? { kind: 'read' } : { kind: 'write', value: i },
      (i * 13) % 41,
      (i * 11) % 41,
    ]),
  );
  const found = checkLinearizable(register, calls, { bytes: 32 * 1024 * 1024 });
  expect(found.verdict).toBe('linearizable');
});

test('the verifier takes no order that lies', () => {
  const calls = [put('a', 'x', 0, 1), get('a', 'x', 2, 3), put('b', 'y', 0, 9)];
  const takes = (...witness: (readonly [string, number[]])[]) =>
    verifyWitness(
      store,
      calls,
      witness.map(([key, order]) => ({ key, order })),
    );
  expect(takes(['a', [0, 1]], ['b', [2]])).toBe(true);
  expect(takes(['a', [1, 0]], ['b', [2]])).toBe(false);
  expect(takes(['a', [0, 1]])).toBe(false);
  expect(takes(['a', [0]], ['b', [2]])).toBe(false);
  expect(takes(['a', [0, 1, 1]], ['b', [2]])).toBe(false);
  expect(takes(['a', [0, 1, 2]])).toBe(false);
  expect(takes(['a', [0]], ['a', [1]], ['b', [2]])).toBe(false);
  expect(takes(['a', [0, 1, 7]], ['b', [2]])).toBe(false);
  const wrong = [put('a', 'x', 0, 1), get('a', 'y', 2, 3)];
  expect(verifyWitness(store, wrong, [{ key: 'a', order: [0, 1] }])).toBe(false);
  const late = [get('a', null, 2, 3), put('a', 'x', 0, 1)];
  expect(verifyWitness(store, late, [{ key: 'a', order: [0, 1] }])).toBe(false);
  const split = [1, 0].map((index) => ({ key: 'a', order: [index] }));
  expect(verifyWitness(store, late, split)).toBe(false);
});

test('a history that no run can have is refused with its times', () => {
  expect(() => checkLinearizable(store, [put('a', 'x', 5, 4)])).toThrow(HistoryError);
});
