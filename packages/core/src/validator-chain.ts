/**
 * Groups that go by a chain of sets of validators: what a decided batch adds to it, and who is in
 * the group by it. Each protocol whose validators vote by heights has this from here.
 */
import type { Batch } from './mempool.ts';
import type { Configured } from './protocol.ts';
import { range } from './quorum.ts';
import type { Roster } from './roster.ts';
import { type ChangeRules, type ChangingGroup, isChange, outcomeOf } from './validator-changes.ts';
import { encodeValidatorSet, type ValidatorSet } from './validators.ts';
import type { ReplicaId } from './vocabulary.ts';

/**
 * What the requests about the group in `batch`, decided at `height`, came to, where `before` are
 * the sets that were decided before it; nothing: there are none.
 */
export function configuredBy(
  group: ChangingGroup,
  rules: ChangeRules,
  before: readonly ValidatorSet[],
  height: number,
  batch: Batch,
): Configured | undefined {
  const request = batch.find(({ configuration }) => configuration !== undefined);
  if (request === undefined) return undefined;
  const { next = before.at(-1) as ValidatorSet, refusal } =
    batch.length === 1 || !isChange(group, request)
      ? outcomeOf(group, rules, before, height, request)
      : { refusal: 'the group stays as it is: a change has to be decided alone' };
  return { state: encodeValidatorSet(next), ...(refusal === undefined ? {} : { refusal }) };
}

/** Who is in a group whose validators change. */
export interface Company {
  /** For hosts: whoever votes now or from a known height on is a voter. */
  readonly roster: Roster;
  /** All voters and learners. Ascending. */
  readonly all: readonly ReplicaId[];
}

const companies = new WeakMap<readonly ValidatorSet[], Map<string, Company>>();

/**
 * Who is in the group by `sets`, of which `now` votes; `settled`: no earlier one can come back. One
 * answer is one object.
 */
export function companyOf(
  { n }: Pick<ChangingGroup, 'n'>,
  sets: readonly ValidatorSet[],
  now: ValidatorSet,
  settled: boolean,
): Company {
  const known = companies.get(sets) ?? new Map<string, Company>();
  companies.set(sets, known);
  const key = `${now.since} ${settled}`;
  let company = known.get(key);
  if (company === undefined) {
    const votes = new Set<ReplicaId>();
    for (const { since, validators } of sets)
      if (since >= now.since) for (const { member } of validators) votes.add(member);
    const { seats = [], left = [] } = sets.at(-1) as ValidatorSet;
    const listens = [...range(n), ...seats.map(({ member }) => member)].filter(
      (id) => !votes.has(id) && !left.includes(id),
    );
    const [voters, learners, all] = [[...votes], listens, [...votes, ...listens]].map((each) =>
      Object.freeze(each.sort((one, two) => one - two)),
    ) as [ReplicaId[], ReplicaId[], ReplicaId[]];
    company = { roster: Object.freeze({ voters, learners, seats, left, settled }), all };
    known.set(key, company);
  }
  return company;
}
