/** What goes wrong, and right again. */
import type { Shape } from '@quorumlab/core';
import { ScenarioError, skewClock } from './clock.ts';
import { mixWord } from './digest.ts';
import { copyStorage } from './disk.ts';
import { type Fault, heldCap } from './options.ts';
import { entryKind, pushEntry } from './queue.ts';
import { startSeat, stopSeat } from './seat.ts';
import { armTimer, type Timer } from './timers.ts';
import { type Held, note, type Payload, requireDisk, type SeatState, type World } from './world.ts';

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Throws {@link ScenarioError} for a fault that cannot happen in this world. */
export function requireFault<S extends Shape>(world: World<S>, fault: Fault): void {
  const seats =
    'seat' in fault
      ? [fault.seat]
      : fault.type === 'split'
        ? fault.groups.flat()
        : fault.type === 'cut'
          ? [...fault.from, ...fault.to]
          : [];
  for (const seat of seats)
    if (world.seats[seat] === undefined)
      throw new ScenarioError(
        `${fault.type} names seat ${seat}; the seats are 0 to ${world.seats.length - 1}`,
      );
  if (fault.type === 'crash' && !isCount(fault.boundary ?? 0))
    throw new ScenarioError(`crash at boundary ${fault.boundary}: give an integer from 0`);
  if (!isCount(fault.at))
    throw new ScenarioError(`${fault.type} at ${fault.at}: give integer microseconds from 0`);
  if (fault.type === 'disk') requireDisk(fault.disk);
}

/** Makes a fault happen now. */
export function happen<S extends Shape>(world: World<S>, fault: Fault): void {
  mixWord(world.lanes, fault.type.length);
  world.faultsLeft--;
  if ('seat' in fault) happenTo(world, world.seats[fault.seat] as SeatState<S>, fault);
  else happenBetween(world, fault);
  settle(world);
}

type SeatFault = Extract<Fault, { readonly seat: number }>;
type LinkFault = Exclude<Fault, SeatFault>;

function happenTo<S extends Shape>(world: World<S>, state: SeatState<S>, fault: SeatFault): void {
  const { index } = state;
  switch (fault.type) {
    case 'crash':
      if (state.machine === undefined) return;
      if (fault.boundary === undefined) stopSeat(world, state, undefined, -1);
      else state.doom = { left: fault.boundary, before: fault.before };
      return;
    case 'restart':
      state.doom = undefined;
      return startSeat(world, state, fault.disk ?? 'synced', -1);
    case 'backup':
      state.backup = state.storage && copyStorage(state.storage, world.strict);
      return void note(world, index, 'note', -1, undefined, { backup: true });
    case 'pause':
      if (state.machine === undefined) return;
      state.paused = true;
      return void note(world, index, 'note', -1, undefined, { paused: true });
    case 'resume':
      return resume(world, state);
    case 'timeout':
      if (state.machine === undefined || state.paused) return;
      for (const timer of state.timers.values())
        if (timer.place >= 0) armTimer(world.timers, timer, world.now, world.order++);
      return void note(world, index, 'note', -1, undefined, { hurried: true });
    case 'skew': {
      const { by = 0, driftPerBillion = state.clock.driftPerBillion, source } = fault;
      skewClock(state.clock, world.now, by, driftPerBillion, source);
      const told = source === undefined ? {} : { source };
      return void note(world, index, 'skew', -1, undefined, { by, driftPerBillion, ...told });
    }
    case 'disk':
      state.disk = fault.disk;
      return void note(world, index, 'corrupt', -1, undefined, { disk: fault.disk });
  }
}

function happenBetween<S extends Shape>(world: World<S>, fault: LinkFault): void {
  const { cuts, seats } = world;
  const n = seats.length;
  switch (fault.type) {
    case 'split': {
      cuts.fill(0);
      world.kindCuts = [];
      const group = new Map(fault.groups.flatMap((each, i) => each.map((seat) => [seat, i])));
      for (const [one, in1] of group)
        for (const [two, in2] of group) if (in1 !== in2) cuts[one * n + two] = 1;
      world.cutting = true;
      return void note(world, -1, 'split', -1, undefined, { groups: fault.groups });
    }
    case 'cut': {
      const { from, to, kinds } = fault;
      if (kinds === undefined)
        for (const one of from) for (const two of to) cuts[one * n + two] = 1;
      else world.kindCuts.push({ from: new Set(from), to: new Set(to), kinds: new Set(kinds) });
      world.cutting = true;
      return void note(world, -1, 'split', -1, undefined, { from, to, kinds });
    }
    case 'heal':
      cuts.fill(0);
      world.kindCuts = [];
      world.cutting = false;
      return void note(world, -1, 'heal', -1);
    case 'network': {
      const { network } = fault;
      world.phases = network.phases;
      world.phase = 0;
      world.stableFrom = network.stableFrom ?? 0;
      awaitStability(world);
      return void note(world, -1, 'note', -1, undefined, { network: network.name });
    }
  }
}

/** What waited happens now, in the order in which it came. */
function resume<S extends Shape>(world: World<S>, state: SeatState<S>): void {
  if (!state.paused) return;
  state.paused = false;
  note(world, state.index, 'note', -1, undefined, { paused: false });
  const { held } = state;
  state.held = [];
  for (const { kind, payload, cause } of held) {
    if (kind === timerKind) armTimer(world.timers, payload as Timer, world.now, world.order++);
    else
      pushEntry(
        world.queue,
        world.now,
        world.order++,
        kind === entryKind.disk ? entryKind.acknowledged : kind,
        state.index,
        payload as Payload<S>,
        cause,
      );
  }
}

/** Marks a held timer among the kinds of entries. */
export const timerKind: number = 255;

/** Keeps something for a paused seat; false if too much waits already. */
export function hold<S extends Shape>(state: SeatState<S>, item: Held<S>): boolean {
  if (state.held.length >= heldCap) return false;
  state.held.push(item);
  return true;
}

/** Looks again when the network has become stable. */
export function awaitStability<S extends Shape>(world: World<S>): void {
  const { stableFrom } = world;
  if (stableFrom < Number.MAX_SAFE_INTEGER)
    pushEntry(
      world.queue,
      Math.max(stableFrom, world.now),
      world.order++,
      entryKind.settled,
      -1,
      undefined,
      -1,
    );
}

/** Whether what was begun with this seat has not ended. */
const isUnsettled = <S extends Shape>({ paused, doom }: SeatState<S>): boolean =>
  paused || doom !== undefined;

/** Tells the observer, once, that nothing more will go wrong and the network is whole. */
export function settle<S extends Shape>(world: World<S>): void {
  if (world.healed || world.faultsLeft > 0 || world.crashPending || world.cutting) return;
  if (world.now < world.stableFrom || world.seats.some(isUnsettled)) return;
  world.healed = true;
  note(world, -1, 'note', -1, undefined, { healed: true });
  world.options.observer?.healed?.(world.now);
  world.judge = true;
}
