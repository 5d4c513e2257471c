/** What reaches a seat: messages of others, and inputs from outside. */
import type { Request, Shape, Submit, Tagged } from '@quorumlab/core';
import { hashBytes, hashText, mixEvent } from './digest.ts';
import { hold } from './faults.ts';
import { isCut, lose } from './links.ts';
import { entryKind } from './queue.ts';
import { hand, schedule } from './seat.ts';
import { type Arrival, note, type Parcel, type SeatState, type World } from './world.ts';

/** Gives a message to a seat, if it still gets there and its signatures are right. */
export function deliver<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  parcel: Parcel<S>,
  cause: number,
): void {
  const { counters } = world;
  const own = parcel.seat === state.index;
  if (state.machine === undefined) return lose(world, parcel, state.index, cause, 'down');
  if (state.paused) {
    if (!hold(state, { kind: entryKind.message, payload: parcel, cause }))
      lose(world, parcel, state.index, cause, 'overflow');
    return;
  }
  if (!own) {
    if (world.cutting && isCut(world, parcel.seat, state.index, parcel))
      return lose(world, parcel, state.index, cause, 'cut');
    counters.verified++;
    if (parcel.verdict === 0) parcel.verdict = isGenuine(world, state, parcel) ? 1 : 2;
    if (parcel.verdict === 2) {
      counters.refused++;
      return lose(world, parcel, state.index, cause, 'signature');
    }
    counters.delivered[parcel.kind] = (counters.delivered[parcel.kind] as number) + 1;
  }
  mixEvent(world.lanes, world.now, state.index, entryKind.message, parcel.hash);
  const index =
    world.trace === undefined ? -1 : note(world, state.index, 'deliver', cause, parcel.name);
  hand(world, state, parcel.event, index);
}

function isGenuine<S extends Shape>(
  { options }: World<S>,
  { keyring }: SeatState<S>,
  { message }: Parcel<S>,
): boolean {
  if (!keyring.check(message)) return false;
  const { evidence } = options;
  return evidence === undefined || keyring.checkEvidence(message, evidence(message));
}

/** Gives an input from outside to a seat, and asks the source for the next. */
export function arrive<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  arrival: Arrival<S>,
  cause: number,
): void {
  const { event } = arrival.input;
  if (arrival.pulled) pull(world);
  if (state.paused) {
    const item = { kind: entryKind.input, payload: { ...arrival, pulled: false }, cause };
    if (hold(state, item)) return;
  }
  if (state.machine === undefined || state.paused) {
    world.counters.inputsRefused++;
    const reaction = world.options.inputs?.refused?.(world.now, state.index, event);
    if (reaction !== undefined) schedule(world, reaction, false, cause);
    return;
  }
  const hash = event.type === 'submit' ? hashBytes(event.operation) : hashText(event.type);
  mixEvent(world.lanes, world.now, state.index, entryKind.input, hash);
  if (state.wishes !== undefined) listen(world, state, event);
  const index =
    world.trace === undefined ? -1 : note(world, state.index, 'input', cause, undefined, event);
  hand(world, state, event, index);
}

function listen<S extends Shape>(
  world: World<S>,
  { wishes: book }: SeatState<S>,
  event: Arrival<S>['input']['event'],
): void {
  if (event.type === 'submit') book?.submitted(event satisfies Submit);
  if (event.type !== 'propose') return;
  // A command given to a replica by hand is a request if it says so.
  const command = event.command as Tagged;
  if (command.kind !== 'request') return;
  world.options.observer?.asked?.(world.now, command as unknown as Request);
  world.judge = true;
}

/** Asks the source of inputs for the next one. */
export function pull<S extends Shape>(world: World<S>): void {
  const input = world.options.inputs?.next();
  if (input !== undefined) schedule(world, input, true, -1);
}
