/**
 * How long a commit takes at each of several sites far from each other, in virtual time: a replica
 * and some clients stand at each, and every client asks the replica beside it, or the leader.
 */
import {
  firstClient,
  type Instant,
  ms,
  type OptionValues,
  type PrincipalId,
  type ReplicaId,
  type Request,
  range,
} from '@quorumlab/core';
import { keyValueStore, kv, serviced } from '@quorumlab/log';
import {
  decisions,
  type LinkModel,
  type NetworkModel,
  type Seat,
  simulate,
  wan,
  wanRegions,
} from '@quorumlab/sim';
import { idealAuthority, idealKeyring } from '@quorumlab/wire';
import type { AnyShape } from './prepare.ts';
import { protocolOf } from './protocols.ts';
import { ScenarioError } from './scenario.ts';
import { simulatedDigest } from './simulated-digest.ts';

/** What is to be measured. */
export interface SiteLatencyOptions {
  readonly protocol: string;
  /** One replica at each site. 5 unless told. */
  readonly n?: number;
  /** As many as n allows unless told. */
  readonly f?: number;
  /** The protocol's own options. */
  readonly options?: OptionValues;
  /** Of a hundred operations, how many write the one key that all clients share. */
  readonly conflicts: number;
  /** Who leads, where somebody does: its timers are the first to fire. Replica 0 unless told. */
  readonly leader?: ReplicaId;
  /** Each asks for the next operation when it has the answer to the one before. 4 unless told. */
  readonly clientsPerSite?: number;
  /** Operations of each client that count; it asks for two more before them. 10 unless told. */
  readonly operations?: number;
  /** `wan` unless told: replica i and its clients are in region i mod 5. */
  readonly network?: NetworkModel;
  /** 1 unless told. Same seed, same times. */
  readonly seed?: number | string;
}

/** Times in microseconds. */
export interface Spread {
  readonly least: Instant;
  readonly median: Instant;
  readonly p99: Instant;
  readonly most: Instant;
}

/** What clients of one site have to wait for. */
export interface SiteLatency {
  readonly site: ReplicaId;
  /**
   * From asking until the site knows that the command is committed: where no leader orders, as its
   * own replica says so; where there is one, when its answer has come.
   */
  readonly committed: Spread;
  /** From asking to the answer: the command is executed by then, and so is what comes before it. */
  readonly answered: Spread;
}

/** The client's first operations find groups that elect, and links that are idle: not counted. */
const warmUp = 2;
/** When clients begin: a leader is elected by then. */
const begin: Instant = ms(5000);
const patience: Instant = ms(120_000);

interface Asking {
  readonly site: ReplicaId;
  readonly principal: PrincipalId;
  asked: Instant;
  done: number;
  sequence: number;
  committedAt: Instant | undefined;
}

interface Times {
  readonly committed: Instant[];
  readonly answered: Instant[];
}

/**
 * Measures commits at the sites of a network: see {@link SiteLatency}. Disks and steps take no
 * time, so what is measured is the network alone. The same options give the same times anywhere.
 *
 * Throws a ScenarioError (QL116) if operations stay unanswered, or another than `leader` leads.
 *
 * @example
 * ```ts
 * import { latenciesBySite } from '@quorumlab/harness';
 *
 * const [first] = latenciesBySite({ protocol: 'epaxos', conflicts: 0 });
 * console.log(first?.committed.median); // about 70,000: one round trip to two of the others
 * ```
 */
export function latenciesBySite(options: SiteLatencyOptions): readonly SiteLatency[] {
  const { protocol: name, n = 5, network = wan, seed = 1, leader = 0 } = options;
  const { operations = 10, clientsPerSite = 4, conflicts } = options;
  const f = options.f ?? Math.floor((n - 1) / 2);
  const entry = protocolOf(name);
  const protocol = entry.create({ n, f, options: options.options ?? {} });
  const isLed = protocol.client.ask === 'leader';
  const group = serviced(protocol);
  const { messages } = group;
  const authority = idealAuthority();
  const clients = clientsAt(n, clientsPerSite);
  const times = range(n).map((): Times => ({ committed: [], answered: [] }));
  const random = decisions({ seed: `sites ${seed}` });
  let left = clients.length;
  let nextId = 0;
  const seatOf = (client: Asking): number => n + clients.indexOf(client);
  const byPrincipal = new Map(clients.map((client) => [client.principal, client]));
  const ask = (client: Asking, at: Instant) => {
    const isShared = random.below(100) < conflicts;
    const key = isShared ? 'shared' : `own ${client.principal}`;
    client.asked = at;
    client.committedAt = undefined;
    const operation = kv.put(key, `${client.done}`);
    const event = { type: 'submit', id: nextId++, operation, readOnly: false } as const;
    return { at, seat: seatOf(client), event };
  };
  const replicas = range(n).map(
    (self): Seat<AnyShape> => ({
      principal: self,
      make: (stable) =>
        group.machine(self, {
          stateMachine: keyValueStore,
          digest: simulatedDigest,
          ...(stable ? { stable } : {}),
        }),
    }),
  );
  let started = 0;
  const simulation = simulate<AnyShape>({
    messages,
    keyring: (_seat, self) => idealKeyring({ authority, messages, protocol: group, self }),
    seats: [
      ...replicas,
      ...clients.map(
        ({ principal, site }): Seat<AnyShape> => ({
          principal,
          make: () =>
            group.client(principal, { leader: isLed ? leader : site, timeout: patience / 10 }),
        }),
      ),
    ],
    members: protocol.members,
    network,
    faults: [{ type: 'timeout', at: 1, seat: leader }],
    inputs: {
      next() {
        const client = clients[started++];
        // Not all at once: nobody's clocks are so equal.
        return client && ask(client, begin + random.below(ms(200)));
      },
      answered(at, seat) {
        const client = clients[seat - n] as Asking;
        if (client.done++ >= warmUp) {
          const { committed, answered } = times[client.site] as Times;
          answered.push(at - client.asked);
          committed.push((client.committedAt ?? at) - client.asked);
        }
        if (client.done < warmUp + operations) return ask(client, at);
        left--;
        return undefined;
      },
    },
    watcher: {
      said(at, seat, message) {
        if (message.kind === 'request' && seat >= n)
          (clients[seat - n] as Asking).sequence = (message as unknown as Request).sequence;
        for (const command of entry.commits?.(message) ?? []) {
          const client = byPrincipal.get(command.client);
          if (client?.site === seat && client.sequence === command.sequence)
            client.committedAt ??= at;
        }
      },
    },
    seed,
    limits: { until: begin + patience },
  });
  while (left > 0) if (!simulation.step()) break;
  if (left > 0) throw nothing(`${name} left operations of ${left} clients unanswered`);
  const led = simulation.seat(leader).status?.leader;
  if (isLed && led !== leader) throw nothing(`not n${leader} but n${led} leads ${name}`);
  return times.map(({ committed, answered }, site) => ({
    site,
    committed: spreadOf(committed),
    answered: spreadOf(answered),
  }));
}

const nothing = (what: string): ScenarioError =>
  new ScenarioError(
    'QL116',
    `${what}, so there is nothing to measure; give it timeouts above the network's round trips.`,
  );

/** Clients whose numbers put them where their replica is: `wan` goes by numbers modulo regions. */
function clientsAt(n: number, perSite: number): readonly Asking[] {
  const block = wanRegions.length * Math.ceil(n / wanRegions.length);
  return range(block * perSite)
    .map((i) => firstClient + i)
    .filter((principal) => principal % block < n)
    .map((principal) => {
      const rest = { asked: 0, done: 0, sequence: -1, committedAt: undefined };
      return { site: principal % block, principal, ...rest };
    });
}

function spreadOf(times: readonly Instant[]): Spread {
  const sorted = [...times].sort((one, two) => one - two);
  const at = (share: number): Instant =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as Instant;
  return { least: at(0), median: at(0.5), p99: at(0.99), most: at(1) };
}

/** How long it takes at best and at worst, in microseconds. */
export interface RoundTrip {
  readonly least: Instant;
  readonly most: Instant;
}

/** What a link's delays are between. */
function delaysOf({ delay }: LinkModel): RoundTrip {
  if (delay.type === 'constant') return { least: delay.delay, most: delay.delay };
  if (delay.type === 'uniform') return { least: delay.min, most: delay.max };
  const { quantiles } = delay;
  return { least: quantiles[0] as Instant, most: quantiles.at(-1) as Instant };
}

/** To one other member and back, by what the network does from the beginning on. */
export function wayAndBack(network: NetworkModel, from: ReplicaId, to: ReplicaId): RoundTrip {
  const [phase] = network.phases;
  if (phase === undefined) return { least: 0, most: 0 };
  const there = delaysOf(phase.link(from, to));
  const back = delaysOf(phase.link(to, from));
  return { least: there.least + back.least, most: there.most + back.most };
}

/**
 * How long it takes to ask others and to hear of a quorum of `quorum` members, oneself included,
 * that it has answered: the way to the farthest of the nearest ones and back.
 */
export function roundTrip(
  network: NetworkModel,
  from: ReplicaId,
  { n, quorum }: { readonly n: number; readonly quorum: number },
): RoundTrip {
  const others = range(n).filter((to) => to !== from);
  const nth = (which: keyof RoundTrip): Instant =>
    others.map((to) => wayAndBack(network, from, to)[which]).sort((one, two) => one - two)[
      quorum - 2
    ] ?? 0;
  return { least: nth('least'), most: nth('most') };
}
