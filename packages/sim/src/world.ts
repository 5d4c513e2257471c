/** The state of a simulation: plain records that the other files of this package work on. */
import type { Observer, Violation } from '@quorumlab/checker';
import {
  type Event,
  envelopeBytes,
  firstClient,
  type Instant,
  type Interval,
  type Journal,
  type Machine,
  maxFrameBytes,
  type Output,
  type PrincipalId,
  type Shape,
  type Signed,
  type Write,
} from '@quorumlab/core';
import type { Wishes } from './clients.ts';
import { type RunningClock, ScenarioError, startClock } from './clock.ts';
import { type RunningCounters, startCounters } from './counters.ts';
import { type Lanes, startLanes } from './digest.ts';
import type { DiskModel, Storage } from './disk.ts';
import { type CopyChanges, copyChangesOf, type Losses, lossesOf } from './losses.ts';
import type { NetworkPhase } from './network.ts';
import type {
  Fault,
  ScheduledInput,
  Seat,
  SeatHost,
  SimulatedKeyring,
  SimulationOptions,
} from './options.ts';
import { type EventQueue, eventQueue } from './queue.ts';
import { type Decisions, decisions } from './random.ts';
import type { Timer } from './timers.ts';
import { type TraceKind, type TraceWriter, traceWriter } from './trace.ts';

/** A signed message under way, shared by all who get it. */
export interface Parcel<S extends Shape> {
  readonly message: Signed<S['Message']>;
  readonly event: Event<S>;
  /** The seat that said it. */
  readonly seat: number;
  readonly principal: PrincipalId;
  readonly hash: number;
  /** Row of the counters. */
  readonly kind: number;
  readonly bytes: number;
  /** No frame could carry it. */
  readonly oversized: boolean;
  /** Name in the trace. */
  readonly name: string | undefined;
  /** 0: nobody has looked, 1: the signatures are right, 2: they are not. */
  verdict: number;
}

/** A batch on its way to a disk. */
export interface Batch<S extends Shape> {
  readonly writes: readonly Write<S>[];
  readonly done: () => void;
  readonly incarnation: number;
  /** Whether it was acknowledged before it was durable. */
  readonly lied: boolean;
}

/** An input, and whether it came out of the source, which is then asked for the next. */
export interface Arrival<S extends Shape> {
  readonly input: ScheduledInput<S>;
  readonly pulled: boolean;
}

/** What an entry of the queue carries, by its kind. */
export type Payload<S extends Shape> = Parcel<S> | Batch<S> | Fault | Arrival<S> | undefined;

/** Something that waits for a paused seat. */
export interface Held<S extends Shape> {
  readonly kind: number;
  readonly payload: Payload<S> | Timer;
  readonly cause: number;
}

/** One seat. */
export interface SeatState<S extends Shape> {
  readonly index: number;
  readonly seat: Seat<S>;
  readonly principal: PrincipalId;
  readonly honest: boolean;
  readonly keyring: SimulatedKeyring<S['Message']>;
  readonly clock: RunningClock;
  readonly timers: Map<string, Timer>;
  readonly host: SeatHost;
  /** Absent if nobody wants to know. */
  readonly wishes: Wishes | undefined;
  disk: DiskModel;
  machine: Machine<S> | undefined;
  journal: Journal<S> | undefined;
  storage: Storage | undefined;
  backup: Storage | undefined;
  /** Batches not yet durable, the oldest first. */
  flight: Batch<S>[];
  /** No sync ends before the one before it. */
  flightUntil: Instant;
  /** Counts starts and crashes: what belongs to an earlier one is stale. */
  incarnation: number;
  starts: number;
  /** Its disk was lost: until a new one holds something, it is told so at every start. */
  lost: boolean;
  paused: boolean;
  held: Held<S>[];
  reason: string | undefined;
  boundaries: number;
  /** It is about to crash: after so many more boundaries, or of those before such messages. */
  doom: { left: number; readonly before: string | undefined } | undefined;
  /** It is ending: what is durable is still told of, and nothing is said any more. */
  cut: Cut | undefined;
  /** The last message that was signed, so that one said to many is signed once. */
  lastMessage: S['Message'] | undefined;
  lastParcel: Parcel<S> | undefined;
  /** What the trace last showed of its status. */
  shown: string;
}

/** How a seat ends while it says what is durable. */
export interface Cut {
  /** Why, if it ends by itself. */
  readonly reason: string | undefined;
  readonly cause: number;
}

/** A cut of some kinds of messages between two seats. */
export interface KindCut {
  readonly from: ReadonlySet<number>;
  readonly to: ReadonlySet<number>;
  readonly kinds: ReadonlySet<string>;
}

/** Everything. */
export interface World<S extends Shape> {
  readonly options: SimulationOptions<S>;
  readonly random: Decisions;
  readonly queue: EventQueue<Payload<S>>;
  readonly timers: Timer[];
  readonly seats: readonly SeatState<S>[];
  readonly seatsOf: ReadonlyMap<PrincipalId, readonly number[]>;
  /** The seats of all members, in order. */
  readonly everyone: readonly number[];
  readonly counters: RunningCounters;
  readonly lanes: Lanes;
  readonly trace: TraceWriter | undefined;
  /** Which event of the trace a step was, while its output waits for the disk. */
  readonly causes: Map<Output<S>, number>;
  /** The trace's index of the step under way. */
  stepCause: number;
  readonly strict: boolean;
  /** By kind of message, whether its schema lets it grow beyond a frame. */
  readonly mayBeLarge: readonly boolean[];
  now: Instant;
  /** `now` as an interval, made when first asked for. */
  interval: Interval;
  order: number;
  events: number;
  phases: readonly NetworkPhase[];
  phase: number;
  stableFrom: Instant;
  /** Whether anything is cut at all. */
  cutting: boolean;
  /** Per pair of seats: 1 if nothing passes. */
  readonly cuts: Uint8Array;
  kindCuts: KindCut[];
  /** Absent if nothing is lost by name. */
  readonly losses: Losses | undefined;
  /** Absent if nothing else happens to single copies. */
  readonly copyChanges: CopyChanges | undefined;
  /** Per pair of seats: when the last message on an ordered link arrives. */
  lastArrival: Float64Array | undefined;
  faultsLeft: number;
  healed: boolean;
  crashPending: boolean;
  /** An observer was told something since its violation was last looked at. */
  judge: boolean;
  violation: Violation | undefined;
}

/** The observer, for seats it may see. */
export const observerOf = <S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
): Observer | undefined => (state.honest ? world.options.observer : undefined);

/**
 * Adds an event to the trace, if there is one, and answers its index. In the hot loop look for the
 * trace first, so that no details are made for nobody.
 */
export const note = <S extends Shape>(
  world: World<S>,
  seat: number,
  kind: TraceKind,
  cause: number,
  message?: string,
  details?: unknown,
): number =>
  world.trace === undefined
    ? -1
    : world.trace.event(world.now, seat, kind, cause, message, details);

const requireThat = (condition: boolean, sentence: string): void => {
  if (!condition) throw new ScenarioError(sentence);
};

/** Most machines of a simulation, clients included. */
export const seatsAtMost = 4096;

/** A world in which nothing has happened yet. Throws {@link ScenarioError} if it cannot be. */
export function makeWorld<S extends Shape>(
  options: SimulationOptions<S>,
  seatState: (world: World<S>, seat: Seat<S>, index: number) => SeatState<S>,
): World<S> {
  const { seats, network } = options;
  const n = seats.length;
  requireThat(
    n > 0 && n <= seatsAtMost,
    `${n} seats cannot be simulated; give 1 to ${seatsAtMost}`,
  );
  requireThat(network.phases[0]?.from === 0, `network ${network.name} has no phase from 0`);
  const seatsOf = new Map<PrincipalId, number[]>();
  seats.forEach(({ principal }, index) => {
    const mine = seatsOf.get(principal);
    if (mine) mine.push(index);
    else seatsOf.set(principal, [index]);
  });
  const members =
    options.members ?? [...seatsOf.keys()].filter((id) => id < firstClient).sort((a, b) => a - b);
  const states: SeatState<S>[] = [];
  const world: World<S> = {
    options,
    random: decisions({
      seed: options.seed,
      record: options.record ?? false,
      ...(options.decisions === undefined ? {} : { replay: options.decisions }),
    }),
    queue: eventQueue(),
    timers: [],
    seats: states,
    seatsOf,
    everyone: members.flatMap((id) => seatsOf.get(id) ?? []),
    counters: startCounters(options.messages),
    lanes: startLanes(),
    trace: options.trace && traceWriter(options.trace),
    causes: new Map(),
    stepCause: -1,
    strict: options.strict ?? false,
    mayBeLarge: options.messages.kinds.map(
      ({ maxBytes }) => maxBytes + envelopeBytes > (options.maxFrameBytes ?? maxFrameBytes),
    ),
    now: 0,
    interval: { earliest: 0, latest: 0 },
    order: 0,
    events: 0,
    phases: network.phases,
    phase: 0,
    stableFrom: network.stableFrom ?? 0,
    cutting: false,
    cuts: new Uint8Array(n * n),
    kindCuts: [],
    losses: options.lost && lossesOf(options.lost, n),
    copyChanges: options.copies && copyChangesOf(options.copies, n),
    lastArrival: undefined,
    faultsLeft: 0,
    healed: false,
    crashPending: options.crashAt !== undefined,
    judge: false,
    violation: undefined,
  };
  seats.forEach((seat, index) => void states.push(seatState(world, seat, index)));
  return world;
}

/** A seat on which nothing runs yet. */
export function makeSeat<S extends Shape>(
  world: World<S>,
  seat: Seat<S>,
  index: number,
  wishesOf: () => Wishes | undefined,
): SeatState<S> {
  requireDisk(seat.disk);
  const fire = (what: string): void => {
    world.counters.fired.set(what, (world.counters.fired.get(what) ?? 0) + 1);
    note(world, index, 'note', -1, undefined, { fired: what });
  };
  return {
    index,
    seat,
    principal: seat.principal,
    honest: !(seat.traitor ?? false),
    keyring: world.options.keyring(index, seat.principal),
    clock: startClock(seat.clock),
    timers: new Map(),
    host: { random: world.random, fire },
    wishes: wishesOf(),
    disk: seat.disk ?? {},
    machine: undefined,
    journal: undefined,
    storage: undefined,
    backup: undefined,
    flight: [],
    flightUntil: 0,
    incarnation: 0,
    starts: 0,
    lost: false,
    paused: false,
    held: [],
    reason: undefined,
    boundaries: 0,
    doom: undefined,
    cut: undefined,
    lastMessage: undefined,
    lastParcel: undefined,
    shown: '',
  };
}

/** Throws {@link ScenarioError} for a disk that cannot be. */
export function requireDisk(disk: DiskModel | undefined): void {
  requireThat(
    !(disk?.lies ?? false) || disk?.sync !== undefined,
    'a disk that lies needs a `sync` that takes time, or it cannot be caught',
  );
}
