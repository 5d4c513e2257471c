/**
 * Questions of one peer to another about how it is: a frame of {@link ASK_BYTES} bytes on the
 * stream of frames, and an answer of at most {@link MAX_ANSWER_BYTES} bytes. No machine sees them.
 * Who may ask is who may send frames at all; how often is bounded, and paid from its account.
 */
import { countReason, type PeerAccounts } from './peer-account.ts';
import { now } from './time.ts';
import { TokenBucket } from './token-bucket.ts';

/** First bytes of a question and of an answer; no envelope and no hello begins like them. */
const ASK = [0x51, 0x4c, 0x51, 0x01];
const ANSWER = [0x51, 0x4c, 0x41, 0x01];

/** A question: its mark, and a number that the answer repeats. */
const ASK_BYTES = 8;

/** Most bytes of an answer, its head of nine not counted. */
export const MAX_ANSWER_BYTES = 8192;

/** What an answer begins with, after the number. */
const codes = { answered: 0, 'too-often': 1, 'nothing-to-say': 2 } as const;

/** Why there was no answer. */
export type InquiryFault = 'not-connected' | 'no-answer' | 'too-often' | 'nothing-to-say';

/** A peer has not answered a question about itself; `fault` says why. */
export class InquiryError extends Error {
  override readonly name = 'InquiryError';
  readonly fault: InquiryFault;

  constructor(peer: number, fault: InquiryFault) {
    const why = {
      'not-connected': 'is not connected',
      'no-answer': 'did not answer in time',
      'too-often': 'is asked too often; ask again in a second',
      'nothing-to-say': 'does not tell how it is',
    };
    super(`Peer ${peer} ${why[fault]}.`);
    this.fault = fault;
  }
}

/** What questions need of a mesh. */
export interface InquiryHost {
  readonly accounts: PeerAccounts;
  /** Questions that each peer may ask per second, and eight times as many in a burst. */
  readonly asksPerSecond: number;
  /** What this node tells; left out, nothing. */
  readonly answer?: (() => Uint8Array | undefined) | undefined;
  send(to: number, frame: Uint8Array): boolean;
}

interface Pending {
  readonly to: number;
  readonly resolve: (answer: Uint8Array) => void;
  readonly fail: (fault: InquiryFault) => void;
}

/** Both sides of asking, for one mesh. */
export class Inquiries {
  readonly #host: InquiryHost;
  readonly #buckets = new Map<number, TokenBucket>();
  readonly #pending = new Map<number, Pending>();
  #number = 0;

  constructor(host: InquiryHost) {
    this.#host = host;
  }

  /** Takes a frame of `from`, and says whether it was a question or an answer. */
  takes(from: number, frame: Uint8Array): boolean {
    if (startsWith(frame, ASK)) this.#answer(from, frame);
    else if (startsWith(frame, ANSWER)) this.#hear(from, frame);
    else return false;
    return true;
  }

  /** Asks `to`; rejects with {@link InquiryError} after `limitMs` at the latest. */
  ask(to: number, limitMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#number = (this.#number + 1) >>> 0;
      const number = this.#number;
      const end = (): void => {
        clearTimeout(timer);
        this.#pending.delete(number);
      };
      const fail = (fault: InquiryFault): void => {
        end();
        reject(new InquiryError(to, fault));
      };
      const timer = setTimeout(() => fail('no-answer'), limitMs);
      this.#pending.set(number, {
        to,
        resolve: (answer) => {
          end();
          resolve(answer);
        },
        fail,
      });
      if (!this.#host.send(to, headed(ASK, number, ASK_BYTES))) fail('not-connected');
    });
  }

  /** Nobody else answers what was asked of a peer that is gone. */
  gone(peer: number): void {
    for (const { to, fail } of this.#pending.values()) if (to === peer) fail('not-connected');
  }

  /** Gives up all that was asked. */
  stop(): void {
    for (const { fail } of this.#pending.values()) fail('not-connected');
  }

  #answer(from: number, frame: Uint8Array): void {
    const begin = now();
    const { accounts, answer } = this.#host;
    if (frame.length !== ASK_BYTES) {
      countReason(accounts.of(from).refused, 'malformed');
      return;
    }
    const number = numberOf(frame);
    if (!this.#bucketOf(from).tryTake(begin)) {
      countReason(accounts.of(from).refused, 'asked-too-often');
      // As many bytes as the question had, and one.
      this.#tell(from, number, 'too-often');
      return;
    }
    const body = answer?.();
    if (body === undefined) this.#tell(from, number, 'nothing-to-say');
    else this.#tell(from, number, 'answered', body);
    accounts.charge(from, 'say', begin);
  }

  #tell(to: number, number: number, code: keyof typeof codes, body?: Uint8Array): void {
    const bytes = body?.length ?? 0;
    if (bytes > MAX_ANSWER_BYTES)
      throw new RangeError(`An answer of ${bytes} bytes; at most ${MAX_ANSWER_BYTES}.`);
    const frame = headed(ANSWER, number, ASK_BYTES + 1 + bytes);
    frame[ASK_BYTES] = codes[code];
    if (body !== undefined) frame.set(body, ASK_BYTES + 1);
    this.#host.send(to, frame);
  }

  #hear(from: number, frame: Uint8Array): void {
    const waiting = frame.length > ASK_BYTES ? this.#pending.get(numberOf(frame)) : undefined;
    // One that comes too late, or that nobody asked for.
    if (waiting?.to !== from || frame.length > ASK_BYTES + 1 + MAX_ANSWER_BYTES) {
      countReason(this.#host.accounts.of(from).refused, 'not-asked');
      return;
    }
    const code = frame[ASK_BYTES];
    if (code === codes.answered) waiting.resolve(Uint8Array.from(frame.subarray(ASK_BYTES + 1)));
    else waiting.fail(code === codes['too-often'] ? 'too-often' : 'nothing-to-say');
  }

  #bucketOf(peer: number): TokenBucket {
    let bucket = this.#buckets.get(peer);
    if (bucket === undefined) {
      const { asksPerSecond } = this.#host;
      bucket = new TokenBucket(asksPerSecond, 8 * asksPerSecond, now());
      this.#buckets.set(peer, bucket);
    }
    return bucket;
  }
}

const startsWith = (frame: Uint8Array, mark: readonly number[]): boolean =>
  frame[0] === mark[0] && mark.every((byte, i) => frame[i] === byte);

function headed(mark: readonly number[], number: number, bytes: number): Uint8Array {
  const frame = new Uint8Array(bytes);
  frame.set(mark);
  new DataView(frame.buffer).setUint32(4, number);
  return frame;
}

const numberOf = (frame: Uint8Array): number =>
  new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(4);
