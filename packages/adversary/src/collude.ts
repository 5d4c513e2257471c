/** Traitors that know each other, and show two faces together. */

import {
  type Event,
  firstClient,
  type Input,
  type Machine,
  type Outgoing,
  type Output,
  type PrincipalId,
  type Shape,
} from '@quorumlab/core';
import type { Behaviour, Power } from './behaviour.ts';
import { hasty } from './behaviours.ts';
import {
  both,
  type Coalition,
  coalition,
  type Face,
  forgetOldest,
  remembered,
} from './coalition.ts';
import { fingerprint } from './fingerprint.ts';

/** Who is on which side of a coalition. */
export interface Sides {
  readonly traitors: readonly PrincipalId[];
  /** The honest replicas that hear the second face; all others hear the first. */
  readonly second: readonly PrincipalId[];
}

/** What a traitor with two faces is made of. */
interface TwoFaced<S extends Shape> {
  readonly power: Power<S>;
  readonly self: PrincipalId;
  readonly sides: Sides;
  readonly shared: Coalition;
  /** What clients have asked once, by fingerprint. */
  readonly heard: Map<string, true>;
  /** The latest of all vows, whichever face made them. */
  readonly vowed: Map<string, string>;
  /** Whether each face has vowed anything. */
  readonly bound: [boolean, boolean];
}

const timerName = (face: Face, name: string): string => `adversary/face-${face}/${name}`;
const timerPattern = /^adversary\/face-([01])\/(.*)$/s;

/**
 * Runs two honest copies under one key. The first talks with the first side of the honest replicas
 * and with the first copies of the other traitors, the second with the others; neither side hears
 * of the other's. What clients ask is split too: every second request goes to the other copy, and
 * only what is asked again to both, so that the two histories differ. Both copies hurry to lead,
 * `hurry` times as fast as honest ones. With more traitors than a protocol tolerates each side is a
 * quorum, and no power over the network is needed.
 */
export const twoFaced =
  <S extends Shape>(sides: Sides, hurry: number): Behaviour<S> =>
  (honest, power) => {
    const eager = hasty<S>(hurry);
    const copies: readonly [Machine<S>, Machine<S>] = [
      eager(honest, power),
      eager(honest.fork(), power),
    ];
    const liar: TwoFaced<S> = {
      power,
      self: honest.self,
      sides,
      shared: power.coalition ?? coalition(),
      heard: new Map(),
      vowed: new Map(),
      bound: [false, false],
    };
    return {
      self: honest.self,
      step: (input) => step(liar, copies, input),
      snapshot: () => copies[0].snapshot(),
      restore(snapshot) {
        for (const copy of copies) copy.restore(snapshot);
      },
      fork: () => copies[0].fork(),
      status: () => copies[0].status(),
    };
  };

function step<S extends Shape>(
  liar: TwoFaced<S>,
  copies: readonly [Machine<S>, Machine<S>],
  input: Input<S>,
): Output<S> {
  const { event } = input;
  const timer = event.type === 'timeout' ? timerPattern.exec(event.timer) : null;
  if (timer !== null) {
    const face = Number(timer[1]) as Face;
    const own: Event<S> = { type: 'timeout', timer: timer[2] as S['Timer'] };
    return spoken(liar, face, copies[face].step({ ...input, event: own }));
  }
  const outputs = facesFor(liar, event).map((face) => spoken(liar, face, copies[face].step(input)));
  const [first, second] = outputs;
  if (first === undefined) throw new Error('an event has no face: every event has one');
  if (second === undefined) return first;
  return {
    ...first,
    early: [...first.early, ...second.early],
    sends: [...first.sends, ...second.sends],
    timers: [...first.timers, ...second.timers],
  };
}

/** Which copies hear of an event. */
function facesFor<S extends Shape>(
  { sides, shared, heard }: TwoFaced<S>,
  event: Event<S>,
): readonly Face[] {
  if (event.type === 'start') return both;
  if (event.type !== 'message') return [0];
  const { message } = event;
  const { from } = message;
  if (sides.traitors.includes(from)) return shared.facesOf(from, message);
  if (from < firstClient) return [sides.second.includes(from) ? 1 : 0];
  const name = `${from} ${fingerprint(message)}`;
  if (heard.has(name)) return both;
  heard.set(name, true);
  if (heard.size > remembered) forgetOldest(heard);
  const sequence = 'sequence' in message ? Number(message.sequence) : 0;
  return [(from + sequence) % 2 === 0 ? 0 : 1];
}

/** What a copy says and wants, for its own side only. */
function spoken<S extends Shape>(liar: TwoFaced<S>, face: Face, output: Output<S>): Output<S> {
  const timers = output.timers.map((change) => ({
    ...change,
    timer: timerName(face, change.timer) as S['Timer'],
  }));
  const early = aimed(liar, face, output.early);
  const sends = aimed(liar, face, output.sends);
  if (face === 0) return { ...output, early, sends, timers };
  // One disk and one application: the second copy has none, and traitors need none.
  return { ...output, early, sends, timers, writes: [], decisions: [], applied: [], answers: [] };
}

function aimed<S extends Shape>(
  liar: TwoFaced<S>,
  face: Face,
  list: readonly Outgoing<S>[],
): readonly Outgoing<S>[] {
  const { power, self, sides, shared } = liar;
  const aims: Outgoing<S>[] = [];
  for (const { to, message } of list) {
    const whom = to === 'all' ? power.members : [to];
    if (whom.some((id) => sides.traitors.includes(id))) shared.note(self, message, face);
    for (const id of whom) {
      const isTraitor = sides.traitors.includes(id);
      const isMine = isTraitor || id >= firstClient || sides.second.includes(id) === (face === 1);
      if (isMine) aims.push({ to: id, message });
    }
  }
  for (const { message } of list) noteVows(liar, face, message);
  return aims;
}

/** It has acted once one face binds itself to something while the other has bound itself too. */
function noteVows<S extends Shape>(
  { power, vowed, bound }: TwoFaced<S>,
  face: Face,
  message: S['Message'],
): void {
  for (const [about, what] of power.protocol.vows?.(message) ?? []) {
    if (vowed.get(about) === what) continue;
    if (bound[face === 0 ? 1 : 0]) power.fire('two faces');
    bound[face] = true;
    vowed.set(about, what);
    if (vowed.size > remembered) forgetOldest(vowed);
  }
}
