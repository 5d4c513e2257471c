/**
 * What stands for a trusted counter: USIG of Veronese et al. (2013), section 4. A number is given
 * to one text, and later ones are higher.
 */
import {
  type Digest,
  type MessagesField,
  type PrincipalId,
  type Tagged,
  toHex,
} from '@quorumlab/core';
import { sha256 } from './digest.ts';
import { bodyBytes } from './domain.ts';
import type { Keyring } from './keyring.ts';

/** A trusted counter was asked for a number that it has given to another text, or passed over. */
export class CounterError extends Error {
  override readonly name: string = 'CounterError';

  constructor(self: PrincipalId, number: number, last: number) {
    super(
      `the trusted counter of replica ${self} stands at ${last} and gives ${number} to no other ` +
        'text; if its disk was lost or set back, let it run: it is silent until others have told ' +
        'it what it has said, and counts as faulty until then',
    );
  }
}

/** One member's counter. Nothing sets it back. */
export interface TrustedCounter {
  /** The last number that was given. */
  readonly last: number;
  /** Whether `number` stands for `text`: now, because it is higher than all before, or already. */
  take(number: number, text: Digest): boolean;
}

/** See {@link trustedCounter}. */
export interface TrustedCounterOptions {
  /** What an earlier life has given, in the order of the numbers. */
  readonly given?: Iterable<readonly [number: number, text: Digest]>;
  /** Makes a number durable; called before it is given. */
  readonly keep?: (number: number, text: Digest) => void;
}

/** Texts that a counter knows again: who has lost a signature in a crash asks for it once more. */
export const textsRemembered = 65_536;

/** A counter in memory; `keep` makes it one that survives. */
export function trustedCounter({ given = [], keep }: TrustedCounterOptions = {}): TrustedCounter {
  const texts = new Map<number, Digest>();
  let last = 0;
  const add = (number: number, text: Digest): void => {
    last = number;
    texts.set(number, text);
    for (const oldest of texts.keys()) {
      if (texts.size <= textsRemembered) break;
      texts.delete(oldest);
    }
  };
  for (const [number, text] of given) add(number, text);
  return {
    get last() {
      return last;
    },
    take(number, text) {
      if (number <= last) return texts.get(number) === text;
      keep?.(number, text);
      add(number, text);
      return true;
    },
  };
}

/** What a counter has to know of a protocol. */
export interface NumberedSource {
  readonly messages: MessagesField<Tagged>;
  readonly numbered?: ((message: Tagged) => number | undefined) | undefined;
}

/**
 * `keyring`, which signs what `source` numbers only under the number that `counter` gives to it.
 * Throws {@link CounterError} where it gives none.
 */
export function countedKeyring<M extends Tagged>(
  keyring: Keyring<M>,
  source: NumberedSource,
  counter: TrustedCounter,
): Keyring<M> {
  return {
    ...keyring,
    // Read when asked: a copy made here would go stale.
    get counters() {
      return keyring.counters;
    },
    sign(message) {
      const number = source.numbered?.(message);
      if (number !== undefined) {
        const text = toHex(sha256(bodyBytes(source.messages, message)));
        if (!counter.take(number, text)) throw new CounterError(keyring.self, number, counter.last);
      }
      return keyring.sign(message);
    },
  };
}
