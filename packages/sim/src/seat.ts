/** One seat's life: starting, stepping, "durable before said", stopping. */
import {
  type Answer,
  type Event,
  type Interval,
  idle,
  journal,
  type Outgoing,
  type Output,
  type Shape,
  type TimerChange,
  type Write,
} from '@quorumlab/core';
import { localTime, wallTime } from './clock.ts';
import { count } from './counters.ts';
import { hashBytes, hashText, mixWord } from './digest.ts';
import { applyWrites, copyStorage, emptyStorage, readStorage, type Storage } from './disk.ts';
import { lose, say } from './links.ts';
import { sampleDelay } from './network.ts';
import type { Boundary, Fault, ScheduledInput } from './options.ts';
import { entryKind, pushEntry } from './queue.ts';
import { changeTimer } from './seat-timers.ts';
import { showInstalled, shownWrites, showStatus, tell } from './showing.ts';
import { disarmTimer } from './timers.ts';
import {
  type Batch,
  type Cut,
  note,
  observerOf,
  type Parcel,
  type SeatState,
  type World,
} from './world.ts';

const silent = idle();

/** Where a restarting machine looks for its state. */
export type DiskChoice = 'synced' | 'nothing' | 'backup' | 'lost';

/** Starts a machine on what the disk holds and hands it `start`. */
export function startSeat<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  from: DiskChoice,
  cause: number,
): void {
  if (state.machine !== undefined) return;
  if (from === 'nothing' || from === 'lost') state.storage = undefined;
  if (from !== 'synced') state.lost = from === 'lost';
  if (from === 'backup') state.storage = state.backup && copyStorage(state.backup, world.strict);
  const { storage } = state;
  const kept = storage?.written ? readStorage(storage, world.strict) : undefined;
  state.incarnation++;
  state.reason = undefined;
  state.lastMessage = undefined;
  if (state.starts++ > 0) world.counters.restarts++;
  try {
    state.machine = state.seat.make(kept, state.host);
    if (!storage?.written)
      state.storage = emptyStorage(state.machine.snapshot().stable as S['Stable']);
  } catch (error) {
    stopSeat(world, state, why(error), cause);
    return;
  }
  state.journal = ports(world, state, state.incarnation);
  const observer = observerOf(world, state);
  if (observer?.started !== undefined) {
    observer.started(world.now, state.index);
    world.judge = true;
  }
  if (kept !== undefined) showInstalled(world, state, kept, 'restart');
  if (state.starts > 1) state.wishes?.restarted(world.now);
  const started = state.starts > 1 ? note(world, state.index, 'restart', cause) : cause;
  const rejoin = state.lost && kept === undefined;
  // Lives are counted here: nothing is more certainly new, and it costs no choice.
  const incarnation = (state.seat.firstLife ?? 0) + state.starts - 1;
  const event: Event<S> =
    incarnation === 0
      ? { type: 'start' }
      : { type: 'start', incarnation, ...(rejoin ? { rejoin } : {}) };
  hand(world, state, event, started);
}

const why = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

/** The journal of one life of a seat: what belongs to an earlier life does nothing. */
function ports<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  incarnation: number,
): SeatState<S>['journal'] {
  const alive = (): boolean => state.incarnation === incarnation && state.machine !== undefined;
  return journal<S>({
    early(messages) {
      const cut = alive() ? sayAll(world, state, messages, world.stepCause) : undefined;
      if (cut !== undefined) stopSeat(world, state, cut.reason, cut.cause);
    },
    commit(writes, done) {
      if (alive()) commit(world, state, { writes, done, incarnation, lied: false });
    },
    release(output) {
      if (alive()) release(world, state, output);
    },
  });
}

/** Hands one event to a machine that runs. */
export function hand<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  event: Event<S>,
  cause: number,
): void {
  const { machine, clock } = state;
  if (machine === undefined) return;
  world.events++;
  const now = world.now;
  if (event.type === 'message') world.options.watcher?.heard?.(now, state.index, event.message);
  let output: Output<S>;
  try {
    output = machine.step(
      clock.perfect
        ? { now, clock: trueTime(world), event }
        : { now: localTime(clock, now), clock: wallTime(clock, now), event },
    );
  } catch (error) {
    stopSeat(world, state, why(error), cause);
    return;
  }
  world.options.watcher?.stepped?.(now, state.index, output);
  if (world.trace !== undefined) showStatus(world, state, cause);
  if (output === silent) return;
  const { lines } = output;
  for (let i = 0; i < lines.length; i++) count(world.counters.lines, lines[i] as string);
  // Lines may be recorded or not: a step that gives nothing else leaves no mark.
  const said = (output.writes.length << 16) | (output.sends.length + output.early.length);
  if (said !== 0) mixWord(world.lanes, said);
  world.stepCause = cause;
  if (world.trace !== undefined) world.causes.set(output, cause);
  state.journal?.add(output);
  stopIfCut(world, state);
}

/** What a perfect clock answers now: one object for all who ask at one instant. */
function trueTime<S extends Shape>(world: World<S>): Interval {
  const { now } = world;
  if (world.interval.latest !== now) world.interval = { earliest: now, latest: now };
  return world.interval;
}

/**
 * A place at which a crash makes a difference. True if the seat crashes here, as the scenario or a
 * fault wanted: its caller stops it.
 */
function boundary<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  where: Boundary,
  kind?: string,
): boolean {
  const passed = state.boundaries++;
  const { doom } = state;
  const isMeant = doom !== undefined && (doom.before === undefined || doom.before === kind);
  const isDoomed = isMeant && doom.left-- === 0;
  const point = world.crashPending ? world.options.crashAt : undefined;
  const isPoint = point?.seat === state.index && point.boundary === passed;
  if (!isDoomed && !isPoint) return false;
  if (isPoint) world.crashPending = false;
  world.options.watcher?.cutOff?.(world.now, state.index, where);
  const { queue, now } = world;
  if (!isPoint || point.restartAfter === undefined) {
    pushEntry(queue, now, world.order++, entryKind.settled, -1, undefined, -1);
    return true;
  }
  const at = now + point.restartAfter;
  world.faultsLeft++;
  const fault: Fault = { type: 'restart', at, seat: state.index };
  pushEntry(queue, at, world.order++, entryKind.fault, -1, fault, -1);
  return true;
}

/** Takes a batch to the disk. */
function commit<S extends Shape>(world: World<S>, state: SeatState<S>, batch: Batch<S>): void {
  if (state.cut !== undefined) return;
  if (boundary(world, state, 'before-write')) {
    stopSeat(world, state, undefined, world.stepCause);
    return;
  }
  world.counters.syncs++;
  const { disk } = state;
  if (disk.full) {
    stopSeat(world, state, 'DiskFull: there is no room for the next batch', world.stepCause);
    return;
  }
  if (disk.sync === undefined) {
    synced(world, state, batch, world.stepCause);
    return;
  }
  const lied = disk.lies ?? false;
  const kept: Batch<S> = lied ? { ...batch, lied } : batch;
  state.flight.push(kept);
  const ends = Math.max(world.now + sampleDelay(world.random, disk.sync), state.flightUntil);
  state.flightUntil = ends;
  pushEntry(world.queue, ends, world.order++, entryKind.disk, state.index, kept, world.stepCause);
  if (lied) batch.done();
}

/** A sync that took time has ended. */
export function diskDone<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  batch: Batch<S>,
  cause: number,
): void {
  if (batch.incarnation !== state.incarnation || state.machine === undefined) return;
  world.events++;
  state.flight.shift();
  world.stepCause = cause;
  synced(world, state, batch, cause);
}

function synced<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  batch: Batch<S>,
  cause: number,
): void {
  if (state.disk.fails) {
    stopSeat(world, state, 'SyncFailed: the disk did not take the last batch', cause);
    return;
  }
  applyWrites(state.storage as Storage, batch.writes, world.strict);
  if (world.trace !== undefined)
    note(world, state.index, 'accept', cause, undefined, shownWrites(batch.writes));
  if (batch.lied) return;
  if (state.paused) {
    // The kernel has done its work; the process will hear of it when it runs again.
    state.held.push({ kind: entryKind.disk, payload: batch, cause });
    return;
  }
  if (boundary(world, state, 'after-write')) {
    stopSeat(world, state, undefined, cause, batch);
    return;
  }
  batch.done();
  stopIfCut(world, state);
}

/** Everything of an output whose writes are durable. */
function release<S extends Shape>(world: World<S>, state: SeatState<S>, output: Output<S>): void {
  let cause = -1;
  if (world.trace !== undefined) {
    cause = world.causes.get(output) ?? -1;
    world.causes.delete(output);
  }
  if (state.cut === undefined && output.sends.length > 0)
    state.cut = sayAll(world, state, output.sends, cause);
  if (state.cut !== undefined) return tell(world, state, output, cause);
  const { timers, writes } = output;
  if (world.options.installed !== undefined)
    for (let i = 0; i < writes.length; i++) {
      const write = writes[i] as Write<S>;
      if (write.type === 'save') showInstalled(world, state, write.registers, 'step');
    }
  for (let i = 0; i < timers.length; i++)
    changeTimer(world, state, timers[i] as TimerChange<S>, cause);
  tell(world, state, output, cause);
  const { answers } = output;
  for (let i = 0; i < answers.length; i++) answered(world, state, answers[i] as Answer, cause);
  if (output.accusations.length > 0)
    for (const accusation of output.accusations) {
      world.options.watcher?.accused?.(world.now, state.index, accusation);
      note(world, state.index, 'note', cause, undefined, { accused: accusation.first.from });
    }
}

/** Says all of `messages`, or tells why the seat ends on the way. */
function sayAll<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  messages: readonly Outgoing<S>[],
  cause: number,
): Cut | undefined {
  try {
    for (let i = 0; i < messages.length; i++) {
      const each = messages[i] as Outgoing<S>;
      const { kind } = each.message;
      if (boundary(world, state, 'before-message', kind)) return { reason: undefined, cause };
      say(world, state, each, cause);
    }
    return undefined;
  } catch (error) {
    // What cannot be signed or encoded is a bug of the machine that said it.
    return { reason: why(error), cause };
  }
}

function answered<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  answer: Answer,
  cause: number,
): void {
  const { id, result, error } = answer;
  mixWord(world.lanes, id);
  mixWord(world.lanes, result === undefined ? hashText(error) : hashBytes(result));
  world.counters.answers++;
  if (world.trace !== undefined)
    note(world, state.index, 'note', cause, undefined, { answer: id, result, error });
  if (state.wishes !== undefined) {
    state.wishes.answered(world.now, answer);
    world.judge = true;
  }
  const reaction = world.options.inputs?.answered?.(world.now, state.index, answer);
  if (reaction !== undefined) schedule(world, reaction, false, cause);
}

/** Puts an input into the queue; an instant that is over means now. */
export function schedule<S extends Shape>(
  world: World<S>,
  input: ScheduledInput<S>,
  pulled: boolean,
  cause: number,
): void {
  const at = Math.max(input.at, world.now);
  const arrival = { input, pulled };
  pushEntry(world.queue, at, world.order++, entryKind.input, input.seat, arrival, cause);
}

/** Ends a seat that was cut off while it said what is durable: the rest of that has been told. */
function stopIfCut<S extends Shape>(world: World<S>, state: SeatState<S>): void {
  const { cut } = state;
  if (cut !== undefined) stopSeat(world, state, cut.reason, cut.cause);
}

/**
 * The machine is gone, and with it all that was not synced. What was is on the disk for ever, so
 * observers are told of it also where nobody else heard: of `durable`, of what a paused process has
 * not been told of, and of what a torn write kept.
 */
export function stopSeat<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  reason: string | undefined,
  cause: number,
  durable?: Batch<S>,
): void {
  const ran = state.machine !== undefined;
  state.cut = { reason, cause };
  durable?.done();
  for (const { kind, payload } of state.held)
    if (kind === entryKind.disk) (payload as Batch<S>).done();
  for (const batch of state.flight) {
    // A log is written in order: nothing behind a lost batch is kept.
    if (!state.disk.torn || world.random.below(2) === 0) break;
    applyWrites(state.storage as Storage, batch.writes, world.strict);
    if (!batch.lied) batch.done();
  }
  state.flight = [];
  state.flightUntil = 0;
  state.cut = undefined;
  state.incarnation++;
  state.doom = undefined;
  state.machine = undefined;
  state.journal = undefined;
  state.paused = false;
  state.reason = reason;
  world.counters.crashes++;
  const crash = note(world, state.index, 'crash', cause, undefined, reason && { reason });
  for (const timer of state.timers.values()) disarmTimer(world.timers, timer);
  state.timers.clear();
  for (const { kind, payload, cause: held } of state.held)
    if (kind === entryKind.message)
      lose(world, payload as Parcel<S>, state.index, held < 0 ? crash : held, 'crash');
  state.held = [];
  mixWord(world.lanes, state.index);
  const observer = observerOf(world, state);
  if (ran && observer?.stopped !== undefined) {
    observer.stopped(world.now, state.index);
    world.judge = true;
  }
}
