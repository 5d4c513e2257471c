/** From a peer's frame to a message that the machine may see, the cheap questions first. */
import type { Instant, Machine, PrincipalId, Shape, Signed, Steps } from '@quorumlab/core';
import {
  type Envelopes,
  type Glance,
  isRefusal,
  type Keyring,
  type Refusal,
  type RefusalReason,
  type SignatureFault,
} from '@quorumlab/wire';
import type { Payer } from './payer.ts';
import type { PeerAccounts } from './peer-account.ts';
import { isClient } from './principal.ts';
import { now } from './time.ts';
import { workOf } from './work.ts';

/** Why a frame was not given to the machine. */
export type FrameRefusal =
  | RefusalReason
  | SignatureFault
  /** Its sender is a client, and only members say such things. */
  | 'not-for-clients'
  /** It speaks of a later term, and its sender did so more often than elections do: no offence. */
  | 'raised-too-often'
  /** It waited behind others when its sender was cut off. */
  | 'cut-off';

/** No frame was refused. */
export const noRefusals = (): Record<FrameRefusal, number> => ({
  oversized: 0,
  'wrong-version': 0,
  'wrong-domain': 0,
  'not-a-member': 0,
  'not-the-sender': 0,
  'unknown-kind': 0,
  malformed: 0,
  'not-for-clients': 0,
  'bad-signature': 0,
  'bad-evidence': 0,
  'bad-aggregate': 0,
  'bad-share': 0,
  'raised-too-often': 0,
  'cut-off': 0,
});

/** Both together. */
export const sumOf = (
  one: Readonly<Record<FrameRefusal, number>>,
  other: Readonly<Record<FrameRefusal, number>>,
): Record<FrameRefusal, number> => {
  const sum = { ...one };
  for (const reason of Object.keys(sum) as FrameRefusal[]) sum[reason] += other[reason];
  return sum;
};

/** A frame that waits, and how far its checks are. */
export interface WaitingFrame<S extends Shape> {
  readonly type: 'frame';
  readonly peer: PrincipalId;
  readonly payer: Payer;
  readonly bytes: Uint8Array;
  /** What it holds and who signed it, as its first bytes say. */
  readonly kind: S['Message']['kind'];
  readonly from: PrincipalId;
  reading?: Steps<Signed<S['Message']> | Refusal>;
  message?: Signed<S['Message']>;
  checks?: Generator<void, SignatureFault | undefined, void>;
  /** All its signatures are good. */
  isChecked?: boolean;
  /** Nothing can come of it but a proof against its sender. */
  evidence?: boolean;
}

/** A copy of a frame whose head was looked at, as what waits. */
export const frameOf = <S extends Shape>(
  peer: PrincipalId,
  payer: Payer,
  { kind, from }: Glance,
  frame: Uint8Array,
): WaitingFrame<S> => ({ type: 'frame', peer, payer, kind, from, bytes: frame.slice() });

/** What became of a frame in its turn. */
export type Opened<S extends Shape> =
  /** Its time is over, and it is not all read, or some of its signatures are not checked yet. */
  | { readonly type: 'unfinished'; readonly cost: number }
  | { readonly type: 'refused'; readonly reason: FrameRefusal; readonly cost: number }
  /** Nothing could come of it now, so its signatures were not looked at. No offence. */
  | { readonly type: 'not-needed'; readonly cost: number }
  | {
      readonly type: 'checked';
      readonly message: Signed<S['Message']>;
      /** It is not for the machine: observers only. */
      readonly evidence: boolean;
      readonly cost: number;
    };

/** What {@link Intake} needs. */
export interface IntakeOptions<S extends Shape> {
  readonly machine: () => Machine<S>;
  readonly keyring: () => Keyring<S['Message']>;
  readonly envelopes: Envelopes<S['Message']>;
  readonly maxFrameBytes: number;
  readonly accounts: PeerAccounts;
  /** The kinds that clients may say; any, unless told. */
  readonly clientKinds?: ReadonlySet<string>;
  /** Whether an observer wants a message of which the machine can make nothing. */
  readonly isEvidence?: (message: Signed<S['Message']>) => boolean;
}

/** The way in. It keeps nothing: what waits holds how far it is. */
export class Intake<S extends Shape> {
  readonly #options: IntakeOptions<S>;

  constructor(options: IntakeOptions<S>) {
    this.#options = options;
  }

  /** What kind of message a frame holds, or why it is not worth keeping until its turn. */
  glance(peer: PrincipalId, frame: Uint8Array): Glance | { readonly reason: FrameRefusal } {
    const { envelopes, clientKinds } = this.#options;
    const found = envelopes.glance(frame, this.#limits(peer));
    if (isRefusal(found)) return found;
    const isStrange = isClient(found.from) && clientKinds?.has(found.kind) === false;
    return isStrange ? { reason: 'not-for-clients' } : found;
  }

  /** Goes on with the checks of a frame until `until`, in milliseconds of the loop's clock. */
  open(waiting: WaitingFrame<S>, at: Instant, until: number): Opened<S> {
    let cost = 0;
    const { machine } = this.#options;
    // What waits for its turn may be read in part; the machine has stepped since it came.
    if (waiting.reading === undefined && machine().expects?.(waiting.kind, waiting.from) === false)
      return { type: 'not-needed', cost: workOf.frame + waiting.bytes.byteLength * workOf.byte };
    if (waiting.message === undefined) {
      if (waiting.reading === undefined)
        cost += workOf.frame + waiting.bytes.byteLength * workOf.byte;
      const read = this.#read(waiting, until);
      cost += read.parts * workOf.part;
      if (read.found === undefined) return { type: 'unfinished', cost };
      const refusal = this.#admit(waiting, read.found, at);
      if (refusal === 'not-needed') return { type: 'not-needed', cost };
      if (refusal !== undefined) return { type: 'refused', reason: refusal, cost };
      // The signature over a megabyte takes milliseconds: it begins a turn.
      if (now() >= until) return { type: 'unfinished', cost };
    }
    const { message, evidence = false } = waiting as Required<WaitingFrame<S>>;
    const checked: Opened<S> = { type: 'checked', message, evidence, cost };
    if (waiting.isChecked === true) return checked;
    const { counters } = this.#options.keyring();
    const { verified, refused, cached, pairingMicroseconds = 0 } = counters;
    const begin = now();
    const fault = this.#check(waiting, until);
    this.#options.accounts.charge(waiting.peer, 'verify', begin);
    // Where the channel proves who speaks, nothing was computed.
    if (this.#options.keyring().name !== 'channel')
      cost +=
        (counters.verified - verified) * workOf.signature +
        (counters.refused - refused) * workOf.badSignature;
    cost += (counters.cached - cached) * workOf.known;
    cost += (counters.pairingMicroseconds ?? 0) - pairingMicroseconds;
    if (fault === 'unfinished') return { type: 'unfinished', cost };
    if (fault !== undefined) return { type: 'refused', reason: fault, cost };
    waiting.isChecked = true;
    // And so does the step with it.
    return now() < until ? { ...checked, cost } : { type: 'unfinished', cost };
  }

  /** Goes on with reading it, and says how many parts that were, and what it is once it is read. */
  #read(
    waiting: WaitingFrame<S>,
    until: number,
  ): { readonly parts: number; readonly found?: Signed<S['Message']> | Refusal } {
    const { envelopes, accounts } = this.#options;
    const { peer, bytes } = waiting;
    const begin = now();
    let parts = 0;
    let found: Signed<S['Message']> | Refusal | undefined;
    waiting.reading ??= envelopes.decodeInSteps(bytes, this.#limits(peer));
    do {
      const step = waiting.reading.next();
      if (step.done === true) found = step.value;
      else parts += step.value;
    } while (found === undefined && now() < until);
    accounts.charge(peer, 'decode', begin);
    return found === undefined ? { parts } : { parts, found };
  }

  #admit(
    waiting: WaitingFrame<S>,
    message: Signed<S['Message']> | Refusal,
    at: Instant,
  ): FrameRefusal | 'not-needed' | undefined {
    const { machine, isEvidence, keyring } = this.#options;
    if (isRefusal(message)) return message.reason;
    const asked = machine();
    if (asked.admits?.(message, at) === false) {
      if (isEvidence?.(message) !== true) return 'not-needed';
      waiting.evidence = true;
    }
    waiting.message = message;
    waiting.checks = keyring().checkInSteps(message);
    return undefined;
  }

  #check({ checks }: WaitingFrame<S>, until: number): SignatureFault | 'unfinished' | undefined {
    for (;;) {
      const step = checks?.next();
      if (step === undefined || step.done === true) return step?.value ?? undefined;
      if (now() >= until) return 'unfinished';
    }
  }

  #limits(peer: PrincipalId) {
    const { maxFrameBytes, keyring } = this.#options;
    const { knows, name } = keyring();
    // Without signatures only the channel proves who speaks; with them, relays are welcome.
    const isSigned = name !== 'channel' && name !== 'mac';
    return { maxFrameBytes, knows, ...(isSigned ? {} : { sender: peer }) };
  }
}
