import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AssertionError,
  assert,
  type Context,
  type Event,
  freeze,
  InvariantError,
  idle,
  maxInteger,
  maxLeap,
  ms,
  type Protocol,
  type Replica,
  replica,
  type Shape,
  type Signature,
  type Signed,
  seal,
  stored,
  type Write,
} from './index.ts';

interface Say {
  readonly kind: 'say';
  readonly term: number;
}
interface Scribe extends Shape {
  readonly Stable: {
    readonly term: number;
    readonly name: string;
    readonly rows: ReadonlyMap<number, string>;
    readonly others: ReadonlyMap<number, string>;
  };
  readonly Volatile: {
    heard: Signed<Say>[];
    seen: Map<number, { times: number }>;
    friends: Set<number>;
    fixed: readonly number[];
    nothing: null;
  };
  readonly Message: Say;
  readonly Timer: 'tick';
  readonly Command: string;
}
type Ctx = Context<Scribe>;
type Stable = Scribe['Stable'];

const clock = { earliest: 3, latest: 9 };
const unsigned = new Uint8Array() as Signature;
const said = (from: number, term = 0) => seal<Say>({ kind: 'say', term }, from, unsigned);
const fixed = Object.freeze([1, 2, 3]);

/** A protocol whose handler of 'propose' does what the test says. The rest is never looked at. */
const scribe = (more: Partial<Protocol<Scribe>> = {}): Protocol<Scribe> =>
  ({
    name: 'scribe',
    members: [0, 1, 2],
    stable: () => ({ term: 1, name: '', rows: new Map(), others: new Map([[5, 'kept']]) }),
    volatile: ({ term }, self) => ({
      heard: [],
      seen: new Map([[self, { times: term }]]),
      friends: new Set([self]),
      fixed,
      nothing: null,
    }),
    propose() {},
    on: { say: ({ heard }, message) => void heard.push(message) },
    status: ({ term }) => ({ term, role: 'scribe' }),
    ...more,
  }) as Protocol<Scribe>;

/** A replica that does what it is told in one step. */
function writer(stable?: Stable, lines?: boolean) {
  let act = (_: Ctx, _replica: Replica<Scribe>): void => {};
  const protocol = scribe({ propose: (state, _command, ctx) => act(ctx, state) });
  const machine = replica(protocol, 1, {
    digest: () => 'd',
    ...(stable && { stable }),
    ...(lines !== undefined && { lines }),
  });
  return {
    machine,
    does(what: typeof act, now = 7) {
      act = what;
      return machine.step({ now, clock, event: { type: 'propose', command: '' } });
    },
  };
}

const message: Say = { kind: 'say', term: 1 };
const configured = { state: Uint8Array.of(1) };
const proof = { body: message, seals: [] };

/** What a handler may ask for, and where and how it stands in the output of its step. */
const wishes: readonly (readonly [string, (ctx: Ctx) => void, object])[] = [
  ['early', (ctx) => ctx.sendEarly(2, message), { to: 2, message }],
  ['writes', (ctx) => ctx.save({ term: 4 }), { type: 'save', registers: { term: 4 } }],
  [
    'writes',
    (ctx) => ctx.put('rows', 3, 'row'),
    { type: 'put', table: 'rows', index: 3, row: 'row' },
  ],
  [
    'writes',
    (ctx) => ctx.drop('rows', { below: 3 }),
    { type: 'drop', table: 'rows', rows: { below: 3 } },
  ],
  ['sends', (ctx) => ctx.send(2, message), { to: 2, message }],
  ['sends', (ctx) => ctx.broadcast(message), { to: 'all', message }],
  ['timers', (ctx) => ctx.setTimer('tick', ms(1.5)), { type: 'set', timer: 'tick', after: 1500 }],
  ['timers', (ctx) => ctx.clearTimer('tick'), { type: 'clear', timer: 'tick' }],
  ['decisions', (ctx) => ctx.decide(6, ['x']), { slot: 6, commands: ['x'] }],
  [
    'decisions',
    (ctx) => ctx.decide(6, [], proof, configured),
    { slot: 6, commands: [], proof, configured },
  ],
  ['reads', (ctx) => ctx.allowRead(8, 9), { id: 8, upTo: 9 }],
  [
    'fetches',
    (ctx) => ctx.fetchSnapshot(4, 'dd', [0, 2]),
    { slot: 4, digest: 'dd', holders: [0, 2] },
  ],
  ['lines', (ctx) => ctx.line('L1'), 'L1' as unknown as object],
];

describe('the output of a step', () => {
  test('is what its handlers asked for, in their order, and nothing of an earlier step', () => {
    for (const [part, wish, wanted] of wishes) {
      const { does } = writer();
      expect(does(wish)).toEqual({ ...idle(), [part]: [wanted] });
      expect(does(() => {})).toEqual(idle());
      const [, other, also] = wishes.find(([name]) => name === part) ?? [];
      const both = does((ctx) => {
        wish(ctx);
        other?.(ctx);
        wish(ctx);
      });
      expect(both).toEqual({ ...idle(), [part]: [wanted, also, wanted] });
    }
    const { does } = writer();
    const all = does((ctx) => {
      for (const [, wish] of wishes) wish(ctx);
    });
    for (const [part, , wanted] of wishes)
      expect((all as unknown as Record<string, readonly object[]>)[part]).toContainEqual(wanted);
  });

  test('names the voters of the decisions that follow in it, and of no others', () => {
    const { does } = writer();
    const { decisions } = does((ctx) => {
      ctx.decide(1, []);
      ctx.voters([0, 2]);
      ctx.decide(2, []);
    });
    expect(decisions.map(({ voters }) => voters)).toEqual([undefined, [0, 2]]);
    expect(does((ctx) => ctx.decide(3, [])).decisions[0]).toEqual({ slot: 3, commands: [] });
  });

  test('leaves lines of the paper out if nobody wants them', () => {
    expect(writer(undefined, false).does((ctx) => ctx.line('L1'))).toEqual(idle());
  });

  test('is that of the time and the clock of its input, by the digest of its host', () => {
    const seen: unknown[] = [];
    const { does } = writer();
    for (const now of [5, 6])
      does(({ self, now, clock, digest }) => {
        seen.push([self, now, clock, digest({} as never, {})]);
      }, now);
    expect(seen).toEqual([
      [1, 5, clock, 'd'],
      [1, 6, clock, 'd'],
    ]);
  });

  test('is none if an invariant of the protocol does not hold, or an assertion fails', () => {
    const wrong = scribe({ invariant: ({ term }) => (term === 9 ? 'nine' : undefined) });
    const start = { now: 0, clock, event: { type: 'start' } } as const;
    const options = { digest: () => 'd' };
    const nine = { ...scribe().stable(), term: 9 };
    expect(() => replica(wrong, 1, options).step(start)).not.toThrow();
    expect(() => replica(wrong, 1, { ...options, stable: nine }).step(start)).toThrow(
      new InvariantError('scribe replica 1: nine'),
    );
    expect(() => writer().does(() => assert(false, 'a bug'))).toThrow(new AssertionError('a bug'));
    expect(() => writer().does(() => assert(true, 'no bug'))).not.toThrow();
  });

  test('is none if it names a row that no disk could have', () => {
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53])
      for (const write of [
        (ctx: Ctx) => ctx.put('rows', bad, 'row'),
        (ctx: Ctx) => ctx.drop('rows', { from: bad }),
        (ctx: Ctx) => ctx.drop('rows', { below: bad }),
      ])
        expect(() => writer().does(write)).toThrow(/is no row of a table/);
  });
});

const index = fc.integer({ min: 0, max: 5 });
const table = fc.constantFrom('rows' as const, 'others' as const);
const write: fc.Arbitrary<(ctx: Ctx) => void> = fc.oneof(
  fc.nat(9).map((term) => (ctx: Ctx) => ctx.save({ term })),
  fc.string().map((name) => (ctx: Ctx) => ctx.save({ name })),
  fc.tuple(table, index, fc.string()).map((put) => (ctx: Ctx) => ctx.put(...put)),
  fc.tuple(table, index).map(
    ([name, from]) =>
      (ctx: Ctx) =>
        ctx.drop(name, { from }),
  ),
  fc.tuple(table, index).map(
    ([name, below]) =>
      (ctx: Ctx) =>
        ctx.drop(name, { below }),
  ),
);

/** What a disk holds after `write`, said as plainly as can be. */
function plainly(disk: Stable, write: Write<Scribe>): Stable {
  if (write.type === 'save') return { ...disk, ...write.registers };
  const rows = [...(disk[write.table] as ReadonlyMap<number, unknown>)];
  const left = rows.filter(([each]) => {
    if (write.type === 'put') return each !== write.index;
    return 'from' in write.rows ? each < write.rows.from : each >= write.rows.below;
  });
  if (write.type === 'put') left.push([write.index, write.row]);
  return { ...disk, [write.table]: new Map(left) };
}

test('what a handler writes it sees at once, and the disk holds the same', () => {
  const property = fc.property(fc.array(write, { maxLength: 12 }), (acts) => {
    let disk = scribe().stable();
    const { machine, does } = writer(structuredClone(disk));
    for (const act of acts) {
      const before = structuredClone(disk);
      let wanted = disk;
      does((ctx, state) => {
        act(ctx);
        const { term, name, rows, others } = state;
        wanted = { term, name, rows: new Map(rows), others: new Map(others) };
      }).writes.forEach((each) => {
        expect(stored<Scribe>(disk, each)).toEqual(plainly(disk, each));
        expect(disk).toEqual(before);
        disk = stored<Scribe>(disk, each);
      });
      expect(disk).toEqual(wanted);
      expect(machine.snapshot().stable).toEqual(disk);
    }
    expect(writer(disk).machine.snapshot().stable).toEqual(disk);
  });
  fc.assert(property);
});

describe('a replica', () => {
  /** Changes every kind of thing that a state is made of. */
  const change = (ctx: Ctx, state: Replica<Scribe>): void => {
    ctx.put('rows', 1, 'later');
    ctx.save({ term: 7 });
    state.heard.push(said(2));
    (state.seen.get(1) as { times: number }).times++;
    state.friends.add(2);
  };

  test('goes on from a snapshot as the one that gave it, and neither disturbs the other', () => {
    const { machine, does } = writer();
    machine.step({ now: 0, clock, event: { type: 'message', message: said(0) } });
    const before = machine.snapshot();
    const wanted = structuredClone(before);
    expect(Object.keys(before.stable)).toEqual(['term', 'name', 'rows', 'others']);
    expect(before.volatile).toMatchObject({ heard: [said(0)], nothing: null });
    const other = machine.fork();
    does(change);
    const changed = machine.snapshot();
    expect(changed.stable).toMatchObject({ term: 7, rows: new Map([[1, 'later']]) });
    expect(changed.volatile).toMatchObject({
      heard: [said(0), said(2)],
      seen: new Map([[1, { times: 2 }]]),
      friends: new Set([1, 2]),
    });
    expect(before).toEqual(wanted);
    expect(other.snapshot()).toEqual(wanted);
    expect(other.self).toBe(1);
    machine.restore(before);
    does(change);
    expect(before).toEqual(wanted);
    expect(machine.snapshot()).toEqual(changed);
    // What nobody may change is shared and not copied.
    expect(changed.volatile.heard[0]).toBe(before.volatile.heard[0]);
    expect(changed.volatile.fixed).toBe(fixed);
  });

  test('hands each event to what its protocol has for it, if it has anything', () => {
    const heard: unknown[][] = [];
    const hear =
      (name: string) =>
      (_: unknown, ...rest: readonly unknown[]) =>
        void heard.push([name, ...rest.filter((each) => (each as Ctx)?.setTimer === undefined)]);
    const hooks = {
      timeout: hear('timeout'),
      propose: hear('propose'),
      read: hear('read'),
      start: hear('start'),
      rejoin: hear('rejoin'),
      snapshotTaken: hear('taken'),
      snapshotInstalled: hear('installed'),
    };
    const snapshot = { slot: 4, digest: 'dd', configuration: Uint8Array.of(1) };
    const events: readonly Event<Scribe>[] = [
      { type: 'timeout', timer: 'tick' },
      { type: 'propose', command: 'x' },
      { type: 'read', id: 3 },
      { type: 'start' },
      { type: 'start', incarnation: 5 },
      { type: 'start', incarnation: 6, rejoin: true },
      { type: 'snapshot-taken', ...snapshot },
      { type: 'snapshot-installed', ...snapshot },
      { type: 'cancel', id: 1 },
      { type: 'submit', id: 1, operation: new Uint8Array(), readOnly: false },
    ];
    const run = (more: Partial<Protocol<Scribe>>) => {
      heard.length = 0;
      const machine = replica(scribe(more), 1, { digest: () => 'd' });
      for (const event of events) machine.step({ now: 0, clock, event });
      return [...heard];
    };
    const { slot, digest, configuration } = snapshot;
    expect(run(hooks)).toEqual([
      ['timeout', 'tick'],
      ['propose', 'x'],
      ['read', 3],
      ['start', 0],
      ['start', 5],
      ['rejoin', 6],
      ['taken', slot, digest, configuration],
      ['installed', slot, digest, configuration],
    ]);
    // Coming back empty is a start like others where the protocol does not mind.
    expect(run({ start: hooks.start })).toEqual([
      ['start', 0],
      ['start', 5],
      ['start', 6],
    ]);
    expect(run({})).toEqual([]);
  });

  test('hears no counter that nobody reaches honestly, and says what is wrong', () => {
    const counter = { name: 'term', said: (m: Say) => m.term, known: () => 5 };
    const start = (more: Partial<Protocol<Scribe>>) => {
      const machine = replica(scribe(more), 1, { digest: () => 'd' });
      for (const term of [maxInteger, 5 + maxLeap])
        machine.step({ now: 0, clock, event: { type: 'message', message: said(2, term) } });
      const { heard } = machine.snapshot().volatile;
      return { heard: heard.map(({ term }) => term), status: machine.status() };
    };
    expect(start({})).toEqual({
      heard: [maxInteger, 5 + maxLeap],
      status: { term: 1, role: 'scribe' },
    });
    expect(start({ counter })).toEqual({
      heard: [5 + maxLeap],
      status: { term: 1, role: 'scribe', trouble: expect.stringMatching(/^Member 2 speaks of/) },
    });
  });

  test('could make something of what a member says, unless its protocol has a guard for it', () => {
    const admits = (more: Partial<Protocol<Scribe>>, from: number) =>
      replica(scribe(more), 1, { digest: () => 'd' }).admits?.(said(from), 12);
    expect([0, 1, 2, 3, 65_536].map((from) => admits({}, from))).toEqual([
      ...[true, true, true],
      ...[false, false],
    ]);
    const say: NonNullable<Protocol<Scribe>['admits']>['say'] = (state, { from }, asked) =>
      state.term === 1 && from === 2 && asked.self === 1 && asked.now === 12 && !!asked.digest;
    expect([0, 2, 3].map((from) => admits({ admits: { say } }, from))).toEqual([
      ...[false, true, false],
    ]);
    expect(admits({ admits: {} }, 2)).toBe(true);
  });
});

test('a message that was frozen can be changed nowhere, but for its bytes', () => {
  const bytes = Uint8Array.of(1);
  const list = Object.freeze([{ deep: 1 }]);
  const frozen = freeze({ kind: 'say', body: { rows: [{ a: 1 }], bytes, nothing: null }, list });
  const { body } = frozen;
  for (const each of [frozen, body, body.rows, body.rows[0]])
    expect(Object.isFrozen(each)).toBe(true);
  // What was frozen before is taken to be frozen throughout.
  expect(Object.isFrozen(list[0])).toBe(false);
  expect(frozen.body.bytes).toBe(bytes);
  expect(freeze('text')).toBe('text');
  expect(freeze(null)).toBe(null);
});
