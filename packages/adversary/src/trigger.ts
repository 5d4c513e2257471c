import type { Instant, Protocol, Random, Shape } from '@quorumlab/core';

/** When a behaviour is asked whether it acts. */
export interface Moment {
  readonly now: Instant;
  /** View, term or ballot that the message at hand is about, if it binds its signer to one. */
  readonly view: number | undefined;
  /** Slot or sequence number that it is about, likewise. */
  readonly slot: number | undefined;
  readonly random: Random;
}

/** Decides whether a behaviour acts at a moment. */
export type Trigger = (moment: Moment) => boolean;

/** Never: the behaviour is honest. */
export const never: Trigger = () => false;
/** At every chance. */
export const always: Trigger = () => true;
/** In `numerator` of `denominator` cases, by the run's decision stream. */
export const chance =
  (numerator: number, denominator: number): Trigger =>
  ({ random }) =>
    random.below(denominator) < numerator;
/** At messages about one of these slots. */
export const atSlots =
  (...slots: readonly number[]): Trigger =>
  ({ slot }) =>
    slot !== undefined && slots.includes(slot);
/** At messages about one of these views. */
export const atViews =
  (...views: readonly number[]): Trigger =>
  ({ view }) =>
    view !== undefined && views.includes(view);
/** At messages about slots from `first` to `last`, both included. */
export const slotsBetween =
  (first: number, last: number): Trigger =>
  ({ slot }) =>
    slot !== undefined && slot >= first && slot <= last;
/** At messages about views from `first` to `last`, both included. */
export const viewsBetween =
  (first: number, last: number): Trigger =>
  ({ view }) =>
    view !== undefined && view >= first && view <= last;
/** From `instant` on, in microseconds of the traitor's own clock. */
export const from =
  (instant: Instant): Trigger =>
  ({ now }) =>
    now >= instant;
/** Once at the first chance after each of `instants`, in ascending order. Of one behaviour only. */
export function onceAfter(...instants: readonly Instant[]): Trigger {
  let passed = 0;
  return ({ now }) => {
    const due = instants.filter((instant) => instant <= now).length;
    if (due <= passed) return false;
    passed = due;
    return true;
  };
}
/** When all of `triggers` say so. */
export const all =
  (...triggers: readonly Trigger[]): Trigger =>
  (moment) =>
    triggers.every((trigger) => trigger(moment));

/**
 * The view and slot that a message is about, read from its vows: the first number in `about` is
 * the view (term, ballot), the second the slot. The first vow speaks for the message.
 */
export function place<S extends Shape>(
  protocol: Pick<Protocol<S>, 'vows'>,
  message: S['Message'],
): { readonly view: number | undefined; readonly slot: number | undefined } {
  for (const [about] of protocol.vows?.(message) ?? []) {
    const numbers = about
      .split('/')
      .filter((part) => /^\d+$/.test(part))
      .map(Number);
    return { view: numbers[0], slot: numbers[1] };
  }
  return { view: undefined, slot: undefined };
}
