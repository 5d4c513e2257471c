/** What goes wrong in a random world, class by class, and how it heals. */
import { drawBetween, drawOne, ms, type Random, range } from '@quorumlab/core';
import { ssd } from '@quorumlab/sim';
import type { ScenarioFault } from '../scenario.ts';

/** What a fault class needs to know. */
export interface World {
  readonly random: Random;
  readonly n: number;
  /** From here on everything works. */
  readonly healsAt: number;
}

/** Some moment before the healing. */
export const moment = ({ random, healsAt }: World): number => random.below(healsAt);

/** Two moments, the earlier first. */
export function span(world: World): readonly [number, number] {
  const [a, b] = [moment(world), moment(world)];
  return a < b ? [a, b] : [b, a];
}

/** Some nodes, at least one and not all. */
function some({ random, n }: World): number[] {
  const nodes = range(n).filter(() => random.below(2) === 0);
  return nodes.length === 0 || nodes.length === n ? [random.below(n)] : nodes;
}

/** All but `nodes`. */
export const others = ({ n }: World, nodes: readonly number[]): number[] =>
  range(n).filter((node) => !nodes.includes(node));

/** What `make` gives, up to `most` times and at least once. */
export const times = <T>(world: World, most: number, make: () => readonly T[]): T[] =>
  range(1 + world.random.below(most)).flatMap(make);

/** The classes; each is on or off in a run, by coin. */
export const classes: readonly ((world: World) => readonly ScenarioFault[])[] = [
  function crashes(world) {
    return times(world, 6, () => {
      const [at, back] = span(world);
      const node = world.random.below(3) === 0 ? 'leader' : world.random.below(world.n);
      return [
        { type: 'crash', at, node },
        { type: 'restart', at: back, node },
      ];
    });
  },
  function blackout(world) {
    const [at, back] = span(world);
    return range(world.n).flatMap((node): ScenarioFault[] => [
      { type: 'crash', at, node },
      { type: 'restart', at: back + world.random.below(ms(100)), node },
    ]);
  },
  function pauses(world) {
    return times(world, 4, () => {
      const [at, back] = span(world);
      const node = world.random.below(world.n);
      return [
        { type: 'pause', at, node },
        { type: 'resume', at: back, node },
      ];
    });
  },
  function splits(world) {
    return times(world, 3, () => {
      const [at, back] = span(world);
      const group = some(world);
      return [
        { type: 'split', at, groups: [group, others(world, group)] },
        { type: 'heal', at: back },
      ];
    });
  },
  function oneWay(world) {
    return times(world, 3, () => {
      const [at, back] = span(world);
      const from = some(world);
      return [
        { type: 'cut', at, from, to: others(world, from) },
        { type: 'heal', at: back },
      ];
    });
  },
  /** Everybody hears two neighbours only, so that each majority is another one. */
  function ring(world) {
    const [at, back] = span(world);
    const near = (a: number, b: number): boolean =>
      [0, 1, world.n - 1].includes((a - b + world.n) % world.n);
    const cuts = range(world.n).map((node): ScenarioFault => {
      const to = range(world.n).filter((other) => !near(node, other));
      return { type: 'cut', at, from: [node], to };
    });
    return [...cuts, { type: 'heal', at: back }];
  },
  function flapping(world) {
    const period = drawBetween(world.random, ms(5), ms(400));
    const alone = [world.random.below(world.n)];
    const groups = [alone, others(world, alone)];
    return range(Math.min(12, Math.floor(world.healsAt / period))).map(
      (i): ScenarioFault =>
        i % 2 === 0 ? { type: 'split', at: i * period, groups } : { type: 'heal', at: i * period },
    );
  },
  function skews(world) {
    return times(world, 4, () => [
      {
        type: 'skew',
        at: moment(world),
        node: world.random.below(world.n),
        by: world.random.below(ms(10_000)),
        driftPerBillion: world.random.below(20_000_000) - 10_000_000,
      },
    ]);
  },
  function slowDisks(world) {
    return times(world, 3, () => [
      {
        type: 'disk',
        at: moment(world),
        node: world.random.below(world.n),
        disk: {
          sync: { type: 'uniform', min: 100, max: ms(drawBetween(world.random, 1, 200)) },
          torn: world.random.below(2) === 0,
        },
      },
    ]);
  },
];

/** All works again: nothing is cut, everybody runs but who is `gone`, disks are quick. */
export const healing = (
  { n, healsAt: at }: World,
  gone: readonly number[],
): readonly ScenarioFault[] => [
  { type: 'heal', at },
  ...range(n)
    .filter((node) => !gone.includes(node))
    .flatMap((node): ScenarioFault[] => [
      { type: 'disk', at, node, disk: ssd },
      { type: 'resume', at, node },
      { type: 'restart', at, node },
    ]),
];

/** Replicas that need not be well in the end, of which there may be f with the liars. */
export interface Casualties {
  readonly faults: readonly ScenarioFault[];
  /** Who crashes and never comes back. */
  readonly gone: readonly number[];
  /** Who loses its disk, once or twice. */
  readonly emptied: readonly number[];
}

/**
 * Strikes up to `spare` of `candidates` for good: each crashes and stays away, or loses its disk.
 * A protocol that counts on disks asks all others when one was lost, so there only one may be.
 * Where it is `often`, most of `spare` are struck, and disks are what is lost.
 */
export function casualties(
  world: World,
  candidates: readonly number[],
  spare: number,
  losses: 'none' | 'one' | 'any',
  often = false,
): Casualties {
  const { random } = world;
  const rarely = (): boolean => random.below(3) === 0;
  const struck: number[] = [];
  for (const _ of range(spare)) {
    const left = candidates.filter((node) => !struck.includes(node));
    if (left.length > 0 && rarely() !== often) struck.push(drawOne(random, left));
  }
  const emptied: number[] = [];
  const gone: number[] = [];
  const faults = struck.flatMap((node): ScenarioFault[] => {
    const mayLose = losses === 'any' || (losses === 'one' && emptied.length === 0);
    if (!mayLose || (rarely() && !often)) {
      gone.push(node);
      return [{ type: 'crash', at: moment(world), node }];
    }
    emptied.push(node);
    return times(world, 2, () => {
      const at = moment(world);
      const back = Math.min(world.healsAt, at + random.below(ms(300)));
      return [
        { type: 'crash', at, node },
        { type: 'restart', at: back, node, disk: 'lost' },
      ];
    });
  });
  return { faults, gone, emptied };
}

/** `faults` without those that would bring back who is gone. */
export const withoutReturn = (
  faults: readonly ScenarioFault[],
  gone: readonly number[],
): readonly ScenarioFault[] =>
  faults.filter(
    (fault) => fault.type !== 'restart' || fault.node === 'leader' || !gone.includes(fault.node),
  );
