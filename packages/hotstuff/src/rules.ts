import { byzantine, OptionsError, type Seal } from '@quorumlab/core';
import { chained } from './rules/chained.ts';
import { hotStuff2 } from './rules/hotstuff-2.ts';
import { jolteon } from './rules/jolteon.ts';
import type { RuleSet } from './rules/rule-set.ts';
import type { Ctx, HotStuffReplica, Node } from './state.ts';

/**
 * The rules of one member of the family, and the choices of the engine that are easy to get wrong,
 * so that a broken variant (see `@quorumlab/hotstuff/mutants`) differs in exactly one of them.
 */
export interface Rules extends RuleSet {
  /** Size of a quorum: any two of them share an honest replica. */
  quorum(n: number, f: number): number;
  /** How many members have signed. */
  countSigners(n: number, seals: readonly Seal[]): number;
  /** The blocks of a branch, given newest first, in the order in which they are executed. */
  inOrder(path: readonly Node[]): readonly Node[];
  /** Whether a committed block must extend the one before. */
  readonly extendsCommitted: boolean;
  /** Notes, on the disk, that this replica has voted in `view`. */
  saveVote(view: number, ctx: Ctx, replica: HotStuffReplica): void;
  /** Whether a proposal must prove that its view has begun. */
  readonly provesViews: boolean;
  /** Whether requests leave the mempool when they are proposed, and not when they are executed. */
  readonly forgetsProposed: boolean;
}

const ruleSets = { jolteon, 'hotstuff-2': hotStuff2, chained } as const;

/** The members of the family. */
export type RulesName = keyof typeof ruleSets;

/** Their names, the default first. */
export const rulesNames: readonly RulesName[] = Object.keys(ruleSets) as RulesName[];

/** Distinct members among the signers. */
function countSigners(n: number, seals: readonly Seal[]): number {
  let count = 0;
  let last = -1;
  for (const { from } of seals) {
    // Signers ascend, so whoever does not is there twice, or is not a member.
    if (from <= last || from >= n) return 0;
    last = from;
    count += 1;
  }
  return count;
}

/** The rules called `name`, as they should be. Throws {@link OptionsError} if there are none. */
export function rulesOf(name: RulesName): Rules {
  const found = Object.hasOwn(ruleSets, name) ? ruleSets[name] : undefined;
  if (found === undefined)
    throw new OptionsError(
      `there are no rules called ${name}; use one of ${rulesNames.join(', ')}`,
    );
  return {
    ...found,
    quorum: (n, f) => byzantine(n, f).size,
    countSigners,
    inOrder: (path) => [...path].reverse(),
    extendsCommitted: true,
    saveVote: (view, ctx) => ctx.save({ lastVoted: view }),
    provesViews: true,
    forgetsProposed: false,
  };
}
