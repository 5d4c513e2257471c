import { expect, test } from 'vitest';
import {
  type Context,
  type Event,
  idle,
  maxInteger,
  type Protocol,
  type Replica,
  replica,
  type Shape,
  type Signature,
  seal,
  withContext,
} from './index.ts';

interface Say {
  readonly kind: 'say';
  readonly term: number;
}
interface Noter extends Shape {
  readonly Stable: { readonly two: boolean };
  readonly Volatile: { heard: number };
  readonly Message: Say;
  readonly Timer: 'tick';
  readonly Command: string;
}
type State = Replica<Noter>;
type Taking<H> = H extends (...given: infer P) => unknown
  ? Context<Noter> extends P[number]
    ? true
    : never
  : never;
/** What of a protocol is given a context, beside the handlers of its messages. */
type Given = {
  [K in keyof Protocol<Noter>]-?: Taking<NonNullable<Protocol<Noter>[K]>> extends never ? never : K;
}[keyof Protocol<Noter>];

/** Its handler notes, and `settle` says and writes. The rest is never looked at. */
const noter = (more: Partial<Protocol<Noter>> = {}): Protocol<Noter> =>
  ({
    name: 'noter',
    members: [0, 1, 2],
    stable: () => ({ two: false }),
    volatile: () => ({ heard: 0 }),
    propose() {},
    on: { say: (state) => void state.heard++ },
    settle({ heard, two }, ctx) {
      ctx.line(`settled ${heard}`);
      if (heard === 2 && !two) ctx.save({ two: true });
    },
    status: () => ({ term: 0, role: 'noter' }),
    ...more,
  }) as Protocol<Noter>;

const told = (protocol: Protocol<Noter>) => {
  const machine = replica(protocol, 1, { digest: () => 'd' });
  return (event: Event<Noter>) =>
    machine.step({ now: 0, clock: { earliest: 0, latest: 0 }, event });
};
const hears = (term: number): Event<Noter> => ({
  type: 'message',
  message: seal<Say>({ kind: 'say', term }, 2, new Uint8Array() as Signature),
});

test('what handlers have noted is settled once after each, in the same step', () => {
  const invariant = ({ heard, two }: State) => (heard === 2 && !two ? 'too early' : undefined);
  const tell = told(noter({ invariant }));
  expect(tell({ type: 'start' }).lines).toEqual(['settled 0']);
  expect(tell(hears(1)).lines).toEqual(['settled 1']);
  const { lines, writes } = tell(hears(1));
  expect(lines).toEqual(['settled 2']);
  expect(writes).toEqual([{ type: 'save', registers: { two: true } }]);
  expect(tell({ type: 'timeout', timer: 'tick' }).lines).toEqual(['settled 2']);
});

test('handlers and what follows them find the group in their context', () => {
  const seen: unknown[] = [];
  interface Grouped extends Noter {
    readonly Group: { readonly n: number };
  }
  const protocol: Protocol<Grouped> = {
    ...(noter() as unknown as Protocol<Grouped>),
    group: { n: 3 },
    start: (_, ctx) => void seen.push(ctx.group.n),
    settle: (_, ctx) => void seen.push(ctx.group.n),
  };
  const machine = replica(protocol, 1, { digest: () => 'd' });
  for (const each of [machine, machine.fork()])
    each.step({ now: 0, clock: { earliest: 0, latest: 0 }, event: { type: 'start' } });
  expect(seen).toEqual([3, 3, 3, 3]);
});

test('nothing is settled after what no handler has heard of', () => {
  const tell = told(noter({ counter: { name: 'term', said: ({ term }) => term, known: () => 0 } }));
  expect(tell(hears(maxInteger))).toEqual(idle());
  const operation = new Uint8Array();
  expect(tell({ type: 'submit', id: 1, operation, readOnly: false })).toEqual(idle());
});

test('a variant with another context settles with it', () => {
  const mute = (_: State, ctx: Context<Noter>) => ({ ...ctx, line: () => {} });
  expect(told(withContext(noter(), mute))({ type: 'start' })).toEqual(idle());
  const { settle: _, ...plain } = noter();
  expect(withContext(plain, mute).settle).toBeUndefined();
});

test('a variant with another context is given it wherever its protocol is given one', () => {
  const event: Record<Given, Event<Noter>> = {
    start: { type: 'start' },
    rejoin: { type: 'start', incarnation: 2, rejoin: true },
    propose: { type: 'propose', command: 'x' },
    read: { type: 'read', id: 1 },
    timeout: { type: 'timeout', timer: 'tick' },
    snapshotTaken: { type: 'snapshot-taken', slot: 1, digest: 'd' },
    snapshotInstalled: { type: 'snapshot-installed', slot: 1, digest: 'd' },
    settle: { type: 'propose', command: 'x' },
  };
  const blind = (_: State, ctx: Context<Noter>) => ({ ...ctx, line: () => {} });
  for (const name of Object.keys(event) as Given[]) {
    const says = (...given: readonly unknown[]): void =>
      given.forEach((each) => void (each as Partial<Context<Noter>>)?.line?.(name));
    const { settle: _, ...plain } = noter();
    const right: Protocol<Noter> = { ...plain, [name]: says };
    expect(told(right)(event[name]).lines).toEqual([name]);
    expect(told(withContext(right, blind))(event[name]).lines, name).toEqual([]);
    // Nor does it do what its protocol leaves to others.
    expect(told(withContext(plain, blind))(event[name])).toEqual(told(plain)(event[name]));
  }
});
