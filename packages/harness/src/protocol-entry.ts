import type {
  Claims,
  CommonEntry,
  Entry,
  EntryOption,
  EntrySize,
  Exhibit,
  Flaw,
  OptionKind,
  OptionValues,
  Protocol,
  Request,
} from '@quorumlab/core';
import { anyProtocol, type LogShape } from '@quorumlab/log';
import { requireOptions, type Variants, variantsIn } from './options.ts';
import { ScenarioError, unknownName } from './scenario.ts';
import { simulatedDigest } from './simulated-digest.ts';

/** What every protocol can be told, besides what is its own. */
export interface ProtocolSize extends Omit<EntrySize, 'digest'> {
  /** The protocol's own options by name: see {@link ProtocolEntry.options}. */
  readonly options?: OptionValues;
}

/** A size with quorums that are set by hand, for experiments: see {@link Entry.byHand}. */
export interface HandSetSize extends ProtocolSize {
  /** So many replicas are a quorum, safe or not. As many as the protocol says unless told. */
  readonly quorum?: number;
}

/** What people need to know of an option. */
export type OptionNote = Omit<EntryOption, 'kind'>;

/** A protocol that scenarios can name. */
export interface ProtocolEntry extends CommonEntry {
  readonly name: string;
  readonly claims: Claims;
  /** Whether it rests on trusted counters: `Protocol.numbered`. */
  readonly isCounted: boolean;
  /** Names of its wrong variants. */
  readonly mutants: readonly string[];
  /** What is wrong with each of them, by its name. */
  readonly flaws: Readonly<Record<string, Flaw>>;
  /** The options of its own that a scenario may set. */
  readonly options: Readonly<Record<string, OptionKind>>;
  /** What these are, and what they are unless told. */
  readonly notes: Readonly<Record<string, OptionNote>>;
  /** See {@link Variants}; absent: there is one rule set. */
  readonly variants?: Variants;
  /** See {@link Entry.commits}. */
  readonly commits?: (message: LogShape['Message']) => readonly Request[];
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

/**
 * Makes an entry of a protocol, yours for example, so that scenarios and suites can run it.
 *
 * @example
 * ```ts
 * import { completeScenario, protocolEntry, runScenario } from '@quorumlab/harness';
 * import { raft } from '@quorumlab/raft';
 *
 * const entry = protocolEntry({
 *   title: 'Raft that takes a snapshot after every tenth entry.',
 *   right: (size) => raft({ ...size, snapshotEvery: 10 }),
 * });
 * console.log(runScenario(completeScenario({ protocol: 'raft', n: 3 }), { entry }).word); // ok
 * ```
 */
export function protocolEntry<S extends LogShape>(parts: Entry<S>): ProtocolEntry {
  const { right, mutants: wrong = {}, flaws = {}, exhibits = {}, ...more } = parts;
  const { options: own = {}, variants, byHand, commits, ...common } = more;
  const [known, notes] = kindsAndNotes(own);
  const sample = sampleOf(right);
  const mutants = Object.keys(wrong);
  const makerOf = (mutant: string): ((size: EntrySize) => Protocol<S>) => {
    const make = Object.hasOwn(wrong, mutant) ? wrong[mutant] : undefined;
    if (make === undefined) throw unknownName(`mutant of ${sample.name}`, mutant, mutants);
    return make;
  };
  return {
    ...common,
    name: sample.name,
    claims: sample.claims,
    isCounted: sample.numbered !== undefined,
    mutants,
    flaws,
    options: known,
    notes,
    ...variantsIn(sample.name, variants, known),
    ...(commits ? { commits: (message) => commits(message as S['Message']) } : {}),
    create({ options = {}, quorum, ...size }, mutant) {
      requireOptions(sample.name, known, options);
      const quorums = quorum === undefined ? {} : setByHand(sample.name, byHand, quorum, size.n);
      const told = { ...options, ...size, digest: simulatedDigest, ...quorums };
      return anyProtocol(mutant === undefined ? right(told) : makerOf(mutant)(told));
    },
    exhibit(mutant) {
      const make = makerOf(mutant);
      const exhibit = exhibits[mutant];
      if (exhibit === undefined) return undefined;
      // Where a schedule leaves out f, its makers know how many faults their group survives.
      const told = { ...exhibit.options, digest: simulatedDigest } as EntrySize;
      return {
        exhibit: exhibit as unknown as Exhibit<LogShape>,
        right: anyProtocol(right(told)),
        wrong: anyProtocol(make(told)),
      };
    },
  };
}

/** Sizes in which a protocol is made to see what it is: one of them is enough for one fault. */
const sampleSizes = [4, 6, 7, 8, 11, 16];

/** The protocol for one fault. Throws what its maker throws of four replicas if no size will do. */
function sampleOf<S extends LogShape>(right: Entry<S>['right']): Protocol<S> {
  let first: unknown;
  for (const n of sampleSizes)
    try {
      return right({ n, f: 1, digest: simulatedDigest });
    } catch (error) {
      first ??= error;
    }
  throw first;
}

/** What a maker is told of quorums set by hand. Throws a ScenarioError if it takes none. */
function setByHand(
  name: string,
  byHand: Entry<LogShape>['byHand'],
  quorum: number,
  n: number,
): object {
  if (byHand === undefined)
    throw new ScenarioError('QL114', `the quorums of ${name} cannot be set by hand.`);
  if (!(Number.isSafeInteger(quorum) && quorum >= 1 && quorum <= n))
    throw new ScenarioError('QL102', `a quorum is ${quorum} of ${n} replicas; give 1 to ${n}.`);
  return { ...byHand(quorum, n), unsafe: true };
}

/** What each option takes, and what people are told of it. */
function kindsAndNotes(
  options: Readonly<Record<string, OptionKind | EntryOption>>,
): [kinds: Record<string, OptionKind>, notes: Record<string, OptionNote>] {
  const kinds: Record<string, OptionKind> = {};
  const notes: Record<string, OptionNote> = {};
  for (const [name, option] of Object.entries(options))
    if (typeof option === 'object' && 'kind' in option) {
      const { kind, ...note } = option;
      kinds[name] = kind;
      notes[name] = note;
    } else kinds[name] = option;
  return [kinds, notes];
}
