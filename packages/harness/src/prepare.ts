import { type Coalition, coalition } from '@quorumlab/adversary';
import {
  firstClient,
  type Machine,
  type MessagesField,
  ms,
  type PrincipalId,
  type Protocol,
  range,
} from '@quorumlab/core';
import {
  type ClientOptions,
  keyValueStore,
  type LogShape,
  type Serviced,
  type ServicedProtocol,
  serviced,
} from '@quorumlab/log';
import {
  type Fault,
  type NetworkModel,
  type ScheduledInput,
  type Seat,
  type SeatHost,
  type SimulatedKeyring,
  seatsAtMost,
  ssd,
} from '@quorumlab/sim';
import {
  type Domain,
  ed25519Keyring,
  idealAuthority,
  idealKeyring,
  type Keyring,
  macKeyring,
  publicKeyOf,
  sha256,
} from '@quorumlab/wire';
import { type Attack, attackOf, leastLiars, tooFewTraitors } from './attacks.ts';
import { clockOf, networkOf } from './network-and-clock.ts';
import type { ProtocolEntry } from './protocol-entry.ts';
import { protocolOf, requireSize } from './protocols.ts';
import { isWeak, type Reads, readsAt } from './read-words.ts';
import { optionsWithReads, readsIn } from './reads.ts';
import { type Scenario, ScenarioError, type ScenarioFault } from './scenario.ts';
import { simulatedDigest } from './simulated-digest.ts';
import { countersOf } from './trusted-counters.ts';

/** The shape of every machine in a run: the service around any protocol. */
export type AnyShape = Serviced<LogShape>;

/** A fault that strikes whoever leads then, or whoever it struck last. */
export type LeaderFault = Extract<
  ScenarioFault,
  { readonly type: 'crash' | 'pause' | 'resume' | 'restart' }
>;

/** A scenario made ready to run. */
export interface Prepared {
  readonly scenario: Scenario;
  readonly protocol: Protocol<LogShape>;
  /** The protocol with the service around it. */
  readonly group: ServicedProtocol<LogShape>;
  readonly attack: Attack;
  readonly messages: MessagesField<AnyShape['Message']>;
  readonly network: NetworkModel;
  /** Replicas by their index, then the second copies of twins, then clients. */
  readonly seats: readonly Seat<AnyShape>[];
  readonly firstClientSeat: number;
  /** What the client behind all others asks for: changes of the group. */
  readonly changes: readonly ScheduledInput<AnyShape>[];
  /** Faults at known seats; those that strike "the leader" are in `atLeader`. */
  readonly faults: readonly Fault[];
  readonly atLeader: readonly LeaderFault[];
  /** When the last fault is over and the network keeps its promises. */
  readonly healedAt: number;
  readonly domain: Domain;
  readonly keyring: (seat: number, principal: PrincipalId) => SimulatedKeyring<AnyShape['Message']>;
  readonly publicKeys: ReadonlyMap<PrincipalId, Uint8Array> | undefined;
}

/** Faults at known seats, and those that strike whoever leads. */
function faultsOf(
  scenario: Scenario,
  attack: Attack,
): { readonly faults: Fault[]; readonly atLeader: readonly LeaderFault[] } {
  const faults: Fault[] = [];
  const atLeader: LeaderFault[] = [];
  for (const fault of [...scenario.faults, ...(attack.faults?.(scenario) ?? [])]) {
    requireNodes(fault, scenario.n);
    if (fault.type === 'split')
      faults.push({
        ...fault,
        groups: attack.twins ? withTwins(fault.groups, scenario) : fault.groups,
      });
    else if (!('node' in fault)) faults.push(fault);
    else if (strikesLeader(fault)) atLeader.push(fault);
    else {
      const { node: seat, ...rest } = fault;
      // Without the name that scenarios use, it is a fault of the simulator.
      faults.push({ ...rest, seat } as Fault);
    }
  }
  return { faults, atLeader };
}

const strikesLeader = (fault: ScenarioFault): fault is LeaderFault =>
  'node' in fault && fault.node === 'leader';

/** Throws a ScenarioError (QL109) if a fault names a node that does not exist. */
function requireNodes(fault: ScenarioFault, n: number): void {
  const named =
    'node' in fault
      ? [fault.node]
      : fault.type === 'split'
        ? fault.groups.flat()
        : fault.type === 'cut'
          ? [...fault.from, ...fault.to]
          : [];
  for (const node of named)
    if (node !== 'leader' && !(Number.isInteger(node) && node >= 0 && node < n))
      throw new ScenarioError(
        'QL109',
        `a ${fault.type} names n${node}, but the nodes are n0 to n${n - 1}.`,
      );
}

/**
 * Makes a scenario ready to run, for a registered protocol or for `entry`; `lines`: whether lines
 * of the paper are counted. Throws a ScenarioError
 * if something in it cannot be.
 */
export function prepare(scenario: Scenario, entry?: ProtocolEntry, lines = true): Prepared {
  const found = entry ?? protocolOf(scenario.protocol);
  const { n, f, by, quorum, unsafe } = scenario;
  const options = optionsWithReads(found, scenario.reads, scenario.options);
  if (scenario.unsafe !== true) requireSize(found, n, f);
  const attack = attackOf(scenario.attack);
  const few = tooFewTraitors(scenario, found);
  if (few !== undefined)
    throw new ScenarioError(
      'QL115',
      attack.setsBack === true && by.length > 0
        ? `${few}.\n  use   --attack equivocating-leader`
        : `${few}.\n  use   --by ${range(leastLiars(attack.name, found.claims, f)).join(',')}`,
    );
  const protocol = found.create(
    {
      ...{ n, f },
      ...(unsafe ? { unsafe } : {}),
      ...(quorum === undefined ? {} : { quorum }),
      ...(options ? { options } : {}),
    },
    scenario.mutant,
  );
  const group = serviced(protocol);
  const network = networkOf(scenario.network);
  const shared = coalition();
  const { seats, firstClientSeat } = seatsOf({ scenario, group, attack, lines, shared });
  if (seats.length > seatsAtMost)
    throw new ScenarioError(
      'QL102',
      `n=${n} replicas, their copies and the clients are ${seats.length} machines, and the ` +
        `simulator runs ${seatsAtMost} at most.\n` +
        `  use   -n ${seatsAtMost - (seats.length - n)} or less`,
    );
  const changes = changesOf(scenario, found, seats.length - 1);
  const { faults, atLeader } = faultsOf(scenario, attack);
  const over = Math.max(0, ...[...faults, ...atLeader].map((each) => each.at));
  // Keeps the simulator from calling the network healed before the leader has been struck.
  const last = Math.max(-1, ...atLeader.map((each) => each.at));
  if (last >= 0) faults.push({ type: 'heal', at: last + 1 });
  const domain: Domain = {
    cluster: 'simulation',
    group: 'main',
    epoch: 0,
    protocol: protocol.name,
    version: protocol.version,
  };
  const keys = keysOf(scenario, group, domain);
  return {
    scenario,
    protocol,
    group,
    attack,
    messages: group.messages,
    network,
    seats,
    firstClientSeat,
    changes,
    faults,
    atLeader,
    healedAt: Math.max(network.stableFrom ?? 0, over),
    domain,
    ...keys,
  };
}

/** The faulty nodes go with the first group, their second copies with the second. */
const withTwins = (
  [first, second]: readonly (readonly number[])[],
  { n, by }: Scenario,
): number[][] => [
  [...(first ?? []), ...by],
  [...(second ?? []), ...by.map((_, i) => n + i)],
];

/** What machines are made of. */
interface Recipe {
  readonly scenario: Scenario;
  readonly group: ServicedProtocol<LogShape>;
  readonly attack: Attack;
  /** Whether the lines of the paper are counted. */
  readonly lines: boolean;
  /** What the traitors share. */
  readonly shared: Coalition;
}

function seatsOf(recipe: Recipe): { seats: readonly Seat<AnyShape>[]; firstClientSeat: number } {
  const { scenario, group, attack } = recipe;
  const { n, by } = scenario;
  const outside = by.find((id) => !(id >= 0 && id < n));
  if (outside !== undefined)
    throw new ScenarioError('QL103', `--by names n${outside}, but the nodes are n0 to n${n - 1}.`);
  const traitor = (id: number): boolean => attack.needs === 'byzantine' && by.includes(id);
  const replicaSeat = (id: number, seat: number): Seat<AnyShape> => {
    const clock = clockOf(scenario.clocks, seat);
    return {
      principal: id,
      make: (stable, host) => replicaMachine(recipe, id, stable, host),
      traitor: traitor(id),
      disk: ssd,
      ...(clock ? { clock } : {}),
    };
  };
  const replicas = range(n).map((id) => replicaSeat(id, id));
  const twins = attack.twins ? by.map((id, i) => replicaSeat(id, n + i)) : [];
  const { principals = scenario.clients } = scenario;
  const clients = range(clientsOf(scenario)).map((i): Seat<AnyShape> => {
    const shares = i < scenario.clients;
    const principal = firstClient + (shares ? i % principals : i);
    const process = shares ? Math.floor(i / principals) : 0;
    return {
      principal,
      firstLife: process * livesApart,
      make: () => group.client(principal, askedFirst(recipe, i)),
    };
  });
  return { seats: [...replicas, ...twins, ...clients], firstClientSeat: n + twins.length };
}

/** Between the first lives of two processes of one principal: neither has so many. */
const livesApart = 1024;

/** How many clients there are: whoever changes the group is one more. */
const clientsOf = ({ clients, changes = [] }: Scenario): number =>
  clients + (changes.length > 0 ? 1 : 0);

/** Throws a ScenarioError (QL114) if the protocol cannot change its group, or who leads it. */
function changesOf(
  { changes = [] }: Scenario,
  { name, change, transfer }: ProtocolEntry,
  seat: number,
): readonly ScheduledInput<AnyShape>[] {
  if (changes.length === 0) return [];
  if (change === undefined)
    throw new ScenarioError('QL114', `${name} cannot change its group; leave out the changes.`);
  return changes.map(({ at, members, leader }, id) => {
    if (leader !== undefined && transfer === undefined)
      throw new ScenarioError('QL114', `nobody can say who leads ${name}; leave out that change.`);
    const operation =
      leader === undefined || transfer === undefined ? change(members) : transfer(leader);
    const event = { type: 'submit', id, operation, readOnly: false, configuration: true } as const;
    return { at, seat, event };
  });
}

/**
 * Where any replica takes requests and one answer will do, clients begin at different ones, so that
 * proposers contend; a traitor is asked by all, because he can only lie about what he has heard.
 */
function askedFirst({ scenario, group, attack }: Recipe, i: number): ClientOptions {
  const { ask, matching } = group.protocol.client;
  const reading = nearReads(readsIn(scenario));
  if (ask !== 'any' || matching > 1) return reading;
  const traitor = attack.needs === 'byzantine' ? scenario.by[0] : undefined;
  return { ...reading, leader: traitor ?? i % scenario.n };
}

/** After so long without an answer clients ask another replica for what one replica has. */
export const nearPatience: number = ms(500);

/** Where clients read whose reads take what one replica has. */
const nearReads = (reads: Reads): ClientOptions =>
  isWeak(reads) ? { localReadsAt: readsAt[reads], timeout: nearPatience } : {};

function replicaMachine(
  { scenario, group, attack, lines, shared }: Recipe,
  id: number,
  stable: AnyShape['Stable'] | undefined,
  host: SeatHost,
): Machine<AnyShape> {
  const { stepBytes, sessionCaps } = scenario;
  const make = (from: AnyShape['Stable'] | undefined): Machine<AnyShape> =>
    group.machine(id, {
      stateMachine: keyValueStore,
      digest: simulatedDigest,
      lines,
      ...(stepBytes === undefined ? {} : { stepBytes }),
      ...(sessionCaps === undefined ? {} : { sessionCaps }),
      ...(from ? { stable: from } : {}),
    });
  const honest = make(stable);
  if (attack.behaviour === undefined || !scenario.by.includes(id)) return honest;
  return attack.behaviour<AnyShape>(scenario, id)(honest, {
    protocol: group,
    members: group.members,
    random: host.random,
    make,
    coalition: shared,
    fire: host.fire,
  });
}

function keysOf(
  scenario: Scenario,
  group: ServicedProtocol<LogShape>,
  domain: Domain,
): Pick<Prepared, 'keyring' | 'publicKeys'> {
  const { crypto, n, seed } = scenario;
  const { messages } = group;
  const { deniable, numbered } = group;
  /** Where members number what they say, the counter of each may refuse to sign. */
  const counted: ReturnType<typeof countersOf> =
    numbered === undefined ? (keyring) => keyring : countersOf(scenario, group, numbered);
  /** Where replicas sign nothing, nobody can quote them either. */
  const spoken = (clients: Keyring<AnyShape['Message']>): typeof clients =>
    deniable === undefined ? clients : macKeyring({ clients, protocol: group });
  if (crypto === 'ideal') {
    const authority = idealAuthority();
    return {
      keyring: (_seat, self) =>
        counted(spoken(idealKeyring({ authority, messages, protocol: group, self }))),
      publicKeys: undefined,
    };
  }
  const principals = [...range(n), ...range(clientsOf(scenario)).map((i) => firstClient + i)];
  const secretKeys = new Map(
    principals.map((id) => [
      id,
      sha256(Uint8Array.from(`quorumlab ${seed} ${id}`, (each) => each.charCodeAt(0) & 255)),
    ]),
  );
  const publicKeys = new Map([...secretKeys].map(([id, key]) => [id, publicKeyOf(key)]));
  const made = new Map<PrincipalId, SimulatedKeyring<AnyShape['Message']>>();
  return {
    publicKeys,
    keyring(_seat, self) {
      const known = made.get(self);
      if (known !== undefined) return known;
      const secretKey = secretKeys.get(self) as Uint8Array;
      const keyring = counted(
        spoken(ed25519Keyring({ domain, messages, protocol: group, self, secretKey, publicKeys })),
      );
      made.set(self, keyring);
      return keyring;
    },
  };
}

/** Milliseconds, for defaults of scenarios. */
export const defaultUntil: number = ms(5000);
