/**
 * A group that has nothing to do rests: its timers stand still in all processes, so it says nothing
 * and costs nothing. What an asynchronous protocol promises never depends on when its timers go
 * off, and somebody who wants something wakes all of them. In the crash model alone, where what the
 * leader's process says of itself is true.
 *
 * The process of the leader says when: nothing was asked, written or decided for a while, and all
 * members are connected. Whoever has run something else, knows another leader, or waits for an
 * answer, says no, and all go on. Whoever is asked something, or loses a member, wakes the others.
 */
import {
  decode,
  encode,
  type Infer,
  integer,
  type PrincipalId,
  type ReplicaId,
  record,
  SchemaError,
} from '@quorumlab/core';
import { now } from './time.ts';

/** First bytes of what this file says; no envelope, hello, question or answer begins like them. */
const MARK = [0x51, 0x4c, 0x52, 0x01];
const headBytes = MARK.length + 8;

/** Where a group stands, to whoever leads it. */
const standing = record({
  term: integer(),
  /** One more than the last slot that has run. */
  next: integer(),
  state: integer(2 ** 32 - 1),
});

/** See {@link standing}. */
export type Standing = Infer<typeof standing>;

/** What is said: come to rest where I am, or go on. */
export type RestMessage = Standing | 'wake';

/** `message` for the group with this address, as a frame. */
export function encodeRest(address: string, message: RestMessage): Uint8Array {
  const body = message === 'wake' ? new Uint8Array(0) : encode(standing, message);
  const frame = new Uint8Array(headBytes + body.length);
  frame.set(MARK);
  for (let i = 0; i < 8; i++) frame[MARK.length + i] = address.charCodeAt(i);
  frame.set(body, headBytes);
  return frame;
}

/** For which group a frame of this file is, and what it says; nothing: it is another frame. */
export function decodeRest(
  frame: Uint8Array,
): { readonly address: string; readonly message: RestMessage } | 'malformed' | undefined {
  if (MARK.some((byte, i) => frame[i] !== byte)) return undefined;
  if (frame.length < headBytes) return 'malformed';
  const address = String.fromCharCode(...frame.subarray(MARK.length, headBytes));
  if (frame.length === headBytes) return { address, message: 'wake' };
  try {
    return { address, message: decode(standing, frame.slice(headBytes)) };
  } catch (error) {
    if (error instanceof SchemaError) return 'malformed';
    throw error;
  }
}

/** A group as its rest sees it. */
export interface Resting {
  readonly self: ReplicaId;
  /** Milliseconds in which nothing happens before its leader lets it rest. */
  readonly quietMs: number;
  /** Whom else it has in the group. */
  others(): readonly ReplicaId[];
  /** Whether it is connected to all of them. */
  isWhole(): boolean;
  /** Where it stands, and who leads it. Nothing: it waits for something, or may not rest at all. */
  standing(): (Standing & { readonly leader: ReplicaId | undefined }) | undefined;
  /** Lets its timers stand still, or begin anew. */
  sleep(): void;
  wake(): void;
  /** Says it to a member; false: it cannot hear it. */
  say(to: PrincipalId, message: RestMessage): boolean;
}

/** See the module's comment. */
export class Rest {
  readonly #group: Resting;
  #isAsleep = false;
  /** When something happened last. */
  #stirred = now();

  constructor(group: Resting) {
    this.#group = group;
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  /** Something happens here that is more than a sign of life: the others wake too. */
  stir(): void {
    this.#stirred = now();
    if (!this.#isAsleep) return;
    this.rouse();
    for (const id of this.#group.others()) this.#group.say(id, 'wake');
  }

  /** Somebody else is awake. */
  rouse(): void {
    if (!this.#isAsleep) return;
    this.#isAsleep = false;
    this.#group.wake();
  }

  /** Called now and then: lets the group rest if it is this replica's turn to say so. */
  look(): void {
    const { self, quietMs } = this.#group;
    if (this.#isAsleep || now() - this.#stirred < quietMs) return;
    const found = this.#group.standing();
    if (found?.leader !== self || !this.#group.isWhole()) return;
    const { term, next, state } = found;
    // If one of them cannot hear it, the others wake by what this one says next.
    if (this.#group.others().every((id) => this.#group.say(id, { term, next, state })))
      this.#sleep();
  }

  /** A member says so. */
  hear(from: PrincipalId, message: RestMessage): void {
    if (message === 'wake') {
      // It is busy, and whoever leads would only ask again at once.
      this.#stirred = now();
      return this.rouse();
    }
    const found = this.#group.standing();
    const { term, next, state } = message;
    const isSame =
      found?.leader === from && found.term === term && found.next === next && found.state === state;
    if (!isSame) this.#group.say(from, 'wake');
    else if (!this.#isAsleep) this.#sleep();
  }

  #sleep(): void {
    this.#isAsleep = true;
    this.#group.sleep();
  }
}
