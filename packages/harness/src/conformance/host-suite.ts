/** What every host promises to the machines that it runs, as cases for any test runner. */
import {
  type Event,
  type Input,
  idle,
  integer,
  type Machine,
  type MessagesField,
  message,
  messages,
  type Output,
  type PrincipalId,
  type Shape,
  type StoredFields,
} from '@quorumlab/core';
import { ConformanceError } from './protocol-suite.ts';

function ok(condition: boolean, wrong: string): void {
  if (!condition) throw new ConformanceError(wrong);
}

/** Compares plain data by its JSON. */
function equal(actual: unknown, expected: unknown): void {
  const [is, shouldBe] = [JSON.stringify(actual), JSON.stringify(expected)];
  ok(is === shouldBe, `it is ${is} and should be ${shouldBe}`);
}

/** What a host is given to run: `n` machines under the numbers 0 to n-1. */
export interface HostSetup<S extends Shape> {
  readonly n: number;
  readonly messages: MessagesField<S['Message']>;
  readonly stored: StoredFields<S>;
  /** Stable state of a machine that has never run. */
  readonly initial: () => S['Stable'];
  /** Called at each start, with what the disk holds; nothing if nothing was ever written. */
  readonly make: (self: PrincipalId, stable: S['Stable'] | undefined) => Machine<S>;
}

/** `n` machines at work, all started and able to reach each other. */
export interface HostedGroup<S extends Shape> {
  /** Gives machine `id` a command; if it is not running, nothing happens. */
  propose(id: PrincipalId, command: S['Command']): void;
  /** Stops machine `id` at once. */
  crash(id: PrincipalId): Promise<void>;
  /** Starts a stopped machine on its own disk; resolves when it reaches the others. */
  restart(id: PrincipalId): Promise<void>;
  /** Lets time pass until `condition` holds; rejects if that takes far too long. */
  until(condition: () => boolean): Promise<void>;
  /** Lets at least so many microseconds pass. */
  pass(microseconds: number): Promise<void>;
  /** Why machine `id` stopped by itself, if it did. */
  failure(id: PrincipalId): string | undefined;
  /** Stops everything. */
  end(): Promise<void>;
}

/** Starts a group on the host under test. */
export type MakeHost = <S extends Shape>(setup: HostSetup<S>) => Promise<HostedGroup<S>>;

/** One promise of a host, to be run by any test runner: `test(name, run)`. */
export interface HostCase {
  readonly name: string;
  /** Rejects if the promise is broken. */
  readonly run: () => Promise<void>;
}

const value = message('value', { value: integer() });
type Value = { readonly kind: 'value'; readonly value: number };

interface Probe extends Shape {
  readonly Stable: { readonly count: number; readonly rows: ReadonlyMap<number, number> };
  readonly Volatile: object;
  readonly Message: Value;
  readonly Timer: 'first' | 'second';
  readonly Command: { readonly kind: 'do'; readonly what: string };
}

/** One input of one life of a machine. */
interface Seen {
  readonly self: PrincipalId;
  readonly life: number;
  readonly input: Input<Probe>;
}

/** What a case has its machines do. */
type Act = (
  event: Event<Probe>,
  self: PrincipalId,
  stable: Probe['Stable'],
) => Partial<Output<Probe>> | undefined;

const say = (to: PrincipalId | 'all', what: number) =>
  ({ to, message: { kind: 'value', value: what } }) as const;
const save = (count: number) => ({ type: 'save', registers: { count } }) as const;
const asks = (event: Event<Probe>, what: string): boolean =>
  event.type === 'propose' && event.command.what === what;

interface Stage {
  readonly group: HostedGroup<Probe>;
  readonly seen: readonly Seen[];
  /** With what each life of each machine began, in the order of their starts. */
  readonly begun: readonly (readonly [self: PrincipalId, stable: Probe['Stable'] | undefined])[];
  ask(id: PrincipalId, what: string): void;
  /** The values that machine `id` has received, in the order in which they came. */
  heard(id: PrincipalId): { readonly from: PrincipalId; readonly value: number }[];
}

async function staged(
  makeHost: MakeHost,
  act: Act,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  const seen: Seen[] = [];
  const begun: (readonly [PrincipalId, Probe['Stable'] | undefined])[] = [];
  const initial = (): Probe['Stable'] => ({ count: 0, rows: new Map() });
  const group = await makeHost<Probe>({
    n: 3,
    messages: messages(value),
    stored: { count: integer(), rows: integer() },
    initial,
    make(self, stable) {
      const life = begun.filter(([of]) => of === self).length;
      begun.push([self, stable && { count: stable.count, rows: new Map(stable.rows) }]);
      return probe(self, stable ?? initial(), (input, now) => {
        seen.push({ self, life, input });
        return act(input.event, self, now);
      });
    },
  });
  try {
    await play({
      group,
      seen,
      begun,
      ask: (id, what) => group.propose(id, { kind: 'do', what }),
      heard: (id) =>
        seen.flatMap(({ self, input: { event } }) =>
          self === id && event.type === 'message'
            ? [{ from: event.message.from, value: event.message.value }]
            : [],
        ),
    });
  } finally {
    await group.end();
  }
}

/** A machine that shows what it is told and does as it was written. */
function probe(
  self: PrincipalId,
  stable: Probe['Stable'],
  act: (input: Input<Probe>, stable: Probe['Stable']) => Partial<Output<Probe>> | undefined,
): Machine<Probe> {
  let { count } = stable;
  const rows = new Map(stable.rows);
  const refuse = (): never => {
    throw new Error('a host neither forks nor restores machines');
  };
  return {
    self,
    step(input) {
      const asked = act(input, { count, rows });
      if (asked === undefined) return idle();
      for (const write of asked.writes ?? []) {
        if (write.type === 'save') count = write.registers.count ?? count;
        if (write.type === 'put') rows.set(write.index, write.row as number);
      }
      return { ...idle<Probe>(), ...asked };
    },
    snapshot: () => ({ stable: { count, rows: new Map(rows) }, volatile: {} }),
    restore: refuse,
    fork: refuse,
    status: () => ({ term: 0, role: 'probe' }),
  };
}

/** The cases that every host must pass. */
export const testHost = (makeHost: MakeHost): readonly HostCase[] =>
  cases.map(({ name, run }) => ({ name, run: () => run(makeHost) }));

interface Case {
  readonly name: string;
  readonly run: (makeHost: MakeHost) => Promise<void>;
}

const cases: readonly Case[] = [
  {
    name: 'the first event of every life is start, and there is one',
    run: (makeHost) =>
      staged(
        makeHost,
        () => undefined,
        async ({ group, seen }) => {
          await group.until(() => new Set(seen.map(({ self }) => self)).size === 3);
          await group.crash(1);
          await group.restart(1);
          await group.until(() => seen.some(({ self, life }) => self === 1 && life === 1));
          for (const [self, life] of [0, 1, 2].map((id) => [id, id === 1 ? 1 : 0])) {
            const mine = seen.filter((one) => one.self === self && one.life === life);
            equal(mine[0]?.input.event.type, 'start');
            equal(mine.filter(({ input }) => input.event.type === 'start').length, 1);
          }
          const lives = seen.flatMap(({ self, input: { event } }) =>
            self === 1 && event.type === 'start' ? (event.incarnation ?? 0) : [],
          );
          ok(lives[1] !== 0 && lives[0] !== lives[1], `lives ${lives} are not told apart`);
        },
      ),
  },
  {
    name: 'a message to all reaches everyone once, its sender too, under its name',
    run: (makeHost) =>
      staged(
        makeHost,
        (event) => (asks(event, 'speak') ? { sends: [say('all', 7), say(2, 8)] } : undefined),
        async ({ group, ask, heard }) => {
          ask(1, 'speak');
          await group.until(() => [0, 1, 2].every((id) => heard(id).length >= (id === 2 ? 2 : 1)));
          await group.pass(20_000);
          const of = (id: number) => heard(id).sort((first, second) => first.value - second.value);
          equal(of(0), [{ from: 1, value: 7 }]);
          equal(of(1), [{ from: 1, value: 7 }]);
          equal(of(2), [
            { from: 1, value: 7 },
            { from: 1, value: 8 },
          ]);
        },
      ),
  },
  {
    name: 'what was said is on the disk, all of it, whenever the speaker dies',
    run: (makeHost) =>
      staged(makeHost, counting, async ({ group, begun, ask, heard }) => {
        for (let round = 1; round <= 8; round++) {
          for (let i = 0; i < 5; i++) ask(0, 'count');
          const goal = Math.max(0, ...heard(1).map((each) => each.value)) + 1 + (round % 3);
          await group.until(() => heard(1).some((each) => each.value >= goal));
          await group.crash(0);
          const said = Math.max(...[...heard(1), ...heard(2)].map((each) => each.value));
          await group.restart(0);
          await group.until(() => begun.filter(([self]) => self === 0).length === round + 1);
          const [, stable] = begun.filter(([self]) => self === 0).at(-1) ?? [];
          ok((stable?.count ?? 0) >= said, `${said} was said and ${stable?.count} was kept`);
          // All writes of one step are there or none.
          equal(stable?.rows.get(0), stable?.count);
          equal(stable?.rows.size, stable?.count && stable.count + 1);
        }
      }),
  },
  {
    name: 'early messages arrive as well',
    run: (makeHost) =>
      staged(
        makeHost,
        (event) =>
          asks(event, 'hurry') ? { early: [say(1, 1), say(2, 1)], writes: [save(1)] } : undefined,
        async ({ group, ask, heard }) => {
          ask(0, 'hurry');
          await group.until(() => heard(1).length === 1 && heard(2).length === 1);
        },
      ),
  },
  {
    name: 'a timer fires once, not too soon, and not if it was replaced or cleared',
    run: (makeHost) =>
      staged(makeHost, timing, async ({ group, seen, ask }) => {
        const fired = () =>
          seen.flatMap(({ input }) => (input.event.type === 'timeout' ? [input] : []));
        ask(0, 'arm');
        ask(0, 'rearm');
        ask(1, 'arm');
        ask(1, 'clear');
        await group.until(() => fired().length > 0);
        await group.pass(100_000);
        equal(fired().length, 1);
        const set = seen.find(
          ({ self, input }) => self === 0 && asks(input.event, 'rearm'),
        ) as Seen;
        ok((fired()[0]?.now ?? 0) - set.input.now >= 40_000, 'it fired too soon');
      }),
  },
  {
    name: 'a timer of an earlier life never fires',
    run: (makeHost) =>
      staged(makeHost, timing, async ({ group, seen, ask }) => {
        ask(2, 'arm');
        await group.until(() => seen.some(({ input }) => asks(input.event, 'arm')));
        await group.crash(2);
        await group.restart(2);
        await group.pass(80_000);
        ok(
          seen.every(({ input }) => input.event.type !== 'timeout'),
          'a dead timer fired',
        );
      }),
  },
  {
    name: 'the clock of one life never goes back, and is whole microseconds',
    run: (makeHost) =>
      staged(makeHost, counting, async ({ group, seen, ask, heard }) => {
        for (let i = 0; i < 30; i++) {
          ask(i % 3, 'count');
          if (i % 10 === 0) await group.pass(2000);
        }
        await group.until(() => heard(1).length >= 20);
        for (const id of [0, 1, 2]) {
          let last = 0;
          for (const { self, input } of seen) {
            if (self !== id) continue;
            ok(Number.isInteger(input.now) && input.now >= last, `${last} and then ${input.now}`);
            ok(input.clock.earliest <= input.clock.latest, 'the interval is empty');
            last = input.now;
          }
        }
      }),
  },
  {
    name: 'a step that throws stops its machine, says and keeps nothing, and says why',
    run: (makeHost) =>
      staged(makeHost, throwing, async ({ group, seen, begun, ask, heard }) => {
        ask(0, 'count');
        await group.until(() => heard(2).some((each) => each.value === 1));
        ask(0, 'throw');
        await group.until(() => group.failure(0) !== undefined);
        ok(group.failure(0)?.includes('on purpose') ?? false, `it says ${group.failure(0)}`);
        const steps = seen.filter(({ self }) => self === 0).length;
        ask(0, 'count');
        ask(1, 'count');
        await group.until(() => heard(2).some((each) => each.from === 1));
        equal(seen.filter(({ self }) => self === 0).length, steps);
        equal(heard(2).filter((each) => each.from === 0).length, 1);
        await group.restart(0);
        await group.until(() => begun.filter(([self]) => self === 0).length === 2);
        equal(begun.filter(([self]) => self === 0)[1]?.[1]?.count, 1);
      }),
  },
  {
    name: 'what is given to a machine that is down is lost and harms nobody',
    run: (makeHost) =>
      staged(makeHost, counting, async ({ group, seen, ask, heard }) => {
        await group.crash(2);
        ask(2, 'count');
        ask(0, 'count');
        await group.until(() => heard(1).length === 1);
        await group.restart(2);
        ask(1, 'count');
        await group.until(() => heard(2).some((each) => each.from === 1));
        equal(seen.filter(({ self, input }) => self === 2 && asks(input.event, 'count')).length, 0);
      }),
  },
];

/** Counts on the disk, in two places, and tells everyone. */
function counting(
  event: Event<Probe>,
  _self: PrincipalId,
  { count }: Probe['Stable'],
): Partial<Output<Probe>> | undefined {
  if (!asks(event, 'count')) return undefined;
  const next = count + 1;
  return {
    writes: [
      save(next),
      { type: 'put', table: 'rows', index: next, row: next },
      { type: 'put', table: 'rows', index: 0, row: next },
    ],
    sends: [say('all', next)],
  };
}

function throwing(
  event: Event<Probe>,
  self: PrincipalId,
  stable: Probe['Stable'],
): Partial<Output<Probe>> | undefined {
  if (asks(event, 'throw')) throw new Error('this machine fails on purpose');
  return counting(event, self, stable);
}

function timing(event: Event<Probe>): Partial<Output<Probe>> | undefined {
  const set = (timer: 'first' | 'second', after: number | readonly [number, number]) =>
    ({ type: 'set', timer, after }) as const;
  if (asks(event, 'arm')) return { timers: [set('first', 20_000)] };
  if (asks(event, 'rearm')) return { timers: [set('first', [40_000, 50_000])] };
  if (asks(event, 'clear')) return { timers: [{ type: 'clear', timer: 'first' }] };
  return undefined;
}
