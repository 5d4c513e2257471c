/** The timers of a seat. */
import type { Delay, Shape, TimerChange } from '@quorumlab/core';
import { dueTime } from './clock.ts';
import { hashText } from './digest.ts';
import { armTimer, disarmTimer, makeTimer } from './timers.ts';
import type { SeatState, World } from './world.ts';

/** Timers of one seat that are remembered while they are not armed. */
const idleTimers = 16;

/** Sets or clears a timer, as a machine has asked for. */
export function changeTimer<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  change: TimerChange<S>,
  cause: number,
): void {
  const { timer: name } = change;
  let timer = state.timers.get(name);
  if (change.type === 'clear') {
    if (timer === undefined) return;
    disarmTimer(world.timers, timer);
    if (state.timers.size > idleTimers) state.timers.delete(name);
    return;
  }
  if (timer === undefined) {
    timer = makeTimer(state.index, name, hashText(name));
    state.timers.set(name, timer);
  }
  timer.cause = cause;
  const due = dueTime(state.clock, world.now, pick(world, change.after));
  armTimer(world.timers, timer, due, world.order++);
}

const pick = <S extends Shape>(world: World<S>, after: Delay): number =>
  typeof after === 'number' ? after : after[0] + world.random.below(after[1] - after[0] + 1);

/** Forgets a timer that has fired, if the seat knows many. */
export function forgetTimer<S extends Shape>(state: SeatState<S>, name: string): void {
  if (state.timers.size > idleTimers) state.timers.delete(name);
}
