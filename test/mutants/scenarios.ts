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

/** Many short reigns: whoever leads is cut off or crashes at once, and comes back soon. */
export const reigns =
  (given: Given & { readonly n: number }, reignMs: number): Family =>
  (seed) => {
    const random = stream('reigns', seed);
    const faults: ScenarioFault[] = [];
    let at = ms(5);
    for (const _ of range(60)) {
      at += ms(1) + random.below(ms(reignMs));
      const choice = random.below(4);
      if (choice === 0) {
        const node = random.below(given.n);
        faults.push({ type: 'crash', at, node });
        faults.push({ type: 'restart', at: at + 200 + random.below(ms(reignMs)), node });
      } else if (choice === 1) {
        faults.push({ type: 'crash', at, node: 'leader' });
        faults.push({ type: 'restart', at: at + 200 + random.below(ms(reignMs)), node: 'leader' });
      } else if (choice === 2) faults.push({ type: 'heal', at });
      else {
        const group = half(random, given.n);
        const rest = range(given.n).filter((node) => !group.includes(node));
        faults.push({ type: 'split', at, groups: [group, rest] });
      }
    }
    return completeScenario({
      faults: [...faults, ...healed(given.n, at + ms(50))],
      count: 60,
      clients: 3,
      until: at + ms(20_000),
      seed: `${seed}`,
      ...given,
    });
  };

/**
 * Everybody can be elected, and hardly anybody can replicate: who gets `kinds` from whom is drawn
 * anew all the time, and leaders crash.
 */
export const mutedReigns =
  (given: Given & { readonly n: number }, kinds: readonly string[], stepMicros: number): Family =>
  (seed) => {
    const random = stream('muted', seed);
    const faults: ScenarioFault[] = [];
    let at = ms(5);
    for (const _ of range(200)) {
      at += 100 + random.below(stepMicros);
      faults.push({ type: 'heal', at });
      if (random.below(6) === 0) {
        faults.push({ type: 'crash', at, node: 'leader' });
        faults.push({ type: 'restart', at: at + 100 + random.below(ms(10)), node: 'leader' });
      }
      for (const node of range(given.n)) {
        const to = half(random, given.n).filter((other) => other !== node);
        if (to.length > 0 && random.below(4) > 0)
          faults.push({ type: 'cut', at, from: [node], to, kinds });
      }
    }
    return completeScenario({
      faults: [...faults, ...healed(given.n, at + ms(50))],
      count: 60,
      clients: 3,
      until: at + ms(20_000),
      seed: `${seed}`,
      ...given,
    });
  };

/** One voter crashes all the time and is back at once, while messages are slow. */
export const hiccups =
  (
    given: Given & { readonly n: number },
    everyMicros: number,
    disk: 'synced' | 'lost' = 'synced',
  ): Family =>
  (seed) => {
    const random = stream('hiccups', seed);
    const node = given.n - 1;
    const faults: ScenarioFault[] = [];
    let at = ms(5);
    for (const _ of range(250)) {
      at += 400 + random.below(everyMicros);
      faults.push({ type: 'crash', at, node }, { type: 'restart', at: at + 50, node, disk });
    }
    return completeScenario({
      faults: [...faults, ...healed(given.n, at + ms(50))],
      count: 60,
      clients: 6,
      until: at + ms(20_000),
      seed: `${seed}`,
      ...given,
    });
  };

/** All lose power, again and again, with disks that take long for a sync. */
export const blackouts =
  (given: Given & { readonly n: number }): Family =>
  (seed) => {
    const random = stream('blackouts', seed);
    const slow = { sync: { type: 'constant', delay: ms(4) } } as const;
    const faults: ScenarioFault[] = range(given.n).map((node) => ({
      type: 'disk',
      at: 0,
      node,
      disk: slow,
    }));
    let at = ms(300);
    for (const _ of range(6)) {
      at += ms(50) + random.below(ms(400));
      for (const node of range(given.n)) {
        faults.push({ type: 'crash', at, node });
        faults.push({ type: 'restart', at: at + 100 + random.below(ms(10)), node });
      }
    }
    const end = at + ms(100);
    for (const node of range(given.n)) faults.push({ type: 'disk', at: end, node, disk: ssd });
    return completeScenario({
      faults,
      count: 120,
      clients: 3,
      until: end + ms(20_000),
      seed: `${seed}`,
      ...given,
    });
  };

/** One attack, nothing else. */
export const attacked =
  (given: Given): Family =>
  (seed) =>
    completeScenario({ until: ms(20_000), seed: `${seed}`, ...given });
