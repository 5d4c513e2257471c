/**
 * Worlds that look for what others reach by luck alone. What strikes there comes on top of what
 * strikes anyway, and at the worst moments: within a step, while a leader is replaced, while a
 * snapshot is fetched, while a disk is missed.
 */
import { drawBetween, drawOne, ms, range } from '@quorumlab/core';
import type { MembershipChange, Scenario, ScenarioFault } from '../scenario.ts';
import { type Casualties, moment, others, span, times, type World } from './worlds.ts';

/** One world of so many is a rare one: the others are what they would be without them. */
const rareEvery = 5;
/** Who plays a few worlds only wants busy ones, with few faults: so the first are none of these. */
const rareFrom = 10;

/** Whether the world of `seed` is a rare one: 10, 15, 20 and so on. */
export const isRare = (seed: number): boolean => seed >= rareFrom && seed % rareEvery === 0;

/** What rare faults need to know. */
export interface RareWorld extends World {
  /** The kinds of messages that replicas say. */
  readonly kinds: readonly string[];
}

/** Boundaries within which a crash is due: a few steps. */
const boundaries = 10;

/** What strikes a rare world on top, class by class; each is on or off by coin. */
const classes: readonly ((world: RareWorld, struck: Casualties) => readonly ScenarioFault[])[] = [
  /** Between two writes of a step, or two of its messages; some before something seldom said. */
  function cutOffs(world) {
    const { random } = world;
    return times(world, 16, () => {
      const node = random.below(3) === 0 ? 'leader' : random.below(world.n);
      const before = random.below(3) === 0 ? { before: drawOne(random, world.kinds) } : {};
      return cutOff(world, moment(world), node, before);
    });
  },
  /** The disk is lost while the leader is replaced. */
  function lossesInTurmoil({ random, healsAt }, { faults }) {
    return lossesIn(faults).flatMap(({ at: lost }): readonly ScenarioFault[] => {
      const at = Math.min(healsAt, Math.max(0, lost - ms(2) + random.below(ms(4))));
      const back = Math.min(healsAt, at + random.below(ms(400)));
      return [
        { type: 'crash', at, node: 'leader' },
        { type: 'restart', at: back, node: 'leader' },
      ];
    });
  },
  /** The new disk is lost, or cut off, before it holds what the old one did. */
  function lossesInVain(world, { faults }) {
    const { random } = world;
    return lossesIn(faults).flatMap(({ at, node }) =>
      cutOff(world, at + random.below(ms(20)), node, { isLost: random.below(2) === 0 }),
    );
  },
  /** One is away for most of the time, and what it fetches when it is back is cut off. */
  function laggard(world, { emptied }) {
    const { random, n, healsAt } = world;
    const node = emptied[0] ?? random.below(n);
    const at = random.below(Math.floor(healsAt / 10) + 1);
    const back = drawBetween(random, Math.floor(healsAt / 3), healsAt - 1);
    const later = (): number => Math.min(healsAt, back + random.below(ms(600)));
    const away: readonly (readonly ScenarioFault[])[] = [
      [
        { type: 'crash', at, node },
        { type: 'restart', at: back, node },
      ],
      [
        { type: 'pause', at, node },
        { type: 'resume', at: back, node },
      ],
      [
        { type: 'split', at, groups: [[node], others(world, [node])] },
        { type: 'heal', at: back },
      ],
    ];
    const isLost = emptied.includes(node);
    const slowly: readonly ScenarioFault[] = [
      { type: 'cut', at: back, from: others(world, [node]), to: [node], kinds: ['snapshot-chunk'] },
      { type: 'heal', at: later() },
    ];
    return [
      ...drawOne(random, away),
      ...slowly,
      ...times(world, 3, () => cutOff(world, later(), node, { isLost })),
      ...[back, later(), later()].flatMap((when) =>
        cutOff(world, when, node, { isLost, before: 'chunk-request' }),
      ),
    ];
  },
  /** Leaders that do not know that they are replaced while they are asked. */
  function sleepingLeaders(world) {
    return times(world, 4, () => {
      const [at, back] = span(world);
      return [
        { type: 'pause', at, node: 'leader' },
        { type: 'resume', at: Math.min(back, at + ms(800)), node: 'leader' },
      ];
    });
  },
];

/** The restarts that find no disk. */
const lossesIn = (faults: readonly ScenarioFault[]): readonly Restart[] =>
  faults.filter((fault): fault is Restart => fault.type === 'restart' && fault.disk === 'lost');

type Restart = Extract<ScenarioFault, { readonly type: 'restart' }>;

/** A crash within a step, and a restart soon after, perhaps without its disk. */
function cutOff(
  { random, healsAt }: World,
  from: number,
  node: number | 'leader',
  { before, isLost = false }: { readonly before?: string; readonly isLost?: boolean } = {},
): readonly ScenarioFault[] {
  const at = Math.min(from, healsAt);
  const back = Math.min(healsAt, at + random.below(ms(400)));
  const where = before === undefined ? {} : { before };
  const boundary = random.below(before === undefined ? boundaries : 3);
  return [
    { type: 'crash', at, node, boundary, ...where },
    { type: 'restart', at: back, node, ...(isLost ? { disk: 'lost' } : {}) },
  ];
}

/** What strikes a rare world beside its usual faults. */
export const rareFaults = (world: RareWorld, struck: Casualties): readonly ScenarioFault[] =>
  classes.flatMap((make) => (world.random.below(2) === 0 ? make(world, struck) : []));

/**
 * Groups in which those who need not be well are fewer than half. Some are asked for while an
 * earlier change is under way, and some have nobody of the group before: these are refused. Where
 * somebody can say who leads, somebody does.
 */
export function rareChanges(
  world: World,
  { gone, emptied }: Pick<Casualties, 'gone' | 'emptied'>,
  canTransfer = false,
): readonly MembershipChange[] {
  const { random, n } = world;
  const weak = [...gone, ...emptied];
  const changes = times(world, 6, (): readonly MembershipChange[] => {
    const members = range(n).filter(() => random.below(3) > 0);
    const lost = members.filter((each) => weak.includes(each)).length;
    return members.length > 2 * lost ? [{ at: moment(world), members }] : [];
  });
  const transfers = canTransfer
    ? times(world, 6, () => [{ at: moment(world), members: [], leader: random.below(n) }])
    : [];
  return [...changes, ...transfers].sort((one, two) => one.at - two.at);
}

/**
 * Groups without one or two, for protocols that survive lies. No more than f lie or need not be
 * well, in whatever group: what is too small for f, and what changes too much at once, is refused.
 */
export function rareSets(world: World): readonly MembershipChange[] {
  const { random, n } = world;
  const changes = times(world, 8, (): readonly MembershipChange[] => {
    const without = range(random.below(3)).map(() => random.below(n));
    return [{ at: moment(world), members: range(n).filter((each) => !without.includes(each)) }];
  });
  return changes.sort((one, two) => one.at - two.at);
}

/** What clients do in a rare world, and what the group has for them. */
export function rareWork(
  { random }: Pick<World, 'random'>,
  { network }: Scenario,
): Partial<Scenario> {
  const crowded = random.below(3) === 0;
  const ofClient = drawBetween(random, 1, 3);
  const principals = drawBetween(random, 1, 2);
  return {
    // Reads that stay out of the log have no session.
    workload: drawOne(random, crowded ? ['writes', 'f'] : ['writes', 'a', 'a', 'b', 'f']),
    count: drawBetween(random, 10, 30),
    network: drawOne(random, [network, network, 'lossy']),
    ...(crowded
      ? {
          principals,
          clients: principals * (ofClient + drawBetween(random, 0, 2)),
          sessionCaps: { ofClient, clients: drawBetween(random, 1, 3) },
        }
      : {}),
    ...(random.below(2) === 0 ? { stepBytes: drawOne(random, [1, 100, 1000]) } : {}),
  };
}
