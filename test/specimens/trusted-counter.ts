/**
 * The trusted part of MinBFT (Veronese et al. 2013, section 4): a Unique Sequential Identifier
 * Generator. It gives each text the next number, once, and what it has signed nobody else can make.
 */

/** A number that one member's trusted part has given to one text. */
export interface Identifier {
  readonly counter: number;
  /** Known to all trusted parts, and made by none but the one of `member`. */
  readonly proof: object;
}

/** The trusted parts of a group. */
export interface TrustedParts {
  /** createUI: the next number of `member`, for this text and for no other. */
  create(member: number, text: string): Identifier;
  /** verifyUI: whether the trusted part of `member` has given this number to this text. */
  verify(member: number, text: string, identifier: Identifier): boolean;
  /**
   * What no trusted part lets happen to it: the counter of `member` is `counter` again, as after a
   * virtual machine was set back to a snapshot.
   */
  setBack(member: number, counter: number): void;
}

/** Trusted parts that have given no number yet. */
export function trustedParts(): TrustedParts {
  const last = new Map<number, number>();
  const given = new WeakMap<object, string>();
  const statement = (member: number, counter: number, text: string): string =>
    JSON.stringify([member, counter, text]);
  return {
    create(member, text) {
      const counter = (last.get(member) ?? 0) + 1;
      last.set(member, counter);
      const proof = {};
      given.set(proof, statement(member, counter, text));
      return { counter, proof };
    },
    verify: (member, text, { counter, proof }) =>
      given.get(proof) === statement(member, counter, text),
    setBack: (member, counter) => void last.set(member, counter),
  };
}
