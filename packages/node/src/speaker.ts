/** Says what a machine has said: seals it, encodes it, and hands it to the network. */
import type { Outgoing, PrincipalId, Shape, Signed } from '@quorumlab/core';
import { CounterError } from '@quorumlab/wire';
import { Ahead } from './ahead.ts';
import type { PeerAccounts } from './peer-account.ts';
import type { RunnerOptions } from './runner-options.ts';
import { now } from './time.ts';
import type { Budgets } from './work.ts';

/** So many messages are sealed and handed to the network between two looks at the clock. */
const sendsPerPiece = 4;

/** What {@link Speaker} needs. */
export interface SpeakerOptions<S extends Shape>
  extends Pick<
    RunnerOptions<S>,
    | 'keyring'
    | 'notices'
    | 'envelopes'
    | 'members'
    | 'hooks'
    | 'chronicle'
    | 'answerBytes'
    | 'sealsAhead'
  > {
  readonly self: PrincipalId;
  readonly budgets: Pick<Budgets, 'asked'>;
  readonly accounts: PeerAccounts;
  /** Takes what the machine says to itself. */
  keep(message: Signed<S['Message']>): void;
  /** Takes a frame for another principal, and copies it. */
  send(to: PrincipalId, frame: Uint8Array): void;
}

/** See the head of this file. Once stopped it says nothing. */
export class Speaker<S extends Shape> {
  readonly #options: SpeakerOptions<S>;
  readonly #ahead = new Ahead<S['Message']>((message) => this.#seal(message));
  #stopped = false;

  constructor(options: SpeakerOptions<S>) {
    this.#options = options;
  }

  stop(): void {
    this.#stopped = true;
    this.#ahead.clear();
  }

  /** Whether {@link Speaker.sealAhead} has something to do. */
  get hasToSeal(): boolean {
    return this.#ahead.waits;
  }

  /** `messages` wait for the disk, and can be sealed meanwhile. */
  wait(messages: readonly Outgoing<S>[]): void {
    if (this.#options.sealsAhead !== true || this.#stopped) return;
    for (const { message } of messages) this.#ahead.add(message);
  }

  /** Seals what waits until the clock is at `end`. */
  sealAhead(end: number): void {
    if (!this.#ahead.waits) return;
    const begin = now();
    this.#ahead.run(end);
    this.#options.accounts.charge(this.#options.self, 'say', begin);
  }

  /** What says `messages`, in pieces between which something else may be done. */
  *pieces(messages: readonly Outgoing<S>[]): Generator<() => void, void, undefined> {
    for (let i = 0; i < messages.length; i += sendsPerPiece)
      yield () => this.say(messages.slice(i, i + sendsPerPiece));
  }

  /** Seals and encodes each message once, whoever it goes to. */
  say(messages: readonly Outgoing<S>[]): void {
    if (this.#stopped) return;
    const { envelopes, members, hooks, chronicle, answerBytes, self, budgets } = this.#options;
    let last: Outgoing<S>['message'] | undefined;
    let sealed: Signed<S['Message']> | undefined;
    let frame: Uint8Array | undefined;
    const begin = now();
    for (const { to, message } of messages) {
      if (message !== last || sealed === undefined) {
        sealed = this.#ahead.take(message);
        if (sealed === undefined) continue;
        frame = undefined;
        last = message;
      }
      hooks.said?.(sealed, to);
      chronicle?.said(message, to);
      for (const id of to === 'all' ? members : [to]) {
        if (id === self) {
          this.#options.keep(sealed);
          continue;
        }
        // The network copies it.
        frame ??= envelopes.lend(sealed);
        this.#options.send(id, frame);
        const asked = to === 'all' ? 0 : (answerBytes?.(message) ?? 0);
        if (asked > 0) budgets.asked(id, asked, now());
      }
    }
    this.#options.accounts.charge(self, 'say', begin);
  }

  /** Nothing: its trusted counter has given this number to another text, so it is not said. */
  #seal(message: S['Message']): Signed<S['Message']> | undefined {
    try {
      return this.#options.keyring().sign(message);
    } catch (error) {
      if (!(error instanceof CounterError)) throw error;
      this.#options.notices.note('warn', { reason: 'counter' }, error.message);
      return undefined;
    }
  }
}
