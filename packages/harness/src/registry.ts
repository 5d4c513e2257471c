import type { Claims, Protocol } from '@quorumlab/core';
import type { LogShape } from '@quorumlab/log';
import { pbft } from '@quorumlab/pbft';
import { mutant as pbftMutant, mutants as pbftMutants } from '@quorumlab/pbft/mutants';
import { raft } from '@quorumlab/raft';
import { mutants as raftMutants } from '@quorumlab/raft/mutants';
import { digestOf } from '@quorumlab/wire';
import { ScenarioError, unknownName } from './scenario.ts';

/** What every protocol can be told, besides what is its own. */
export interface ProtocolSize {
  readonly n: number;
  readonly f: number;
  /** Allows an n that is too small for f. */
  readonly unsafe?: boolean;
}

/** A protocol that scenarios can name. */
export interface ProtocolEntry {
  readonly name: string;
  /** One sentence for people. */
  readonly title: string;
  readonly claims: Claims;
  /** Names of its wrong variants. */
  readonly mutants: readonly string[];
  /** The protocol for a group, or its wrong variant `mutant`. */
  create(size: ProtocolSize, mutant?: string): Protocol<LogShape>;
}

type Maker = (size: ProtocolSize) => Protocol<LogShape>;

function entry(title: string, right: Maker, wrong: Readonly<Record<string, Maker>>): ProtocolEntry {
  const sample = right({ n: 4, f: 1 });
  const mutants = Object.keys(wrong);
  return {
    name: sample.name,
    title,
    claims: sample.claims,
    mutants,
    create(size, mutant) {
      if (mutant === undefined) return right(size);
      const make = wrong[mutant];
      if (make === undefined) throw unknownName(`mutant of ${sample.name}`, mutant, mutants);
      return make(size);
    },
  };
}

// Hosts treat messages, commands and state of a protocol as values of its own codecs only, so the
// registry may forget which protocol a shape belongs to.
const erase = <P>(make: (options: ProtocolSize) => P): Maker => make as unknown as Maker;

const eraseAll = <P>(
  names: readonly string[],
  make: (name: string, options: ProtocolSize) => P,
): Readonly<Record<string, Maker>> =>
  Object.fromEntries(names.map((name) => [name, erase((options) => make(name, options))]));

const entries: readonly ProtocolEntry[] = [
  entry(
    'Raft: a leader and majorities; survives crashes, trusts every word of its members.',
    erase(raft),
    eraseAll(Object.keys(raftMutants), (name, options) =>
      (raftMutants[name] as (typeof raftMutants)[string])(options),
    ),
  ),
  entry(
    'PBFT: three phases and certificates; survives f liars among 3f+1.',
    erase((size) => pbft({ ...size, digest: digestOf })),
    eraseAll(pbftMutants, (name, options) =>
      pbftMutant(name as (typeof pbftMutants)[number], { ...options, digest: digestOf }),
    ),
  ),
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
    `${name} needs n ≥ ${formula}, so n=${n} tolerates ${toleratedBy(claims, n)} ${whom}, not ${f}.\n` +
      `  use   -n ${need}\n  or    --unsafe-n   to see what breaks`,
  );
}
