import { byzantine, OptionsError, type ReplicaId, type Seal } from '@quorumlab/core';
import type { Node } from './blocks.ts';
import { basic } from './rules/basic.ts';
import { chained } from './rules/chained.ts';
import { hotStuff2 } from './rules/hotstuff-2.ts';
import { jolteon } from './rules/jolteon.ts';
import type { RuleSet } from './rules/rule-set.ts';

/**
 * The rules of one member of the family, and the choices of the engine that are easy to get wrong,
 * so that a broken variant (see `@quorumlab/hotstuff/mutants`) differs in exactly one of them.
 */
export interface Rules extends RuleSet {
  /** Size of a quorum: any two of them share an honest replica. */
  quorum(n: number, f: number): number;
  /** How many of `members`, who ascend, have signed. */
  countSigners(members: readonly ReplicaId[], seals: readonly Seal[]): number;
  /** Whose votes count in an epoch: those of its set, or of earlier ones too. Ascending. */
  counted(members: readonly ReplicaId[], former: () => readonly ReplicaId[]): readonly ReplicaId[];
  /** When the block of a change ends its epoch. */
  readonly endsEpoch: 'committed' | 'certified';
  /** The blocks of a branch, given newest first, in the order in which they are executed. */
  inOrder(path: readonly Node[]): readonly Node[];
  /** Whether a committed block must extend the one before. */
  readonly extendsCommitted: boolean;
  /** Whether a proposal must prove that its view has begun. */
  readonly provesViews: boolean;
  /** Whether requests leave the mempool when they are proposed, and not when they are executed. */
  readonly forgetsProposed: boolean;
}

/** Distinct members among the signers; 0 if there are others. */
function countSigners(members: readonly ReplicaId[], seals: readonly Seal[]): number {
  let next = 0;
  for (const { from } of seals) {
    // Signers ascend as members do, so whoever is not found is there twice, or is not a member.
    while (next < members.length && (members[next] as ReplicaId) < from) next += 1;
    if (members[next] !== from) return 0;
    next += 1;
  }
  return seals.length;
}

/** Rules as they should be, with what one member of the family does its own way. */
const right = (own: RuleSet): Rules => ({
  ...own,
  quorum: (n, f) => byzantine(n, f).size,
  countSigners,
  counted: (members) => members,
  endsEpoch: 'committed',
  inOrder: (path) => [...path].reverse(),
  extendsCommitted: true,
  provesViews: true,
  forgetsProposed: false,
});

/** The rules of the papers, by the members of the family. */
export const rules = {
  jolteon: right(jolteon),
  'hotstuff-2': right(hotStuff2),
  chained: right(chained),
  basic: right(basic),
} as const;

/** The members of the family. */
export type RulesName = keyof typeof rules;

/** Their names, the default first. */
export const rulesNames: readonly RulesName[] = Object.keys(rules) as RulesName[];

/** The rules called `name`, as they should be. Throws {@link OptionsError} if there are none. */
export function rulesOf(name: RulesName): Rules {
  if (!Object.hasOwn(rules, name))
    throw new OptionsError(
      `there are no rules called ${name}; use one of ${rulesNames.join(', ')}`,
    );
  return rules[name];
}
