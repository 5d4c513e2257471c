/** Schedules made for a flaw: what they do to whom, and when, is drawn from the seed. */
import { ms, type Random, range } from '@quorumlab/core';
import { completeScenario, type Scenario, type ScenarioFault } from '@quorumlab/harness';
import { decisions, ssd } from '@quorumlab/sim';

/** A scenario for each seed. */
export type Family = (seed: number) => Scenario;

type Given = Parameters<typeof completeScenario>[0];

const stream = (name: string, seed: number): Random => decisions({ seed: `${name} ${seed}` });
const half = (random: Random, n: number): number[] => range(n).filter(() => random.below(2) === 0);

/** Everything runs again, so that a run that is right can also end well. */
const healed = (n: number, at: number): readonly ScenarioFault[] => [
  { type: 'heal', at },
  ...range(n).flatMap((node): ScenarioFault[] => [
    { type: 'resume', at, node },
    { type: 'restart', at, node },
  ]),
];

/** A crash at `at` and a return `after` later. */
const blink = (at: number, node: number | 'leader', after: number): readonly ScenarioFault[] => [
  { type: 'crash', at, node },
  { type: 'restart', at: at + after, node },
];

type Group = Given & { readonly n: number };

/** What a family does to whom: faults drawn from `random`, and when all of it is over. */
type Schedule = (random: Random) => { readonly faults: readonly ScenarioFault[]; end: number };

/** A family of its own stream, whose runs have time to end well. `given` goes before `load`. */
const family =
  (name: string, given: Group, load: Partial<Scenario>, schedule: Schedule): Family =>
  (seed) => {
    const { faults, end } = schedule(stream(name, seed));
    const until = end + ms(20_000);
    return completeScenario({ faults, count: 60, until, seed: `${seed}`, ...load, ...given });
  };

/** `turns` of faults that `turn` answers for ever later moments, and a healing 50 ms after. */
const turns = (
  n: number,
  count: number,
  turn: (at: number) => { readonly at: number; readonly faults: readonly ScenarioFault[] },
): ReturnType<Schedule> => {
  const faults: ScenarioFault[] = [];
  let at = ms(5);
  for (const _ of range(count)) {
    const next = turn(at);
    at = next.at;
    faults.push(...next.faults);
  }
  const end = at + ms(50);
  return { faults: [...faults, ...healed(n, end)], end: at };
};

/** Many short reigns: whoever leads is cut off or crashes at once, and comes back soon. */
export const reigns = (given: Group, reignMs: number): Family =>
  family('reigns', given, { clients: 3 }, (random) => {
    const { n } = given;
    const soon = (): number => 200 + random.below(ms(reignMs));
    return turns(n, 60, (before) => {
      const at = before + ms(1) + random.below(ms(reignMs));
      const choice = random.below(4);
      if (choice === 0) return { at, faults: blink(at, random.below(n), soon()) };
      if (choice === 1) return { at, faults: blink(at, 'leader', soon()) };
      if (choice === 2) return { at, faults: [{ type: 'heal', at }] };
      const group = half(random, n);
      const rest = range(n).filter((node) => !group.includes(node));
      return { at, faults: [{ type: 'split', at, groups: [group, rest] }] };
    });
  });

/**
 * Everybody can be elected, and hardly anybody can replicate: who gets `kinds` from whom is drawn
 * anew all the time, and leaders crash.
 */
export const mutedReigns = (given: Group, kinds: readonly string[], stepMicros: number): Family =>
  family('muted', given, { clients: 3 }, (random) => {
    const { n } = given;
    return turns(n, 200, (before) => {
      const at = before + 100 + random.below(stepMicros);
      const faults: ScenarioFault[] = [{ type: 'heal', at }];
      if (random.below(6) === 0) faults.push(...blink(at, 'leader', 100 + random.below(ms(10))));
      for (const node of range(n)) {
        const to = half(random, n).filter((other) => other !== node);
        if (to.length > 0 && random.below(4) > 0)
          faults.push({ type: 'cut', at, from: [node], to, kinds });
      }
      return { at, faults };
    });
  });

/** One voter crashes all the time and is back at once, while messages are slow. */
export const hiccups = (
  given: Group,
  everyMicros: number,
  disk: 'synced' | 'lost' = 'synced',
): Family =>
  family('hiccups', given, { clients: 6 }, (random) =>
    turns(given.n, 250, (before) => {
      const at = before + 400 + random.below(everyMicros);
      const node = given.n - 1;
      const back = { type: 'restart', at: at + 50, node, disk } as const;
      return { at, faults: [{ type: 'crash', at, node }, back] };
    }),
  );

/** All lose power, again and again, with disks that take long for a sync. */
export const blackouts = (given: Group): Family =>
  family('blackouts', given, { count: 120, clients: 3 }, (random) => {
    const everybody = range(given.n);
    const disks = (at: number, disk: typeof ssd): readonly ScenarioFault[] =>
      everybody.map((node) => ({ type: 'disk', at, node, disk }));
    const faults = [...disks(0, { sync: { type: 'constant', delay: ms(4) } })];
    let at = ms(300);
    for (const _ of range(6)) {
      at += ms(50) + random.below(ms(400));
      for (const node of everybody) faults.push(...blink(at, node, 100 + random.below(ms(10))));
    }
    const end = at + ms(100);
    return { faults: [...faults, ...disks(end, ssd)], end };
  });

/** One attack, nothing else. */
export const attacked =
  (given: Given): Family =>
  (seed) =>
    completeScenario({ until: ms(20_000), seed: `${seed}`, ...given });
