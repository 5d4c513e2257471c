/** A run of shards in which something does not hold, made smaller while it does not. */
import { range } from '@quorumlab/core';
import { reduce } from '../reduce.ts';
import type { Shrinkable, ShrinkStep } from '../shrink.ts';
import { runShards, type ShardRun } from './run.ts';
import { completeShardScenario, type ShardScenario } from './scenario.ts';

/** A smaller run of shards with the same failure. */
export interface ShrunkShards {
  readonly scenario: ShardScenario;
  /** Events of the run that was given, and of the small one. */
  readonly before: number;
  readonly after: number;
  readonly steps: readonly ShrinkStep[];
  readonly tries: number;
}

/** How much may be tried, and who is told. */
export interface ShrinkShardsOptions {
  /** Runs at most; 400 unless told. */
  readonly tries?: number;
  /** Told of the smallest run whenever a pass has found a smaller one. */
  readonly update?: (found: ShrunkShards) => void;
}

/** What a failure is known by: what it is called, its first rule, and whether clocks were wrong. */
const signature = ({ word, violations, brokenBound }: ShardRun): string =>
  `${word} ${violations[0]?.rule} ${brokenBound !== undefined}`;

/**
 * Leaves out what is not needed for the same thing to go wrong: faults, then transactions, reads
 * and moves; ends the run when it has gone wrong; and makes its recorded choices kind. The same
 * scenario gives the same small one. Nothing if nothing is wrong.
 */
export function shrinkShards(
  given: ShardScenario,
  { tries: most = 400, update }: ShrinkShardsOptions = {},
): ShrunkShards | undefined {
  const first = runShards(given, { record: true });
  if (first.violations.length === 0) return undefined;
  const wanted = signature(first);
  let best = first;
  let tries = 0;
  const attempt = (change: Partial<ShardScenario>): boolean => {
    if (tries >= most) return false;
    tries++;
    const found = runShards(completeShardScenario({ ...best.scenario, ...change }), {
      record: true,
    });
    if (signature(found) !== wanted) return false;
    best = found;
    return true;
  };
  const steps: ShrinkStep[] = [];
  const found = (): ShrunkShards => ({
    ...{ scenario: best.scenario, before: first.events, after: best.events },
    ...{ steps: [...steps], tries },
  });
  const pass = (what: Shrinkable, size: () => number, shorten: () => void): void => {
    const [before, triesBefore] = [size(), tries];
    shorten();
    if (tries > triesBefore)
      steps.push({ what, before, after: size(), tries: tries - triesBefore });
    if (best.events < first.events) update?.(found());
  };
  const kept = (kind: ShardRun['deeds'][number]): readonly number[] =>
    best.deeds.flatMap((each, i) =>
      each === kind && best.scenario.without?.includes(i) !== true ? [i] : [],
    );
  /** Without what is of this kind and not among `left`. */
  const keepOnly = (kind: ShardRun['deeds'][number], left: readonly number[]): boolean => {
    const gone = kept(kind).filter((i) => !left.includes(i));
    const without = [...(best.scenario.without ?? []), ...gone].sort((one, two) => one - two);
    return attempt({ without });
  };
  const unkind = (): number =>
    (best.scenario.choices ?? first.choices ?? []).filter((choice) => choice !== 0).length;
  // As a script, so that what is left out changes no choice but those that come after it.
  if (given.choices === undefined) attempt({ choices: first.choices ?? [] });
  pass('choices', unkind, () => void attempt({ choices: [] }));
  for (const [what, kind] of [
    ['faults', 'fault'],
    ['requests', 'request'],
  ] as const)
    pass(
      what,
      () => kept(kind).length,
      () => void reduce(kept(kind), (left) => keepOnly(kind, left)),
    );
  pass(
    'requests',
    () => best.scenario.count,
    () => void attempt(trimmed(best)),
  );
  pass(
    'time',
    () => best.scenario.until ?? endOf(best),
    () => void earliestEnd(best, (until) => attempt({ until })),
  );
  pass('choices', unkind, () => kinder(best, (choices) => attempt({ choices })));
  return found();
}

/** Choices made kind in ever smaller groups, and those at the end left out. */
function kinder(
  { choices = [] }: ShardRun,
  isEnough: (choices: readonly number[]) => boolean,
): void {
  const luck = choices.flatMap((choice, i) => (choice === 0 ? [] : [i]));
  reduce(luck, (places) => {
    const still = new Set(places);
    const last = places.at(-1) ?? -1;
    return isEnough(choices.slice(0, last + 1).map((choice, i) => (still.has(i) ? choice : 0)));
  });
}

/** A relay without the transactions behind the last one that is asked for. */
function trimmed({ scenario, deeds }: ShardRun): Partial<ShardScenario> {
  const { without = [], count } = scenario;
  const last = range(deeds.length).findLast((deed) => !without.includes(deed)) ?? 0;
  const fewer = scenario.workload === 'relay' ? Math.floor(last / 2) + 1 : count;
  return { count: fewer, without: without.filter((deed) => deed < 2 * fewer) };
}

/** When the last thing of a run was told. */
const endOf = ({ story }: ShardRun): number => story.at(-1)?.at ?? 1;

/** The first moment at which something was told, and by which it has gone wrong. */
function earliestEnd(run: ShardRun, isEnough: (until: number) => boolean): void {
  if (run.violations.every(({ rule }) => rule === 'liveness')) return;
  const moments = [...new Set(run.story.map(({ at }) => at))];
  let [from, to] = [0, moments.length - 1];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (isEnough((moments[middle] as number) + 1)) to = middle;
    else from = middle + 1;
  }
  if (to === moments.length - 1 && to >= 0) isEnough((moments[to] as number) + 1);
}
