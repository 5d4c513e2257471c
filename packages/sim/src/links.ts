/** From a machine's mouth to another machine's seat: signing, cuts, loss, delay, duplication. */
import {
  encode,
  envelopeBytes,
  freeze,
  maxFrameBytes,
  type Outgoing,
  type Request,
  type Shape,
  type Tagged,
} from '@quorumlab/core';
import { mixWord } from './digest.ts';
import { changeOf, isLost } from './losses.ts';
import { happens, type LinkModel, type NetworkPhase, sampleDelay } from './network.ts';
import { entryKind, pushEntry } from './queue.ts';
import { note, type Parcel, type SeatState, type World } from './world.ts';

/** Signs `message`, unless it is the one this seat has just said to somebody else. */
function seal<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  message: S['Message'],
): Parcel<S> | undefined {
  if (message === state.lastMessage) return state.lastParcel;
  const { options, counters, lanes } = world;
  if (world.strict) freeze(message);
  const hash = options.messages.mix(state.principal, message);
  const kind = counters.place.get(message.kind) as number;
  const bytes = options.countBytes || world.strict ? encode(options.messages, message).length : 0;
  const oversized = (world.mayBeLarge[kind] ?? false) && isOversized(world, state, message);
  const signed = state.keyring.sign(message);
  if (signed === undefined) {
    state.lastMessage = message;
    state.lastParcel = undefined;
    return undefined;
  }
  if (world.strict) Object.freeze(signed);
  if (signed.signature.length > 0) counters.signed++;
  mixWord(lanes, hash);
  const parcel: Parcel<S> = {
    message: signed,
    event: { type: 'message', message: signed },
    seat: state.index,
    principal: state.principal,
    hash,
    kind,
    bytes,
    oversized,
    name: world.trace?.message(signed as unknown as Readonly<Record<string, unknown>>),
    verdict: 0,
  };
  state.lastMessage = message;
  state.lastParcel = parcel;
  if (state.wishes !== undefined && (message as Tagged).kind === 'request') {
    state.wishes.said(world.now, message as unknown as Request);
    world.judge = true;
  }
  options.watcher?.said?.(world.now, state.index, signed);
  return parcel;
}

/** Whether no frame could carry `message`. A real node drops it; of an honest one, a violation. */
function isOversized<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  message: S['Message'],
): boolean {
  const { messages, maxFrameBytes: most = maxFrameBytes } = world.options;
  const bytes = encode(messages, message).length + envelopeBytes;
  if (bytes <= most) return false;
  world.counters.oversized++;
  if (!state.honest) return true;
  const seats = [state.index];
  const what = `a ${(message as Tagged).kind} of ${bytes} bytes`;
  const sentence = `n${state.index} said ${what}, and a frame has at most ${most}`;
  world.violation ??= { word: 'invalid', rule: 'size', sentence, at: world.now, seats };
  return true;
}

/** Says one message. Throws whatever signing or encoding it throws: the machine's fault. */
export function say<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  { to, message }: Outgoing<S>,
  cause: number,
): void {
  const parcel = seal(world, state, message);
  if (parcel === undefined) {
    note(world, state.index, 'note', cause, undefined, { refused: message.kind });
    return;
  }
  const seats = to === 'all' ? world.everyone : world.seatsOf.get(to);
  if (seats === undefined) {
    // Nobody has that name: the message goes nowhere, as on any network.
    lose(world, parcel, state.index, cause, 'nobody');
    return;
  }
  for (let i = 0; i < seats.length; i++) carry(world, parcel, seats[i] as number, cause);
}

/** Gives one copy to the link to `to`. */
function carry<S extends Shape>(
  world: World<S>,
  parcel: Parcel<S>,
  to: number,
  cause: number,
): void {
  const { queue, counters, random, trace } = world;
  const from = parcel.seat;
  const sent = trace === undefined ? -1 : note(world, from, 'send', cause, parcel.name, { to });
  if (from === to) {
    counters.toSelf++;
    pushEntry(queue, world.now, world.order++, entryKind.message, to, parcel, sent);
    return;
  }
  counters.sent[parcel.kind] = (counters.sent[parcel.kind] as number) + 1;
  if (parcel.bytes > 0)
    counters.bytes[parcel.kind] = (counters.bytes[parcel.kind] as number) + parcel.bytes;
  if (parcel.oversized) {
    lose(world, parcel, to, sent, 'oversized');
    return;
  }
  const { losses, copyChanges } = world;
  const place = from * world.seats.length + to;
  const change = copyChanges === undefined ? undefined : changeOf(copyChanges, place);
  const taken =
    (losses !== undefined && isLost(losses, place)) ||
    (change !== undefined && change.does === 'drop');
  if (world.cutting && isCut(world, from, to, parcel)) {
    lose(world, parcel, to, sent, 'cut');
    return;
  }
  const link = linkOf(world, parcel, to);
  if (link.lossPerMillion !== undefined && happens(random, link.lossPerMillion)) {
    lose(world, parcel, to, sent, 'lost');
    return;
  }
  const drawn = arrival(world, link, from, to);
  const isMoved = change !== undefined && change.does === 'move';
  const arrives = isMoved ? world.now + (change.after ?? 0) : drawn;
  if (taken) {
    lose(world, parcel, to, sent, 'taken');
    return;
  }
  pushEntry(queue, arrives, world.order++, entryKind.message, to, parcel, sent);
  if (link.duplicatePerMillion !== undefined && happens(random, link.duplicatePerMillion))
    repeat(world, parcel, to, sent, arrival(world, link, from, to));
  if (change?.does === 'twice')
    repeat(
      world,
      parcel,
      to,
      sent,
      change.after === undefined ? arrives : world.now + change.after,
    );
}

/** The same copy once more. */
function repeat<S extends Shape>(
  world: World<S>,
  parcel: Parcel<S>,
  to: number,
  sent: number,
  time: number,
): void {
  world.counters.duplicated++;
  const again = note(world, parcel.seat, 'dup', sent, parcel.name, { to });
  pushEntry(world.queue, time, world.order++, entryKind.message, to, parcel, again);
}

function linkOf<S extends Shape>(world: World<S>, parcel: Parcel<S>, to: number): LinkModel {
  const { phases } = world;
  while (world.phase + 1 < phases.length) {
    const next = phases[world.phase + 1] as NetworkPhase;
    if (next.from > world.now) break;
    world.phase++;
  }
  const phase = phases[world.phase] as NetworkPhase;
  return phase.link(parcel.principal, (world.seats[to] as SeatState<S>).principal);
}

function arrival<S extends Shape>(
  world: World<S>,
  link: LinkModel,
  from: number,
  to: number,
): number {
  let time = world.now + sampleDelay(world.random, link.delay);
  if (link.arriveBy !== undefined && time > link.arriveBy)
    time = Math.max(link.arriveBy, world.now + 1);
  if (link.fifo) {
    const n = world.seats.length;
    world.lastArrival ??= new Float64Array(n * n);
    const at = from * n + to;
    const last = world.lastArrival[at] as number;
    if (last > time) time = last;
    world.lastArrival[at] = time;
  }
  return time;
}

/** Whether nothing, or nothing of this kind, passes from one seat to another now. */
export function isCut<S extends Shape>(
  world: World<S>,
  from: number,
  to: number,
  parcel: Parcel<S>,
): boolean {
  if ((world.cuts[from * world.seats.length + to] as number) > 0) return true;
  return world.kindCuts.some(
    (cut) => cut.from.has(from) && cut.to.has(to) && cut.kinds.has(parcel.message.kind),
  );
}

/** Counts a copy that nobody will get. */
export function lose<S extends Shape>(
  world: World<S>,
  parcel: Parcel<S>,
  to: number,
  cause: number,
  why: string,
): void {
  const { dropped } = world.counters;
  dropped[parcel.kind] = (dropped[parcel.kind] as number) + 1;
  if (world.trace !== undefined) note(world, to, 'drop', cause, parcel.name, { why });
}
