import {
  type Applied,
  type Instant,
  type PrincipalId,
  type Request,
  type Slot,
  sameBytes,
} from '@quorumlab/core';
import type { ObservedDecision, Observer } from './observer.ts';
import type { Violation } from './verdict.ts';

/** How a checker names a request to people. Unless told: client, sequence and the first bytes. */
export type Describe = (request: Request) => string;

const plain: Describe = ({ client, sequence }) => `request ${sequence} of client ${client}`;

/** Whether two requests ask for the same: signatures and acknowledgements do not count. */
export const sameRequest = (one: Request, two: Request): boolean =>
  one === two ||
  (one.client === two.client &&
    one.sequence === two.sequence &&
    one.operations.length === two.operations.length &&
    one.operations.every((each, i) => sameBytes(each, two.operations[i] as Uint8Array)));

const sameCommands = (one: readonly Request[], two: readonly Request[]): boolean =>
  one === two ||
  (one.length === two.length && one.every((each, i) => sameRequest(each, two[i] as Request)));

/** Remembers the first violation. */
function memory(): { note(violation: Violation): void; first: Violation | undefined } {
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
  const decided = new Map<Slot, { readonly seat: number; readonly commands: readonly Request[] }>();
  const found = memory();
  const show = (commands: readonly Request[]): string =>
    commands.length === 0 ? 'nothing' : commands.map(describe).join(' then ');
  return {
    decided(at: Instant, seat: number, { slot, commands }: ObservedDecision) {
      const before = decided.get(slot);
      if (before === undefined) {
        decided.set(slot, { seat, commands });
        return;
      }
      if (sameCommands(before.commands, commands)) return;
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

/** Values per client and sequence. */
interface Table<T> {
  get(client: PrincipalId, sequence: number): T | undefined;
  set(client: PrincipalId, sequence: number, value: T): void;
  entries(): Iterable<readonly [PrincipalId, number, T]>;
}

function table<T>(): Table<T> {
  const clients = new Map<PrincipalId, Map<number, T>>();
  return {
    get: (client, sequence) => clients.get(client)?.get(sequence),
    set(client, sequence, value) {
      const rows = clients.get(client);
      if (rows) rows.set(sequence, value);
      else clients.set(client, new Map([[sequence, value]]));
    },
    *entries() {
      for (const [client, rows] of clients)
        for (const [sequence, value] of rows) yield [client, sequence, value];
    },
  };
}

/** How far the state machine of a seat has come. */
interface Cursor {
  slot: Slot;
  /** Which of the requests of `slot` ran last. */
  ordinal: number;
  running: boolean;
}

/** What {@link execution} remembers of a run. */
interface Ledger {
  readonly describe: Describe;
  readonly asked: Table<Request>;
  readonly ran: Table<Place>;
  readonly answered: Table<readonly Uint8Array[]>;
  readonly states: Map<Slot, number[]>;
  readonly cursors: Map<number, Cursor>;
  note(rule: string, sentence: string, at: Instant, seats: readonly number[], slot?: Slot): void;
}

function checkRequest(ledger: Ledger, at: Instant, seat: number, applied: Applied): void {
  const { describe, asked, ran, note } = ledger;
  const { client, sequence, operations, slot } = applied;
  const request: Request = { kind: 'request', client, sequence, acknowledged: 0, operations };
  const wish = asked.get(client, sequence);
  if (wish === undefined || !sameRequest(wish, request)) {
    const what = `n${seat} ran ${describe(request)}, which no client asked for`;
    note('validity', `position ${slot}: ${what}`, at, [seat], slot);
  }
  const place = ran.get(client, sequence);
  if (place === undefined) ran.set(client, sequence, { slot, results: applied.results });
  else if (place.slot !== slot) {
    const what = `n${seat} ran ${describe(request)} at position ${slot}`;
    note('integrity', `${what}, and it ran at ${place.slot} before`, at, [seat], slot);
  }
}

function checkState(ledger: Ledger, at: Instant, seat: number, { slot, state }: Applied): void {
  const { cursors, states, note } = ledger;
  const cursor = cursors.get(seat) ?? { slot: -1, ordinal: 0, running: true };
  cursors.set(seat, cursor);
  cursor.ordinal = cursor.slot === slot ? cursor.ordinal + 1 : 0;
  cursor.slot = slot;
  const known = states.get(slot);
  if (known === undefined) states.set(slot, [state]);
  else if (known[cursor.ordinal] === undefined) known[cursor.ordinal] = state;
  else if (known[cursor.ordinal] !== state) {
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
  const right = place.results;
  if (
    right.length === results.length &&
    right.every((each, i) => sameBytes(each, results[i] as Uint8Array))
  )
    return;
  const what = `client ${client} believes another result of request ${sequence}`;
  note('reply', `${what} than the state machines gave`, at, [], place.slot);
}

/** What a client believes must have run on an honest replica by the end of the run. */
function checkRan(ledger: Ledger, at: Instant): void {
  for (const [client, sequence, results] of ledger.answered.entries()) {
    if (ledger.ran.get(client, sequence) !== undefined) {
      checkReply(ledger, at, client, sequence, results);
      continue;
    }
    const what = `client ${client} believes that request ${sequence} ran`;
    ledger.note('reply', `${what}, and no honest replica ran it`, at, []);
  }
}

function checkDurability({ ran, answered, cursors, note }: Ledger, at: Instant): void {
  let reached = -1;
  for (const { slot, running } of cursors.values()) if (running) reached = Math.max(reached, slot);
  for (const [client, sequence] of answered.entries()) {
    const place = ran.get(client, sequence);
    if (place === undefined || place.slot <= reached) continue;
    const who = `request ${sequence} of client ${client}`;
    const what = `${who} was acknowledged at position ${place.slot}`;
    note('durability', `${what}, and no running replica has it`, at, [], place.slot);
  }
}

/**
 * Validity: only what a client asked for runs. Integrity: it runs once. State: replicas that ran
 * the same slots are in the same state. Replies: what a client believes is what ran. Durability:
 * what was acknowledged is on a running replica when a healed run ends.
 */
export function execution(describe: Describe = plain): Observer {
  const found = memory();
  const ledger: Ledger = {
    describe,
    asked: table(),
    ran: table(),
    answered: table(),
    states: new Map(),
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
  const { asked, answered, cursors } = ledger;
  let healed = false;
  return {
    asked(_at, request) {
      asked.set(request.client, request.sequence, request);
    },
    applied(at, seat, applied) {
      if (applied.fresh) checkRequest(ledger, at, seat, applied);
      checkState(ledger, at, seat, applied);
    },
    answered(at, client, sequence, results) {
      answered.set(client, sequence, results);
      checkReply(ledger, at, client, sequence, results);
    },
    installed(_at, seat, slot) {
      cursors.set(seat, { slot, ordinal: 0, running: true });
    },
    started(_at, seat) {
      cursors.set(seat, { slot: -1, ordinal: 0, running: true });
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
 * answered within `withinMicroseconds` of the healing or of the asking, whichever is later.
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
    healed(at) {
      healedAt = at;
    },
    end(at) {
      if (healedAt === undefined) return;
      for (const [client, sequence, askedAt] of open.entries()) {
        const since = Math.max(askedAt, healedAt);
        if (askedAt < 0 || at - since < withinMicroseconds) continue;
        found.note({
          word: 'stalled',
          rule: 'liveness',
          sentence:
            `request ${sequence} of client ${client} is unanswered ` +
            `${Math.floor((at - since) / 1000)} ms after the network healed`,
          at,
          seats: [],
        });
      }
    },
    get violation() {
      return found.first;
    },
  };
}
