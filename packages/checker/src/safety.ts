import {
  type Applied,
  type Claims,
  type Instant,
  type PrincipalId,
  type Request,
  type Slot,
  sameBytes,
  sameDecision,
  sameWish,
} from '@quorumlab/core';
import type { ObservedDecision, Observer } from './observer.ts';
import { type Table, table } from './table.ts';
import type { Violation } from './verdict.ts';

/** How a checker names a request to people. Unless told: client, sequence and the first bytes. */
export type Describe = (request: Request) => string;

/** See {@link Describe}. */
export const plain: Describe = ({ client, sequence }) => `request ${sequence} of client ${client}`;

/** Remembers the first violation. */
export function memory(): { note(violation: Violation): void; first: Violation | undefined } {
  const kept: { note(violation: Violation): void; first: Violation | undefined } = {
    first: undefined,
    note(violation) {
      kept.first ??= violation;
    },
  };
  return kept;
}

/**
 * Agreement: no slot is ever decided in two ways, by two honest replicas or by one before and
 * after a restart. Prefix order follows, because hosts deliver slots in order.
 */
export function agreement(describe: Describe = plain): Observer {
  // Slots are dense, and an array is several times as fast as a map.
  const seats: number[] = [];
  const values: (readonly Request[])[] = [];
  const found = memory();
  const show = (commands: readonly Request[]): string =>
    commands.length === 0 ? 'nothing' : commands.map(describe).join(' then ');
  return {
    decided(at: Instant, seat: number, { slot, commands }: ObservedDecision) {
      const value = values[slot];
      if (value === undefined) {
        values[slot] = commands;
        seats[slot] = seat;
        return;
      }
      if (sameDecision(value, commands)) return;
      const before = { seat: seats[slot] as number, commands: value };
      const who = before.seat === seat ? `${seat} after a restart` : `${seat}`;
      found.note({
        word: 'forked',
        rule: 'agreement',
        sentence:
          `position ${slot}: n${before.seat} committed ${show(before.commands)}, ` +
          `n${who} committed ${show(commands)}`,
        at,
        slot,
        seats: before.seat === seat ? [seat] : [before.seat, seat],
      });
    },
    get violation() {
      return found.first;
    },
  };
}

/** Where a request ran, the same on every replica. */
interface Place {
  readonly slot: Slot;
  readonly results: readonly Uint8Array[];
}

/** How far the state machine of a seat has come. */
interface Cursor {
  slot: Slot;
  /** Which of the requests of `slot` ran last. */
  ordinal: number;
  running: boolean;
}

/** What one seat has run since it started, or what its snapshot has: by request, at which slot. */
type Course = Map<string, Slot>;

/** What {@link execution} remembers of a run. */
interface Ledger {
  readonly describe: Describe;
  /** Where the order is each seat's own: what each has run. */
  readonly courses: Map<number, Course> | undefined;
  /** What seats had run in their lives before. */
  readonly earlier: Map<number, Course>;
  readonly asked: Table<Request>;
  readonly ran: Table<Place>;
  readonly answered: Table<readonly Uint8Array[]>;
  readonly refused: Table<true>;
  /** Hash of the state after the first request of each slot, and after the further ones. */
  readonly states: number[];
  readonly later: Map<Slot, number[]>;
  readonly cursors: Map<number, Cursor>;
  note(rule: string, sentence: string, at: Instant, seats: readonly number[], slot?: Slot): void;
}

const requestOf = ({ client, sequence, operations, configuration }: Applied): Request => ({
  kind: 'request',
  client,
  sequence,
  acknowledged: 0,
  operations,
  ...(configuration === undefined ? {} : { configuration }),
});

function checkRequest(ledger: Ledger, at: Instant, seat: number, applied: Applied): void {
  const { describe, asked, ran, note } = ledger;
  const { client, sequence, slot } = applied;
  const wish = asked.get(client, sequence);
  const asWished = wish !== undefined && sameWish(wish, applied);
  if (!asWished) {
    const what = `n${seat} ran ${describe(requestOf(applied))}, which no client asked for`;
    note('validity', `position ${slot}: ${what}`, at, [seat], slot);
  }
  const place = ran.get(client, sequence);
  if (place === undefined) ran.set(client, sequence, { slot, results: applied.results });
  if (ledger.courses !== undefined) return checkCourse(ledger, at, seat, applied);
  if (place !== undefined && place.slot !== slot) {
    const what = `n${seat} ran ${describe(requestOf(applied))} at position ${slot}`;
    note('integrity', `${what}, and it ran at ${place.slot} before`, at, [seat], slot);
  }
}

const nameOf = (client: PrincipalId, sequence: number): string => `${client}/${sequence}`;

const sameResults = (one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean =>
  one.length === other.length && one.every((each, i) => sameBytes(each, other[i] as Uint8Array));

/** Once on each seat, and with the same results: what else differs nobody can tell. */
function checkCourse(ledger: Ledger, at: Instant, seat: number, applied: Applied): void {
  const { describe, ran, note } = ledger;
  const { client, sequence, slot } = applied;
  const course = courseOf(ledger, seat);
  const name = nameOf(client, sequence);
  const before = course.get(name);
  const what = `n${seat} ran ${describe(requestOf(applied))} at position ${slot}`;
  if (before !== undefined)
    note('integrity', `${what}, and it ran at ${before} before`, at, [seat], slot);
  course.set(name, slot);
  if (!sameResults((ran.get(client, sequence) as Place).results, applied.results))
    note('state', `${what} with another result than others`, at, [seat], slot);
}

function courseOf({ courses }: Ledger, seat: number): Course {
  const course: Course = courses?.get(seat) ?? new Map();
  courses?.set(seat, course);
  return course;
}

/** A snapshot is taken where all have run the same: who has most of what is in it has all of it. */
function adoptCourse({ courses, earlier }: Ledger, seat: number, upTo: Slot): void {
  if (courses === undefined) return;
  let whole: Course = new Map();
  for (const course of [...earlier.values(), ...courses.values()]) {
    const part: Course = new Map([...course].filter(([, slot]) => slot <= upTo));
    if (part.size > whole.size) whole = part;
  }
  courses.set(seat, whole);
}

/** The state that others had after request `which` of `slot`; `state` if nobody told before. */
function ordinal({ states, later }: Ledger, slot: Slot, which: number, state: number): number {
  if (which === 0) return (states[slot] ??= state);
  let known = later.get(slot);
  if (known === undefined) {
    known = [];
    later.set(slot, known);
  }
  return (known[which] ??= state);
}

function checkState(ledger: Ledger, at: Instant, seat: number, { slot, state }: Applied): void {
  const { cursors, note } = ledger;
  let cursor = cursors.get(seat);
  if (cursor === undefined) cursors.set(seat, (cursor = { slot: -1, ordinal: 0, running: true }));
  cursor.ordinal = cursor.slot === slot ? cursor.ordinal + 1 : 0;
  cursor.slot = slot;
  const known = ordinal(ledger, slot, cursor.ordinal, state);
  if (known !== state) {
    const what = `after position ${slot} the state machine of n${seat} differs from the others'`;
    note('state', what, at, [seat], slot);
  }
}

function checkReply(
  { ran, note }: Ledger,
  at: Instant,
  client: PrincipalId,
  sequence: number,
  results: readonly Uint8Array[],
): void {
  const place = ran.get(client, sequence);
  if (place === undefined) return; // A liar may have answered first: `checkRan` looks at the end.
  if (sameResults(place.results, results)) return;
  const what = `client ${client} believes another result of request ${sequence}`;
  note('reply', `${what} than the state machines gave`, at, [], place.slot);
}

/** What a client believes must have run on an honest replica by the end of the run. */
function checkRan(ledger: Ledger, at: Instant): void {
  ledger.answered.each((client, sequence, results) => {
    if (ledger.ran.get(client, sequence) !== undefined)
      return checkReply(ledger, at, client, sequence, results);
    const what = `client ${client} believes that request ${sequence} ran`;
    ledger.note('reply', `${what}, and no honest replica ran it`, at, []);
  });
  ledger.refused.each((client, sequence) => {
    const place = ledger.ran.get(client, sequence);
    if (place === undefined) return;
    const what = `client ${client} believes that request ${sequence} was refused`;
    ledger.note('reply', `${what}, and it ran`, at, [], place.slot);
  });
}

function checkDurability(ledger: Ledger, at: Instant): void {
  const { ran, answered, cursors, courses, note } = ledger;
  let reached = -1;
  for (const { slot, running } of cursors.values()) if (running) reached = Math.max(reached, slot);
  answered.each((client, sequence) => {
    const place = ran.get(client, sequence);
    if (place === undefined) return;
    const isThere =
      courses === undefined
        ? place.slot <= reached
        : [...courses].some(
            ([seat, course]) => cursors.get(seat)?.running && course.has(nameOf(client, sequence)),
          );
    if (isThere) return;
    const who = `request ${sequence} of client ${client}`;
    const what = `${who} was acknowledged at position ${place.slot}`;
    note('durability', `${what}, and no running replica has it`, at, [], place.slot);
  });
}

/**
 * Validity: only what a client asked for runs. Integrity: it runs once. State: replicas that ran
 * the same slots are in the same state. Replies: what a client believes is what ran. Durability:
 * what was acknowledged is on a running replica when a healed run ends. Where the order is each
 * replica's own, `orders` is 'conflicts', and states are alike if all requests gave alike results.
 */
export function execution(describe: Describe = plain, orders: Claims['order'] = 'total'): Observer {
  const found = memory();
  const ledger: Ledger = {
    describe,
    courses: orders === 'conflicts' ? new Map() : undefined,
    earlier: new Map(),
    asked: table(),
    ran: table(),
    answered: table(),
    refused: table(),
    states: [],
    later: new Map(),
    cursors: new Map(),
    note: (rule, sentence, at, seats, slot) =>
      found.note({
        word: 'invalid',
        rule,
        sentence,
        at,
        seats,
        ...(slot === undefined ? {} : { slot }),
      }),
  };
  const { asked, answered, refused, cursors, courses, earlier } = ledger;
  let healed = false;
  return {
    asked(_at, request) {
      asked.set(request.client, request.sequence, request);
    },
    applied(at, seat, applied) {
      if (applied.fresh) checkRequest(ledger, at, seat, applied);
      if (courses === undefined) checkState(ledger, at, seat, applied);
    },
    answered(at, client, sequence, results) {
      answered.set(client, sequence, results);
      checkReply(ledger, at, client, sequence, results);
    },
    refused(_at, client, sequence) {
      refused.set(client, sequence, true);
    },
    installed(_at, seat, slot) {
      cursors.set(seat, { slot, ordinal: 0, running: true });
      adoptCourse(ledger, seat, slot);
    },
    started(_at, seat) {
      cursors.set(seat, { slot: -1, ordinal: 0, running: true });
      const course = courses?.get(seat);
      if (course !== undefined) earlier.set(seat, course);
      courses?.set(seat, new Map());
    },
    stopped(_at, seat) {
      const cursor = cursors.get(seat);
      if (cursor) cursor.running = false;
    },
    healed() {
      healed = true;
    },
    end(at) {
      checkRan(ledger, at);
      if (healed) checkDurability(ledger, at);
    },
    get violation() {
      return found.first;
    },
  };
}

/**
 * Liveness with a bound: once the network has healed, every request of an honest client is
 * answered or refused within `withinMicroseconds` of the healing or of the asking, whichever is
 * later.
 */
export function liveness(withinMicroseconds: number): Observer {
  const open = table<Instant>();
  const found = memory();
  let healedAt: Instant | undefined;
  return {
    asked(at, { client, sequence }) {
      if (open.get(client, sequence) === undefined) open.set(client, sequence, at);
    },
    answered(_at, client, sequence) {
      open.set(client, sequence, -1);
    },
    refused(_at, client, sequence) {
      open.set(client, sequence, -1);
    },
    abandoned(_at, client, sequence) {
      open.set(client, sequence, -1);
    },
    healed(at) {
      healedAt = at;
    },
    end(at) {
      if (healedAt === undefined) return;
      const healed = healedAt;
      open.each((client, sequence, askedAt) => {
        const since = Math.max(askedAt, healed);
        if (askedAt < 0 || at - since < withinMicroseconds) return;
        found.note({
          word: 'stalled',
          rule: 'liveness',
          sentence:
            `request ${sequence} of client ${client} is unanswered ` +
            `${Math.floor((at - since) / 1000)} ms after the network healed`,
          at,
          seats: [],
        });
      });
    },
    get violation() {
      return found.first;
    },
  };
}
