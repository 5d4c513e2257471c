import { basicPaxos } from '@quorumlab/basic-paxos';
import {
  exhibits as basicPaxosExhibits,
  flaws as basicPaxosFlaws,
  mutants as basicPaxosMutants,
} from '@quorumlab/basic-paxos/mutants';
import {
  type Claims,
  type Exhibit,
  type Flaw,
  type Protocol,
  type ReplicaId,
  range,
  type Threshold,
  threshold,
} from '@quorumlab/core';
import { encodeQuorumChange, flexiblePaxos, type Quorums } from '@quorumlab/flexible-paxos';
import {
  exhibits as flexiblePaxosExhibits,
  flaws as flexiblePaxosFlaws,
  mutants as flexiblePaxosMutants,
} from '@quorumlab/flexible-paxos/mutants';
import { type HotStuffOptions, hotstuff, rulesNames } from '@quorumlab/hotstuff';
import {
  exhibits as hotstuffExhibits,
  flaws as hotstuffFlaws,
  mutants as hotstuffMutants,
} from '@quorumlab/hotstuff/mutants';
import type { LogShape } from '@quorumlab/log';
import { encodeChange, multiPaxos } from '@quorumlab/multi-paxos';
import {
  exhibits as multiPaxosExhibits,
  flaws as multiPaxosFlaws,
  mutants as multiPaxosMutants,
} from '@quorumlab/multi-paxos/mutants';
import { pbft } from '@quorumlab/pbft';
import {
  exhibits as pbftExhibits,
  flaws as pbftFlaws,
  mutants as pbftMutants,
} from '@quorumlab/pbft/mutants';
import { raft } from '@quorumlab/raft';
import {
  exhibits as raftExhibits,
  flaws as raftFlaws,
  mutants as raftMutants,
} from '@quorumlab/raft/mutants';
import { digestOf } from '@quorumlab/wire';
import { type OptionNotes, optionNotes } from './option-notes.ts';
import { type OptionKind, requireOptions, type Variants, variantsIn } from './options.ts';
import { type OptionValues, ScenarioError, unknownName } from './scenario.ts';
import type { DrawOptions } from './swarm/draw.ts';
import { drawnOptions } from './swarm/options.ts';

/** What every protocol can be told, besides what is its own. */
export interface ProtocolSize {
  readonly n: number;
  readonly f: number;
  /** Allows an n that is too small for f. */
  readonly unsafe?: boolean;
  /** The protocol's own options by name: see {@link ProtocolEntry.options}. */
  readonly options?: OptionValues;
}

/** A size with quorums that are set by hand, for experiments: see {@link EntryParts.byHand}. */
export interface HandSetSize extends ProtocolSize {
  /** So many replicas are a quorum, safe or not. As many as the protocol says unless told. */
  readonly quorum?: number;
}

/** A protocol that scenarios can name. */
export interface ProtocolEntry {
  readonly name: string;
  /** One sentence for people. */
  readonly title: string;
  readonly claims: Claims;
  /** Names of its wrong variants. */
  readonly mutants: readonly string[];
  /** What is wrong with each of them, by its name. */
  readonly flaws: Readonly<Record<string, Flaw>>;
  /** The options of its own that a scenario may set. */
  readonly options: Readonly<Record<string, OptionKind>>;
  /** What these are, and what they are unless told. */
  readonly notes: OptionNotes;
  /** Draws options for random worlds: see `swarmWorld`. Absent: all have the usual ones. */
  readonly drawn?: DrawOptions;
  /** See {@link Variants}; absent: there is one rule set. */
  readonly variants?: Variants;
  /** What a client submits so that these are the group. Absent: it cannot be changed. */
  readonly change?: (members: readonly ReplicaId[]) => Uint8Array;
  /** The schedule that exposes `mutant`, and both variants as it wants them; or nothing. */
  exhibit(mutant: string): Exposure | undefined;
  /** The protocol for a group, or its wrong variant `mutant`. */
  create(size: HandSetSize, mutant?: string): Protocol<LogShape>;
}

/** A schedule that exposes a wrong variant, and what to play it with. */
export interface Exposure {
  readonly exhibit: Exhibit<LogShape>;
  readonly right: Protocol<LogShape>;
  readonly wrong: Protocol<LogShape>;
}

/** What a protocol is made of in a registry: see {@link protocolEntry}. */
export interface EntryParts<S extends LogShape> {
  readonly title: string;
  /** The protocol as it should be. Must accept n = 4 and f = 1. */
  readonly right: (options: ProtocolSize) => Protocol<S>;
  /** Wrong variants by name, to prove that tests test. */
  readonly mutants?: Readonly<Record<string, (options: ProtocolSize) => Protocol<S>>>;
  /** What is wrong with each, for people. */
  readonly flaws?: Readonly<Record<string, Flaw>>;
  /** Schedules that expose them: the right protocol survives each. */
  readonly exhibits?: Readonly<Record<string, Exhibit<S>>>;
  /** See {@link ProtocolEntry.options}; the makers get them beside n and f. */
  readonly options?: Readonly<Record<string, OptionKind>>;
  /** See {@link ProtocolEntry.notes}. */
  readonly notes?: OptionNotes;
  /** See {@link ProtocolEntry.drawn}. */
  readonly drawn?: DrawOptions;
  /** See {@link ProtocolEntry.change}. */
  readonly change?: (members: readonly ReplicaId[]) => Uint8Array;
  /** The option, one of words, whose values are {@link ProtocolEntry.variants}. */
  readonly variants?: string;
  /**
   * What the makers are told beside `unsafe` if any `quorum` of n replicas are to be a quorum.
   * Absent: its quorums cannot be set by hand.
   */
  readonly byHand?: (quorum: number, n: number) => object;
}

/** Makes an entry of a protocol, yours for example, so that scenarios and suites can run it. */
export function protocolEntry<S extends LogShape>(parts: EntryParts<S>): ProtocolEntry {
  const { title, right, mutants: wrong = {}, flaws = {}, options: known = {} } = parts;
  const sample = right({ n: 4, f: 1 });
  const mutants = Object.keys(wrong);
  // Hosts treat messages, commands and state of a protocol as values of its own codecs only, so an
  // entry may forget which protocol a shape belongs to.
  const erased = (protocol: Protocol<S>): Protocol<LogShape> =>
    protocol as unknown as Protocol<LogShape>;
  const makerOf = (mutant: string): ((options: ProtocolSize) => Protocol<S>) => {
    const make = Object.hasOwn(wrong, mutant) ? wrong[mutant] : undefined;
    if (make === undefined) throw unknownName(`mutant of ${sample.name}`, mutant, mutants);
    return make;
  };
  return {
    name: sample.name,
    title,
    claims: sample.claims,
    mutants,
    flaws,
    options: known,
    notes: parts.notes ?? {},
    ...(parts.drawn ? { drawn: parts.drawn } : {}),
    ...(parts.change ? { change: parts.change } : {}),
    ...variantsIn(sample.name, parts.variants, known),
    create({ options = {}, quorum, ...size }, mutant) {
      requireOptions(sample.name, known, options);
      const quorums = quorum === undefined ? {} : setByHand(sample.name, parts, quorum, size.n);
      const told = { ...options, ...size, ...quorums };
      return erased(mutant === undefined ? right(told) : makerOf(mutant)(told));
    },
    exhibit(mutant) {
      const make = makerOf(mutant);
      const exhibit = parts.exhibits?.[mutant];
      if (exhibit === undefined) return undefined;
      // Where a schedule leaves out f, its makers know how many faults their group survives.
      const told = exhibit.options as ProtocolSize;
      return {
        exhibit: exhibit as unknown as Exhibit<LogShape>,
        right: erased(right(told)),
        wrong: erased(make(told)),
      };
    },
  };
}

/** What a maker is told of quorums set by hand. Throws a ScenarioError if it takes none. */
function setByHand<S extends LogShape>(
  name: string,
  { byHand }: EntryParts<S>,
  quorum: number,
  n: number,
): object {
  if (byHand === undefined)
    throw new ScenarioError('QL114', `the quorums of ${name} cannot be set by hand.`);
  if (!(Number.isSafeInteger(quorum) && quorum >= 1 && quorum <= n))
    throw new ScenarioError('QL102', `a quorum is ${quorum} of ${n} replicas; give 1 to ${n}.`);
  return { ...byHand(quorum, n), unsafe: true };
}

const majorityOf = ({ length }: readonly ReplicaId[]): Quorums => {
  const majority = Math.floor(length / 2) + 1;
  return { kind: 'simple', q1: majority, q2: majority };
};

const any = (quorum: number, n: number): Threshold => threshold(range(n), quorum);

/** The options as the constructor takes them: their kinds were checked by their names. */
const hotstuffOptions = (options: ProtocolSize): HotStuffOptions => ({
  ...(options as Partial<HotStuffOptions> & ProtocolSize),
  digest: digestOf,
});

const multiPaxosOptions = {
  alpha: 'number',
  pipeline: 'number',
  electionTimeout: 'number',
  heartbeat: 'number',
  snapshotEvery: 'number',
  keepSlots: 'number',
  maxCommandsPerSlot: 'number',
  maxWaiting: 'number',
} as const;

const drawnFor = (name: string): { readonly drawn?: DrawOptions } => {
  const drawn = drawnOptions[name];
  return drawn === undefined ? {} : { drawn };
};

const entries: readonly ProtocolEntry[] = [
  protocolEntry({
    title: 'Basic Paxos: one decision by majorities; a log of one slot, survives crashes.',
    right: (options) => basicPaxos(options),
    mutants: basicPaxosMutants,
    flaws: basicPaxosFlaws,
    exhibits: basicPaxosExhibits,
    ...drawnFor('basic-paxos'),
    options: { retry: 'number', maxRetry: 'number' },
    notes: optionNotes['basic-paxos'],
    byHand: (quorum, n) => ({ quorums: { phase1: any(quorum, n), phase2: any(quorum, n) } }),
  }),
  protocolEntry({
    title: 'Multi-Paxos: a leader, and one phase 1 for the whole log; survives crashes.',
    right: (options) => multiPaxos(options),
    mutants: multiPaxosMutants,
    flaws: multiPaxosFlaws,
    exhibits: multiPaxosExhibits,
    ...drawnFor('multi-paxos'),
    change: (members) => encodeChange(members),
    options: multiPaxosOptions,
    notes: optionNotes['multi-paxos'],
    byHand: (quorum) => ({
      quorums: (members: readonly ReplicaId[]) => ({
        phase1: threshold(members, quorum),
        phase2: threshold(members, quorum),
      }),
    }),
  }),
  protocolEntry({
    title: 'Flexible Paxos: Multi-Paxos with any two quorum systems that meet; survives crashes.',
    right: (options) => flexiblePaxos(options),
    mutants: flexiblePaxosMutants,
    flaws: flexiblePaxosFlaws,
    exhibits: flexiblePaxosExhibits,
    ...drawnFor('flexible-paxos'),
    change: (members) => encodeQuorumChange(members, majorityOf(members)),
    options: { ...multiPaxosOptions, q1: 'number', q2: 'number', grid: 'text', weights: 'text' },
    notes: optionNotes['flexible-paxos'],
    byHand: (quorum) => ({ q1: quorum, q2: quorum }),
  }),
  protocolEntry({
    title: 'Raft: a leader and majorities; survives crashes, trusts every word of its members.',
    right: (options) => raft(options),
    mutants: raftMutants,
    flaws: raftFlaws,
    exhibits: raftExhibits,
    ...drawnFor('raft'),
    options: {
      electionTimeout: 'number',
      heartbeat: 'number',
      preVote: 'boolean',
      checkQuorum: 'boolean',
      snapshotEvery: 'number',
      keepEntries: 'number',
      maxEntriesPerAppend: 'number',
      maxInFlight: 'number',
      maxUncommitted: 'number',
    },
    notes: optionNotes.raft,
    byHand: (quorum, n) => ({ quorum: any(quorum, n) }),
  }),
  protocolEntry({
    title: 'PBFT: three phases and certificates; survives f liars among 3f+1.',
    right: (options) => pbft({ ...options, digest: digestOf }),
    flaws: pbftFlaws,
    exhibits: pbftExhibits,
    ...drawnFor('pbft'),
    mutants: Object.fromEntries(
      Object.entries(pbftMutants).map(([name, make]) => [
        name,
        (options: ProtocolSize) => make({ ...options, digest: digestOf }),
      ]),
    ),
    options: {
      requestTimeout: 'number',
      checkpointEvery: 'number',
      window: 'number',
      windowBytes: 'number',
      maxBatch: 'number',
      maxOutstanding: 'number',
    },
    notes: optionNotes.pbft,
    byHand: (quorum) => ({ quorum }),
  }),
  protocolEntry({
    title:
      'HotStuff: certificates through the leader, n messages a step; survives f liars among 3f+1.',
    right: (options) => hotstuff(hotstuffOptions(options)),
    flaws: hotstuffFlaws,
    exhibits: hotstuffExhibits,
    ...drawnFor('hotstuff'),
    mutants: Object.fromEntries(
      Object.entries(hotstuffMutants).map(([name, make]) => [
        name,
        (options: ProtocolSize) => make(hotstuffOptions(options)),
      ]),
    ),
    options: {
      rules: rulesNames,
      leaders: ['sticky', 'round-robin'],
      reign: 'number',
      requestTimeout: 'number',
      delta: 'number',
      checkpointEvery: 'number',
      window: 'number',
      windowBytes: 'number',
      maxBatch: 'number',
    },
    notes: optionNotes.hotstuff,
    variants: 'rules',
    byHand: (quorum) => ({ quorum }),
  }),
];

/** All protocols, crash-fault ones first. */
export const protocols: readonly ProtocolEntry[] = entries;

/** The protocol called `name`; throws a ScenarioError with near names if there is none. */
export function protocolOf(name: string): ProtocolEntry {
  const found = entries.find((each) => each.name === name);
  if (found === undefined)
    throw unknownName(
      'protocol',
      name,
      entries.map((each) => each.name),
    );
  return found;
}

/** How many faulty members n replicas survive by the protocol's claim. */
export function toleratedBy(claims: Claims, n: number): number {
  let f = 0;
  while (claims.replicas(f + 1) <= n) f++;
  return f;
}

/** Throws a ScenarioError (QL104) unless n replicas are enough for f faults. */
export function requireSize({ name, claims }: ProtocolEntry, n: number, f: number): void {
  const need = claims.replicas(f);
  if (n >= need) return;
  const formula = claims.faults === 'crash' ? '2f+1' : '3f+1';
  const whom = claims.faults === 'crash' ? 'crashes' : 'traitors';
  throw new ScenarioError(
    'QL104',
    `${name} needs n ≥ ${formula}, so n=${n} tolerates ${toleratedBy(claims, n)} ${whom}, ` +
      `not ${f}.\n` +
      `  use   -n ${need}\n  or    --unsafe-n   to see what breaks\n` +
      `  or    quorumlab quorums ${name} -n ${n} -f ${f}   to see why`,
  );
}
