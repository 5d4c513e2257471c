import {
  type Behaviour,
  chain,
  chance,
  delay,
  equivocate,
  hasty,
  misreport,
  onceAfter,
  onceLeading,
  replay,
  restarts,
  silentTo,
  twoFaced,
} from '@quorumlab/adversary';
import {
  type Claims,
  decode,
  encode,
  ms,
  type ReplicaId,
  range,
  SchemaError,
  type Shape,
  toUtf8,
} from '@quorumlab/core';
import { type KeyValueResult, keyValueResult } from '@quorumlab/log';
import type { ProtocolEntry } from './protocol-entry.ts';
import { protocolOf } from './protocols.ts';
import { requireNewName, type Scenario, type ScenarioFault, unknownName } from './scenario.ts';
import { slowLeader } from './slow-leader.ts';

/** A way for a run to go wrong, the same for every protocol. */
export interface Attack {
  readonly name: string;
  /** One sentence for people. */
  readonly title: string;
  /** What it needs: a lying node, a crash, a cut network, or nothing. */
  readonly needs: 'byzantine' | 'crash' | 'network' | 'nothing';
  /** Whether it takes one liar more than the protocol tolerates; it proves nothing with fewer. */
  readonly beyond?: boolean;
  /** Whether it sets back the trusted counters of faulty nodes, on which its protocols rest. */
  readonly setsBack?: boolean;
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

/** Hurries to lead, and shows `others` another value. */
const equivocator = <S extends Shape>(
  others: readonly ReplicaId[],
  n: number,
  { hurry, patience }: Pace,
): Behaviour<S> =>
  chain(
    hasty<S>(hurry),
    // It thinks before it speaks, until it knows two true commands to lie with.
    delay<S>(patience, (to) => to < n),
    equivocate<S>((to) => others.includes(to)),
  );

const list: Attack[] = [
  { name: 'none', title: 'Every node is honest and nothing breaks.', needs: 'nothing' },
  {
    name: 'equivocating-leader',
    title: 'The leader signs one value for half of the nodes and another for the rest.',
    needs: 'byzantine',
    behaviour: <S extends Shape>(
      { n, f, by }: Scenario,
      _seat: ReplicaId,
      { hurry, patience } = simulatedPace,
    ): Behaviour<S> => {
      const others = otherHalf(n, by);
      // More than are tolerated need no luck: whoever of them leads, all vote for both its values.
      if (by.length > Math.max(1, f)) return twoFaced<S>({ traitors: by, second: others }, hurry);
      return equivocator<S>(others, n, { hurry, patience });
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
    name: 'lying-acceptor',
    title:
      'A voter in two quorums denies in the second what it promised and accepted in the first.',
    needs: 'byzantine',
    behaviour: <S extends Shape>(scenario: Scenario): Behaviour<S> =>
      restarts<S>('lost', onceAfter(amnesia(scenario).at)),
    faults: (scenario) => {
      const { at, healed, first, second } = amnesia(scenario);
      return [
        { type: 'split', at: ms(1), groups: first },
        { type: 'split', at, groups: second },
        { type: 'heal', at: healed },
      ];
    },
  },
  {
    name: 'wrong-reply-to-client',
    title: 'The leader does its work and tells clients a wrong result, signed with its own key.',
    needs: 'byzantine',
    behaviour: <S extends Shape>(
      _scenario: Scenario,
      _seat: ReplicaId,
      { hurry } = simulatedPace,
    ): Behaviour<S> => chain(hasty<S>(hurry), misreport<S>(otherResult)),
  },
  {
    name: 'f+1-traitors',
    title:
      'One liar more than the protocol tolerates: together they show each half another history.',
    needs: 'byzantine',
    beyond: true,
    behaviour: <S extends Shape>(
      { n, by }: Scenario,
      _seat: ReplicaId,
      { hurry } = simulatedPace,
    ): Behaviour<S> => twoFaced<S>({ traitors: by, second: otherHalf(n, by) }, hurry),
  },
  {
    name: 'rollback-counter',
    title: 'The leader sets back its trusted counter, and signs two values under one number.',
    needs: 'byzantine',
    beyond: true,
    setsBack: true,
    behaviour: <S extends Shape>(
      { n, by }: Scenario,
      _seat: ReplicaId,
      { hurry, patience } = simulatedPace,
    ): Behaviour<S> => equivocator<S>(otherHalf(n, by), n, { hurry, patience }),
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
  {
    name: 'slow-leader',
    title: "The leader's clock runs slow, the others' fast; it is cut off, and clients read there.",
    needs: 'network',
    faults: slowLeader,
  },
];

/**
 * Two quorums, one after the other, that meet in the liars and, if the protocol tolerates liars,
 * in honest nodes too.
 */
function amnesia({ n, f, by, until }: Scenario) {
  const honest = range(n).filter((id) => !by.includes(id));
  const size = Math.max(0, n - f - by.length);
  const first = honest.slice(0, size);
  const second = honest.slice(honest.length - size);
  const groups = (quorum: readonly ReplicaId[]): readonly (readonly ReplicaId[])[] => [
    [...by, ...quorum],
    honest.filter((id) => !quorum.includes(id)),
  ];
  return {
    at: Math.min(Math.floor(until / 5), ms(1000)),
    healed: Math.min(Math.floor((until * 3) / 5), ms(3500)),
    first: groups(first),
    second: groups(second),
  };
}

/** A result of the key-value store as a liar tells it: believable, and wrong. */
function otherResult(result: Uint8Array): Uint8Array {
  try {
    return encode(keyValueResult, otherAnswer(decode(keyValueResult, result)));
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return Uint8Array.of(...result, 0);
  }
}

function otherAnswer(answer: KeyValueResult): KeyValueResult {
  switch (answer.kind) {
    case 'value':
      return { kind: 'value', value: answer.value === null ? toUtf8('forged') : null };
    case 'swapped':
      return { kind: 'swapped', done: !answer.done, found: null };
    case 'deleted':
      return { kind: 'deleted', found: !answer.found };
    case 'stored':
    case 'refused':
      return { kind: 'value', value: toUtf8('forged') };
  }
}

function minority(n: number): readonly (readonly ReplicaId[])[] {
  const all = Array.from({ length: n }, (_, i) => i);
  const size = Math.max(1, Math.ceil(n / 2) - 1);
  return [all.slice(0, size), all.slice(size)];
}

/** Why a protocol has nothing that an attack could set back; nothing if it has, or need not. */
function noCounter({ attack, protocol }: Scenario, entry: ProtocolEntry): string | undefined {
  if (attackOf(attack).setsBack !== true || entry.isCounted) return undefined;
  return `${protocol} has no trusted counters that ${attack} could set back`;
}

/** How many liars it takes to be one more than a protocol tolerates: one if it trusts everybody. */
export const tooManyLiars = ({ faults }: Claims, f: number): number =>
  faults === 'crash' ? 1 : f + 1;

/** Why a scenario's attack beyond the claims is none: too few traitors. Nothing if it is well. */
export function tooFewTraitors(scenario: Scenario, entry?: ProtocolEntry): string | undefined {
  const { protocol, attack, f, by } = scenario;
  const found = entry ?? protocolOf(protocol);
  const least = leastLiars(attack, found.claims, f);
  if (attackOf(attack).setsBack === true && by.length > 0) return noCounter(scenario, found);
  if (attackOf(attack).beyond !== true || new Set(by).size >= least) return undefined;
  return `${attack} takes ${least} traitors against ${protocol} with f=${f}, not ${by.length}`;
}

/** How many traitors an attack beyond the claims takes. */
export const leastLiars = (attack: string, claims: Claims, f: number): number =>
  attackOf(attack).setsBack === true ? 1 : tooManyLiars(claims, f);

/** All attacks, in the order in which they are listed; those that were registered last. */
export const attacks: readonly Attack[] = list;

const ours = list.length;

/** Whether every installation has the attack called `name`: it was not registered. */
export const isOurAttack = (name: string): boolean =>
  list.slice(0, ours).some((each) => each.name === name);

/**
 * Lets scenarios name one attack more, until what it returns is called. Throws a ScenarioError
 * (QL117) if its name is taken.
 */
export function registerAttack(attack: Attack): () => void {
  requireNewName(
    'attack',
    attack.name,
    list.map(({ name }) => name),
  );
  list.push(attack);
  return () => void list.splice(list.indexOf(attack), 1);
}

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
