/** The simulator: one decision stream, one queue, any number of machines. */
import type { Shape } from '@quorumlab/core';
import { arrive, deliver, pull } from './arriving.ts';
import { wishes } from './clients.ts';
import { type Counters, readCounters } from './counters.ts';
import { finalDigest, mixEvent } from './digest.ts';
import { awaitStability, happen, requireFault, settle, timerKind } from './faults.ts';
import type {
  Ending,
  Fault,
  Progress,
  Seat,
  Simulation,
  SimulationOptions,
  SimulationResult,
} from './options.ts';
import { entryKind, popEntry, pushEntry } from './queue.ts';
import { diskDone, hand, schedule, startSeat } from './seat.ts';
import { forgetTimer } from './seat-timers.ts';
import { View } from './seat-view.ts';
import { disarmTimer, type Timer } from './timers.ts';
import {
  type Arrival,
  type Batch,
  makeSeat,
  makeWorld,
  note,
  type Parcel,
  type SeatState,
  type World,
} from './world.ts';

/** What a seat's digest events are, beside the kinds of entries. */
const timeoutMark = 7;

/** A timer is due. */
function fire<S extends Shape>(world: World<S>, timer: Timer): void {
  disarmTimer(world.timers, timer);
  world.now = timer.time;
  const state = world.seats[timer.seat] as SeatState<S>;
  if (state.paused) {
    state.held.push({ kind: timerKind, payload: timer, cause: timer.cause });
    return;
  }
  mixEvent(world.lanes, world.now, state.index, timeoutMark, timer.hash);
  const index =
    world.trace === undefined
      ? -1
      : note(world, state.index, 'timer', timer.cause, undefined, { timer: timer.name });
  forgetTimer(state, timer.name);
  hand(world, state, { type: 'timeout', timer: timer.name }, index);
}

/**
 * The same time. Engines keep an integer below 2^31 in place, and make an object of any other
 * number wherever it is stored, as of all numbers that come out of an array of floats.
 */
function small(time: number): number {
  const integer = time | 0;
  return integer === time ? integer : time;
}

/** Does what comes next, if it comes by `horizon`. */
function advance<S extends Shape>(world: World<S>, horizon: number): boolean {
  const { queue, timers } = world;
  const timer = timers[0];
  if (queue.length === 0) {
    if (timer === undefined || timer.time > horizon) return false;
    fire(world, timer);
    return true;
  }
  const time = small(queue.time[0] as number);
  if (
    timer !== undefined &&
    (timer.time < time || (timer.time === time && timer.order < (queue.order[0] as number)))
  ) {
    if (timer.time > horizon) return false;
    fire(world, timer);
    return true;
  }
  if (time > horizon) return false;
  popEntry(queue);
  world.now = time;
  dispatch(world, queue.topKind, queue.topSeat, queue.topCause);
  return true;
}

function dispatch<S extends Shape>(
  world: World<S>,
  kind: number,
  seat: number,
  cause: number,
): void {
  const payload = world.queue.topPayload;
  const state = world.seats[seat] as SeatState<S>;
  // The kind of an entry says what it carries.
  switch (kind) {
    case entryKind.message:
      return deliver(world, state, payload as Parcel<S>, cause);
    case entryKind.disk:
      mixEvent(world.lanes, world.now, seat, kind, 0);
      return diskDone(world, state, payload as Batch<S>, cause);
    case entryKind.acknowledged: {
      const batch = payload as Batch<S>;
      if (batch.incarnation === state.incarnation) batch.done();
      return;
    }
    case entryKind.input:
      return arrive(world, state, payload as Arrival<S>, cause);
    case entryKind.start:
      mixEvent(world.lanes, world.now, seat, kind, 0);
      return startSeat(world, state, 'synced', -1);
    case entryKind.settled:
      return settle(world);
    default:
      mixEvent(world.lanes, world.now, seat & 0xffff, kind, 0);
      return happen(world, payload as Fault);
  }
}

/** Looks whether the observer has seen something wrong. */
function judge<S extends Shape>(world: World<S>): void {
  world.judge = false;
  if (world.violation !== undefined) return;
  const violation = world.options.observer?.violation;
  if (violation === undefined) return;
  world.violation = violation;
  note(world, -1, 'violation', -1, undefined, violation);
}

function prepare<S extends Shape>(options: SimulationOptions<S>): World<S> {
  const observer = options.observer;
  const world = makeWorld<S>(options, (made, seat: Seat<S>, index) =>
    makeSeat(made, seat, index, () =>
      seat.traitor || !(observer?.asked || observer?.answered)
        ? undefined
        : wishes(seat.principal, observer),
    ),
  );
  for (const { index } of world.seats)
    pushEntry(world.queue, 0, world.order++, entryKind.start, index, undefined, -1);
  const faults = options.faults ?? [];
  for (const fault of faults) requireFault(world, fault);
  for (const fault of faults) plan(world, fault);
  awaitStability(world);
  pull(world);
  return world;
}

function plan<S extends Shape>(world: World<S>, fault: Fault): void {
  world.faultsLeft++;
  const at = Math.max(fault.at, world.now);
  pushEntry(world.queue, at, world.order++, entryKind.fault, -1, fault, -1);
}

/**
 * A run of a scenario, at time 0. The same options give the same run, byte for byte, on every
 * engine. Throws `ScenarioError` for a scenario that cannot be run.
 *
 * @example
 * ```ts
 * import { idle, integer, type Machine, message, messages, type Signature } from '@quorumlab/core';
 * import { lan, simulate } from '@quorumlab/sim';
 *
 * interface Greeting {
 *   readonly Stable: object;
 *   readonly Volatile: object;
 *   readonly Message: { readonly kind: 'hello'; readonly age: number };
 *   readonly Timer: never;
 *   readonly Command: never;
 * }
 * const greeter = (self: number): Machine<Greeting> => ({
 *   self,
 *   step: ({ event }) => ({
 *     ...idle<Greeting>(),
 *     sends: event.type === 'start' ? [{ to: 'all', message: { kind: 'hello', age: self } }] : [],
 *   }),
 *   snapshot: () => ({ stable: {}, volatile: {} }),
 *   restore: () => undefined,
 *   fork: () => greeter(self),
 *   status: () => ({ term: 0, role: 'greeter' }),
 * });
 * const signature = new Uint8Array() as Signature; // Here everybody is believed.
 * const run = simulate<Greeting>({
 *   messages: messages(message('hello', { age: integer() })),
 *   keyring: (_seat, from) => ({
 *     sign: (body) => ({ ...body, from, signature }),
 *     check: () => true,
 *     checkEvidence: () => true,
 *   }),
 *   seats: [0, 1, 2].map((principal) => ({ principal, make: () => greeter(principal) })),
 *   network: lan,
 *   seed: 42,
 *   limits: { until: 1_000_000 },
 * }).run();
 * console.log(run.counters.sent, run.digest); // The same every time.
 * ```
 */
export function simulate<S extends Shape>(options: SimulationOptions<S>): Simulation<S> {
  const world = prepare(options);
  const { until = Number.MAX_SAFE_INTEGER, events: most = Number.MAX_SAFE_INTEGER } =
    options.limits;
  const stopAtViolation = options.stopAtViolation ?? true;
  const views = world.seats.map((state) => new View(state));
  let ending: Ending | undefined;
  let result: SimulationResult | undefined;

  const counters = (): Counters => readCounters(world.counters, world.queue.largest);

  const digest = (): string =>
    finalDigest(world.lanes, world.now, world.events, world.random.count);

  function step(horizon: number): boolean {
    if (ending !== undefined) return false;
    if (!advance(world, horizon)) return false;
    if (world.judge) judge(world);
    if (world.violation !== undefined && stopAtViolation) ending = 'violation';
    else if (world.events >= most) ending = 'events';
    return true;
  }

  function runUntil(at: number): boolean {
    return runSome(at, Number.MAX_SAFE_INTEGER) === 'reached';
  }

  function runSome(at: number, some: number): Progress {
    const horizon = Math.min(at, until);
    let left = some;
    while (step(horizon)) if (--left <= 0) return 'more';
    if (ending !== undefined) return 'ended';
    const idle = world.queue.length === 0 && world.timers.length === 0;
    if (at >= until) {
      ending = idle ? 'idle' : 'until';
      // Time passes even if nothing happens any more: who waits for an answer has waited.
      if (!idle || until < Number.MAX_SAFE_INTEGER) world.now = until;
    } else if (at > world.now) world.now = at;
    return ending === undefined ? 'reached' : 'ended';
  }

  function finish(): SimulationResult {
    if (result !== undefined) return result;
    ending ??= 'until';
    world.options.observer?.end?.(world.now);
    judge(world);
    const { now, events, violation } = world;
    result = { ending, digest: digest(), now, events, violation, counters: counters() };
    world.trace?.footer(result.digest, violation);
    return result;
  }

  return {
    get now() {
      return world.now;
    },
    get events() {
      return world.events;
    },
    get counters() {
      return counters();
    },
    get violation() {
      return world.violation;
    },
    get ending() {
      return ending;
    },
    step() {
      if (step(until)) return true;
      return runUntil(until);
    },
    runUntil,
    runSome,
    run() {
      runUntil(until);
      return finish();
    },
    finish,
    seat: (index) => views[index] as View<S>,
    digest,
    decisions: () => world.random.recorded(),
    inject(fault) {
      requireFault(world, fault);
      plan(world, fault);
    },
    input: (input) => schedule(world, input, false, -1),
  };
}
