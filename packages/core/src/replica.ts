import { AssertionError } from './assert.ts';
import { copy } from './copy.ts';
import { leapGuard } from './leap.ts';
import type {
  Accusation,
  AllowedRead,
  Decision,
  Fetch,
  Input,
  Machine,
  Outgoing,
  Output,
  Start,
  Tentative,
  TimerChange,
  Write,
} from './machine.ts';
import { idle } from './machine.ts';
import type { Asked, Context, Expectations, Guards, Protocol, Replica, Shape } from './protocol.ts';
import type { Digest, Field } from './schema.ts';
import type { ReplicaId, Signed } from './vocabulary.ts';

/**
 * A protocol's own invariant does not hold: a bug, or a disk that lied. The host stops the replica.
 */
export class InvariantError extends Error {
  override readonly name: string = 'InvariantError';
}

/** Collision-resistant digest of a value in its canonical encoding; made by the wire package. */
export type DigestOf = <T extends object>(field: Field<T>, value: T) => Digest;

/** What a replica is started with. */
export interface ReplicaOptions<S extends Shape> {
  readonly digest: DigestOf;
  /** What the disk gave back; absent: a replica that has never run. */
  readonly stable?: S['Stable'];
  /** See {@link Context.interferes}; absent: any two commands interfere. */
  readonly interferes?: (one: S['Command'], other: S['Command']) => boolean;
  /** Whether `ctx.line` is recorded. Off saves a few nanoseconds a step. On unless told. */
  readonly lines?: boolean;
}

type Tableau = Record<PropertyKey, Map<number, unknown>>;

/** Turns a protocol's handlers into a machine: the one place that knows how recording works. */
export function replica<S extends Shape>(
  protocol: Protocol<S>,
  self: ReplicaId,
  options: ReplicaOptions<S>,
): Machine<S> {
  const stable = options.stable ?? protocol.stable();
  let stableKeys = Object.keys(stable);
  let state = { ...stable, ...protocol.volatile(stable, self) } as Replica<S>;
  const recorder = recording<S>(protocol, self, () => state, options);
  const { ctx } = recorder;
  const { counter } = protocol;
  const guard = counter && leapGuard(counter, protocol.members.length);
  const expectations: Expectations<S> = protocol.expects ?? {};

  /** Whether a handler ran: it is no business of protocols what else hosts tell machines. */
  function dispatch({ event }: Input<S>): boolean {
    switch (event.type) {
      case 'message': {
        const { message } = event;
        if (counter && guard?.refuses(message, counter.known(state))) return false;
        const handle = protocol.on[message.kind as S['Message']['kind']];
        // The kind selects the handler that takes just this message.
        (handle as (r: Replica<S>, m: Signed<S['Message']>, c: Context<S>) => void)(
          state,
          message,
          ctx,
        );
        return true;
      }
      case 'timeout':
        protocol.timeout?.(state, event.timer, ctx);
        return true;
      case 'propose':
        protocol.propose(state, event.command, ctx);
        return true;
      case 'read':
        protocol.read?.(state, event.id, ctx);
        return true;
      case 'start':
        start(event);
        return true;
      case 'snapshot-taken': {
        const { slot, digest, configuration } = event;
        protocol.snapshotTaken?.(state, slot, digest, ctx, configuration);
        return true;
      }
      case 'snapshot-installed': {
        const { slot, digest, configuration } = event;
        protocol.snapshotInstalled?.(state, slot, digest, ctx, configuration);
        return true;
      }
      case 'submit':
      case 'cancel':
        return false; // For machines that hold a client; a bare replica has none.
    }
  }

  function start(event: Start): void {
    const { incarnation = 0, rejoin } = event;
    if (rejoin && protocol.rejoin !== undefined) return protocol.rejoin(state, ctx, incarnation);
    return protocol.start?.(state, ctx, incarnation);
  }

  const machine: Machine<S> = {
    self,
    step(input) {
      recorder.begin(input);
      if (dispatch(input)) protocol.settle?.(state, ctx);
      const wrong = protocol.invariant?.(state);
      if (wrong !== undefined)
        throw new InvariantError(`${protocol.name} replica ${self}: ${wrong}`);
      return recorder.end();
    },
    admits(message, now) {
      if (!protocol.members.includes(message.from)) return false;
      const guards: Guards<S> = protocol.admits ?? {};
      const guard = guards[message.kind as S['Message']['kind']];
      if (guard === undefined) return true;
      // The kind selects the guard of just this message.
      return (guard as (r: Replica<S>, m: Signed<S['Message']>, a: Asked) => boolean)(
        state,
        message,
        { self, now, digest: options.digest },
      );
    },
    expects: (kind, from) =>
      protocol.members.includes(from) && expectations[kind]?.(state, from, self) !== false,
    raises: (message) => counter !== undefined && counter.said(message) > counter.known(state),
    wants: (command) => protocol.wants?.(state, command) ?? true,
    snapshot() {
      const stable: Record<string, unknown> = {};
      const volatile: Record<string, unknown> = {};
      for (const [key, value] of Object.entries(state))
        (stableKeys.includes(key) ? stable : volatile)[key] = copy(value);
      return { stable, volatile };
    },
    restore(snapshot) {
      stableKeys = Object.keys(snapshot.stable);
      state = copy({ ...snapshot.stable, ...snapshot.volatile }) as Replica<S>;
    },
    fork() {
      const other = replica(protocol, self, options);
      other.restore(machine.snapshot());
      return other;
    },
    roster: () => protocol.roster?.(state),
    status() {
      const status = protocol.status(state);
      const trouble = counter && guard?.trouble(counter.known(state));
      return trouble === undefined ? status : { ...status, trouble };
    },
  };
  return machine;
}

interface Recorder<S extends Shape> {
  readonly ctx: Context<S>;
  begin(input: Input<S>): void;
  end(): Output<S>;
}

/** No disk has a row, or a bound of rows, of another number: so no replica writes one either. */
function requireIndex(index: number): void {
  if (Number.isSafeInteger(index) && index >= 0) return;
  throw new AssertionError(`${index} is no row of a table: rows are counted from 0`);
}

/** `item` at the end of `list`; most lists of a step hold one item, so they begin at that size. */
function added<T>(list: T[] | undefined, item: T): T[] {
  if (list === undefined) return [item];
  list.push(item);
  return list;
}

/**
 * Whether one signer says in two messages different things about one thing of which it may only say
 * one. Nobody is accused of anything else: a stranger could not check it.
 */
function breaksVow<S extends Shape>(
  protocol: Protocol<S>,
  first: Signed<S['Message']>,
  second: Signed<S['Message']>,
): boolean {
  if (first.from !== second.from) return false;
  const said = new Map(protocol.vows?.(first) ?? []);
  for (const [about, what] of protocol.vows?.(second) ?? [])
    if ((said.get(about) ?? what) !== what) return true;
  return false;
}

/** A context that writes down what a handler asks for. Lists are made when first needed. */
function recording<S extends Shape>(
  protocol: Protocol<S>,
  self: ReplicaId,
  current: () => Replica<S>,
  options: ReplicaOptions<S>,
): Recorder<S> {
  const withLines = options.lines ?? true;
  let now = 0;
  let clock = { earliest: 0, latest: 0 };
  let early: Outgoing<S>[] | undefined;
  let writes: Write<S>[] | undefined;
  let sends: Outgoing<S>[] | undefined;
  let timers: TimerChange<S>[] | undefined;
  let decisions: Decision<S>[] | undefined;
  let tentative: Tentative<S>[] | undefined;
  let reads: AllowedRead[] | undefined;
  let fetches: Fetch[] | undefined;
  let accusations: Accusation<S>[] | undefined;
  let lines: string[] | undefined;
  let voters: readonly ReplicaId[] | undefined;

  // Handlers see stable state read-only; this is the only code that writes it.
  const table = (name: PropertyKey): Map<number, unknown> =>
    (current() as unknown as Tableau)[name] as Map<number, unknown>;

  const ctx: Context<S> = {
    self,
    group: protocol.group,
    get now() {
      return now;
    },
    get clock() {
      return clock;
    },
    save(registers) {
      Object.assign(current(), registers);
      writes = added(writes, { type: 'save', registers: registers as Partial<S['Stable']> });
    },
    put(name, index, row) {
      requireIndex(index);
      table(name).set(index, row);
      writes = added(writes, { type: 'put', table: name, index, row });
    },
    drop(name, rows) {
      requireIndex('from' in rows ? rows.from : rows.below);
      const map = table(name);
      for (const i of map.keys())
        if ('from' in rows ? i >= rows.from : i < rows.below) map.delete(i);
      writes = added(writes, { type: 'drop', table: name, rows });
    },
    send: (to, message) => void (sends = added(sends, { to, message })),
    broadcast: (message) => void (sends = added(sends, { to: 'all', message })),
    sendEarly: (to, message) => void (early = added(early, { to, message })),
    setTimer: (timer, after) => void (timers = added(timers, { type: 'set', timer, after })),
    clearTimer: (timer) => void (timers = added(timers, { type: 'clear', timer })),
    decide(slot, commands, proof, configured) {
      const decision: { -readonly [K in keyof Decision<S>]: Decision<S>[K] } = { slot, commands };
      if (proof) decision.proof = proof;
      if (configured) decision.configured = configured;
      if (voters) decision.voters = voters;
      decisions = added(decisions, decision);
    },
    voters: (members) => void (voters = members),
    executeTentatively: (slot, commands, term) =>
      void (tentative = added(tentative, { slot, commands, term })),
    allowRead: (id, upTo) => void (reads = added(reads, { id, upTo })),
    fetchSnapshot: (slot, digest, holders) =>
      void (fetches = added(fetches, { slot, digest, holders })),
    accuse(first, second) {
      if (breaksVow(protocol, first, second)) accusations = added(accusations, { first, second });
    },
    line(id) {
      if (withLines) lines = added(lines, id);
    },
    digest: (field, value) => options.digest(field, value),
    interferes: options.interferes ?? (() => true),
  };

  return {
    ctx,
    begin(input) {
      now = input.now;
      clock = input.clock;
      early = writes = sends = timers = decisions = reads = undefined;
      tentative = fetches = accusations = lines = voters = undefined;
    },
    end() {
      const none = idle<S>();
      if (
        !(
          early ||
          writes ||
          sends ||
          timers ||
          decisions ||
          tentative ||
          reads ||
          fetches ||
          accusations ||
          lines
        )
      )
        return none;
      return {
        early: early ?? none.early,
        writes: writes ?? none.writes,
        sends: sends ?? none.sends,
        timers: timers ?? none.timers,
        decisions: decisions ?? none.decisions,
        tentative: tentative ?? none.tentative,
        reads: reads ?? none.reads,
        fetches: fetches ?? none.fetches,
        accusations: accusations ?? none.accusations,
        lines: lines ?? none.lines,
        applied: none.applied,
        answers: none.answers,
      };
    },
  };
}
