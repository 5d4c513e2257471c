/**
 * The normal case of MinBFT (Veronese et al. 2013, section 5): n = 2f+1, two phases. Member 0 is
 * the primary; its counter orders what it proposes. No view-change and no checkpoint: what is
 * shown is why so few are enough, and what that rests on.
 */
import type { Identifier, TrustedParts } from './trusted-counter.ts';

/** ⟨PREPARE, operation, UI of the primary⟩ */
export interface Prepare {
  readonly operation: string;
  readonly identifier: Identifier;
}

/** ⟨COMMIT, prepare, UI of its sender⟩: whoever has missed the prepare finds it inside. */
export interface Commit {
  readonly from: number;
  readonly prepare: Prepare;
  readonly identifier: Identifier;
}

/** On what the safety of the normal case rests. */
export interface Rules {
  /** Whether a member's messages count only in the order of its numbers, without a gap. */
  readonly refusesGaps: boolean;
  /** Whether the primary's number is looked at at all: without that it may say anything to all. */
  readonly counts: boolean;
}

/** The rules as they should be. */
export const rules: Rules = { refusesGaps: true, counts: true };

/** An honest member, f of whose group may lie. */
export interface Replica {
  readonly executed: readonly string[];
  prepare(message: Prepare): void;
  commit(message: Commit): void;
}

interface State {
  /** The number that the next message of a member must have. */
  readonly next: Map<number, number>;
  /** What came before its turn, by member and number. */
  readonly early: Map<string, () => void>;
  /** Who stands behind the proposal with this number of the primary, and what it is. */
  readonly support: Map<number, { readonly operation: string; readonly by: Set<number> }>;
  readonly executed: string[];
}

const first = (): State => ({
  next: new Map(),
  early: new Map(),
  support: new Map(),
  executed: [],
});

const textOf = (from: number, { operation, identifier }: Prepare): string =>
  `${from} commits ${operation} as ${identifier.counter}`;

/** A replica called `self`. What it says to the others goes to `say`. */
export function minBft(
  trusted: TrustedParts,
  { self, f }: { readonly self: number; readonly f: number },
  say: (message: Commit) => void,
  { refusesGaps, counts }: Rules = rules,
): Replica {
  const state = first();
  /** In its turn, or kept until then. */
  function inTurn(member: number, counter: number, act: () => void): void {
    const next = state.next.get(member) ?? 1;
    if (counter < next) return;
    if (refusesGaps && counter > next) {
      state.early.set(`${member} ${counter}`, act);
      return;
    }
    state.next.set(member, counter + 1);
    act();
    const key = `${member} ${counter + 1}`;
    const kept = state.early.get(key);
    state.early.delete(key);
    if (kept !== undefined) inTurn(member, counter + 1, kept);
  }

  function accept(message: Prepare): void {
    const { operation, identifier } = message;
    state.support.set(identifier.counter, { operation, by: new Set([0, self]) });
    const own = trusted.create(self, textOf(self, message));
    say({ from: self, prepare: message, identifier: own });
    execute();
  }

  /** f+1 stand behind the next ones: the primary, whose proposal counts, and f others. */
  function execute(): void {
    const done = state.executed.length;
    const numbers = [...state.support.keys()].sort((one, other) => one - other);
    const number = numbers[done];
    const support = number === undefined ? undefined : state.support.get(number);
    if (support === undefined || support.by.size < f + 1) return;
    state.executed.push(support.operation);
    execute();
  }

  function prepare(message: Prepare): void {
    const { operation, identifier } = message;
    if (!trusted.verify(0, operation, identifier)) return;
    if (!counts) return state.support.size === 0 ? accept(message) : undefined;
    inTurn(0, identifier.counter, () => accept(message));
  }

  return {
    executed: state.executed,
    prepare,
    commit(message) {
      const { from, identifier } = message;
      if (!trusted.verify(from, textOf(from, message.prepare), identifier)) return;
      // It shows what the primary has proposed to somebody.
      prepare(message.prepare);
      inTurn(from, identifier.counter, () => {
        const known = state.support.get(message.prepare.identifier.counter);
        if (known?.operation === message.prepare.operation) known.by.add(from);
        execute();
      });
    },
  };
}
