/** Arrays of searches are used again: what one search left in them changes nothing of the next. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Call, checkLinearizable, registerModel, verifyWitness } from './index.ts';
import { giveSpaceBack, orderEvents, spaceFor } from './search-space.ts';

type Times = Pick<Call<unknown, unknown>, 'invokedAt' | 'returnedAt'>;

const callsOf = (times: readonly Times[]): Call<null, null>[] =>
  times.map((each) => ({ process: 0, input: null, output: null, ...each }));

/** Calls in the order of their invocations: how long each lasted, nothing if it never returned. */
const lengths = fc.array(fc.tuple(fc.nat(3), fc.option(fc.nat(12))), { maxLength: 40 });

/** Invocations and returns as they are linked: those of calls that returned, and the others. */
function linked(calls: readonly Call<null, null>[], returned: number): readonly string[] {
  const space = spaceFor(calls.length);
  orderEvents(calls, returned, space);
  const { next, previous, callAt, invokeNode } = space;
  const walk = (head: number): string[] => {
    const found: string[] = [];
    for (let node = next[head] as number; node !== head; node = next[node] as number) {
      expect(next[previous[node] as number]).toBe(node);
      const call = callAt[node] as number;
      found.push(`${invokeNode[call] === node ? 'invoke' : 'return'} ${call}`);
    }
    return found;
  };
  const found = [...walk(0), 'then', ...walk(calls.length + returned + 1)];
  giveSpaceBack(space);
  return found;
}

/** The plain twin: all events sorted by time, invocations first where times are equal. */
function sorted(calls: readonly Call<null, null>[], returned: number): readonly string[] {
  const events = calls.flatMap(({ invokedAt, returnedAt }, call) => [
    { at: invokedAt, isReturn: 0, call },
    ...(returnedAt === undefined ? [] : [{ at: returnedAt, isReturn: 1, call }]),
  ]);
  events.sort((one, two) => one.at - two.at || one.isReturn - two.isReturn || one.call - two.call);
  const told = (all: typeof events): string[] =>
    all.map(({ isReturn, call }) => `${isReturn === 1 ? 'return' : 'invoke'} ${call}`);
  return [
    ...told(events.filter(({ call }) => call < returned)),
    'then',
    ...told(events.filter(({ call }) => call >= returned)),
  ];
}

test('events are in the order of time, whatever the last search has left behind', () => {
  fc.assert(
    fc.property(lengths, (drawn) => {
      let now = 0;
      const all = callsOf(
        drawn.map(([after, lasts]) => {
          now += after;
          return { invokedAt: now, returnedAt: lasts === null ? undefined : now + lasts };
        }),
      );
      const closed = all.filter(({ returnedAt }) => returnedAt !== undefined);
      const calls = [...closed, ...all.filter(({ returnedAt }) => returnedAt === undefined)];
      expect(linked(calls, closed.length)).toEqual(sorted(calls, closed.length));
    }),
  );
});

test('calls that all overlap are in the order of time too', () => {
  const count = 3000;
  const calls = callsOf(
    Array.from({ length: count }, (_, i) => ({ invokedAt: i, returnedAt: 2 * count - (i >> 1) })),
  );
  expect(linked(calls, count)).toEqual(sorted(calls, count));
});

test('a history is judged as before, whatever was judged between', () => {
  const model = registerModel<number>();
  type History = Parameters<typeof checkLinearizable<number | null, never, never>>[1];
  const write = (value: number, invokedAt: number, returnedAt: number | undefined) => ({
    ...{ process: value, invokedAt, returnedAt, output: undefined },
    input: { kind: 'write' as const, value },
  });
  const read = (output: number, invokedAt: number, returnedAt: number) => ({
    ...{ process: 9, invokedAt, returnedAt, output },
    input: { kind: 'read' as const },
  });
  const histories = [
    [write(1, 0, 10), read(1, 5, 20)],
    [write(1, 0, 10), write(2, 20, 30), read(1, 40, 50)],
    [write(1, 0, undefined), write(2, 1, 9), read(1, 20, 30), read(2, 40, 50)],
    Array.from({ length: 300 }, (_, i) => write(i, i, i + 40)),
    Array.from({ length: 200 }, (_, i) => write(i, 0, i % 3 === 0 ? undefined : 100)),
    [...Array.from({ length: 9 }, (_, i) => write(i, 0, 100)), read(77, 0, 100)],
  ] as unknown as readonly History[];
  const judge = (history: History): string => {
    const found = checkLinearizable(model as never, history);
    if (found.verdict === 'linearizable')
      expect(verifyWitness(model as never, history, found.witness)).toBe(true);
    return JSON.stringify(found);
  };
  const first = histories.map(judge);
  fc.assert(
    fc.property(fc.array(fc.nat(histories.length - 1), { maxLength: 12 }), (order) => {
      for (const i of order) expect(judge(histories[i] as History)).toBe(first[i]);
    }),
  );
});
