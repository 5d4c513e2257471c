import {
  type Behaviour,
  chain,
  chance,
  delay,
  equivocate,
  hasty,
  onceLeading,
  replay,
  silentTo,
} from '@quorumlab/adversary';
import { ms, type ReplicaId, type Shape } from '@quorumlab/core';
import { type Scenario, type ScenarioFault, unknownName } from './scenario.ts';

/** A way for a run to go wrong, the same for every protocol. */
export interface Attack {
  readonly name: string;
  /** One sentence for people. */
  readonly title: string;
  /** What it needs: a lying node, a crash, a cut network, or nothing. */
  readonly needs: 'byzantine' | 'crash' | 'network' | 'nothing';
  /** Whether the faulty nodes are two copies under one key, each talking to its own half. */
  readonly twins?: boolean;
  /** How each faulty node misbehaves. */
  readonly behaviour?: <S extends Shape>(
    scenario: Scenario,
    seat: ReplicaId,
    pace?: Pace,
  ) => Behaviour<S>;
  /** What happens to the world. */
  readonly faults?: (scenario: Scenario) => readonly ScenarioFault[];
}

/** How fast a traitor is; what it does is the same. */
export interface Pace {
  /** How much faster a traitor that wants to lead runs its own timers. */
  readonly hurry: number;
  /** How long it waits for a second true command to lie with, in microseconds. */
  readonly patience: number;
}

const simulatedPace: Pace = { hurry: 20, patience: ms(3) };

/**
 * Among real processes a round takes milliseconds, with the disk and on a busy machine tens of
 * them: who campaigns more often than a round lasts interrupts itself, and clients that ask at once
 * are not heard at once.
 */
export const realPace: Pace = { hurry: 4, patience: ms(25) };

/**
 * Those who hear the other story: the second half of the others, so that neither half is empty
 * and, at n = 3f+1, the larger half has no quorum without the liar either.
 */
export function otherHalf(n: number, by: readonly ReplicaId[]): readonly ReplicaId[] {
  const rest = Array.from({ length: n }, (_, i) => i).filter((id) => !by.includes(id));
  return rest.slice(Math.floor(rest.length / 2));
}

/** The two halves of the others, each with every faulty node in it. */
function halves({ n, by }: Scenario): readonly (readonly ReplicaId[])[] {
  const second = otherHalf(n, by);
  const first = Array.from({ length: n }, (_, i) => i).filter(
    (id) => !by.includes(id) && !second.includes(id),
  );
  return [first, second];
}

const list: readonly Attack[] = [
  { name: 'none', title: 'Every node is honest and nothing breaks.', needs: 'nothing' },
  {
    name: 'equivocating-leader',
    title: 'The leader signs one value for half of the nodes and another for the rest.',
    needs: 'byzantine',
    behaviour: <S extends Shape>(
      { n, by }: Scenario,
      _seat: ReplicaId,
      { hurry, patience } = simulatedPace,
    ): Behaviour<S> => {
      const others = otherHalf(n, by);
      return chain(
        hasty<S>(hurry),
        // It thinks before it speaks, until it knows two true commands to lie with.
        delay<S>(patience, (to) => to < n),
        equivocate<S>((to) => others.includes(to)),
      );
    },
  },
  {
    name: 'double-voter',
    title: 'A node runs two copies of itself under one key; each votes in its own half.',
    needs: 'byzantine',
    twins: true,
    faults: (scenario) => [
      { type: 'split', at: ms(1), groups: halves(scenario) },
      { type: 'heal', at: Math.floor(scenario.until / 2) },
    ],
  },
  {
    name: 'silent-leader',
    title: 'A node becomes leader and then says nothing more.',
    needs: 'byzantine',
    behaviour: <S extends Shape>(
      _scenario: Scenario,
      _seat: ReplicaId,
      { hurry } = simulatedPace,
    ): Behaviour<S> => chain(hasty<S>(hurry), onceLeading<S>(silentTo(() => true))),
  },
  {
    name: 'silent-follower',
    title: 'A node hears everything and says nothing.',
    needs: 'byzantine',
    behaviour: <S extends Shape>(): Behaviour<S> => silentTo<S>(() => true),
  },
  {
    name: 'stale-replay',
    title: 'A node repeats, again and again, what it said long ago.',
    needs: 'byzantine',
    behaviour: <S extends Shape>(): Behaviour<S> => replay<S>(chance(1, 4)),
  },
  {
    name: 'crash-leader',
    title: 'The leader crashes under load and comes back later.',
    needs: 'crash',
    faults: ({ until }) => [
      { type: 'crash', at: Math.floor(until / 5), node: 'leader' },
      { type: 'restart', at: Math.floor((until * 3) / 5), node: 'leader' },
    ],
  },
  {
    name: 'split',
    title: 'The network is cut into a minority with the leader and the rest, then heals.',
    needs: 'network',
    faults: ({ n, until }) => [
      {
        type: 'split',
        at: Math.floor(until / 5),
        groups: minority(n),
      },
      { type: 'heal', at: Math.floor(until / 2) },
    ],
  },
];

function minority(n: number): readonly (readonly ReplicaId[])[] {
  const all = Array.from({ length: n }, (_, i) => i);
  const size = Math.max(1, Math.ceil(n / 2) - 1);
  return [all.slice(0, size), all.slice(size)];
}

/** All attacks, in the order in which they are listed. */
export const attacks: readonly Attack[] = list;

/** The attack called `name`; throws a ScenarioError with near names if there is none. */
export function attackOf(name: string): Attack {
  const attack = list.find((each) => each.name === name);
  if (attack === undefined)
    throw unknownName(
      'attack',
      name,
      list.map((each) => each.name),
    );
  return attack;
}
