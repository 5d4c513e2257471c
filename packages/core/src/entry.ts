/**
 * What a protocol tells laboratories of itself: how it is made, what it can be told, and what is
 * known to break it. Each protocol package has one; what runs protocols knows none by name.
 */
import type { Flaw } from './flaw.ts';
import type { Protocol, Shape } from './protocol.ts';
import type { DigestOf } from './replica.ts';
import type { Request } from './request.ts';
import type { Random } from './schema.ts';
import type { Exhibit } from './stage.ts';
import { ms, type ReplicaId } from './vocabulary.ts';

/** What every protocol can be told, besides what is its own. */
export interface EntrySize {
  readonly n: number;
  readonly f: number;
  /** How many numbers there are for replicas that come later too; n unless told. */
  readonly seats?: number;
  /** Allows an n that is too small for f. */
  readonly unsafe?: boolean;
  /** What names batches and states; protocols for crash faults need none. */
  readonly digest: DigestOf;
}

/**
 * What an option takes: a whole number (times are in microseconds), true or false, a text that the
 * protocol itself reads, or one of some words.
 */
export type OptionKind = 'number' | 'boolean' | 'text' | readonly string[];

/** An option of a protocol's own. */
export interface EntryOption {
  readonly kind: OptionKind;
  /** Its value unless told, as people write it; absent where that follows from the group. */
  readonly usual?: string;
  /** What it is, and in what it is counted. */
  readonly meaning: string;
}

/** Values of a protocol's own options by name; times are in microseconds. */
export type OptionValues = Readonly<Record<string, number | boolean | string>>;

/** The group for which options are drawn. */
export interface DrawnGroup {
  readonly n: number;
  readonly f: number;
  readonly told: OptionValues;
  /** The world is a rare one: all limits at their smallest, so that they are met all the time. */
  readonly narrow?: boolean;
}

/**
 * Draws options of a protocol's own for one world of a swarm: small windows, short timeouts,
 * snapshots after every few slots. Whatever it draws must be allowed on that network.
 */
export type DrawOptions = (random: Random, network: string, group: DrawnGroup) => OptionValues;

/** What a server is to its group: it votes, it gets the log without a vote, or neither. */
export type Membership = 'voter' | 'learner' | 'none';

/** What a protocol tells of itself that everybody takes as it is, whatever its shape. */
export interface CommonEntry {
  /** One sentence for people: what it is, and what it survives. */
  readonly title: string;
  /** Draws options of its own for random worlds. Absent: all have the usual ones. */
  readonly drawn?: DrawOptions;
  /**
   * In random worlds: how many times the time of others it has, once everything works again, to
   * answer all that clients wait for. 1 unless told.
   */
  readonly patience?: number;
  /** Options with which a few commands make snapshots. Absent: it makes none. */
  readonly small?: OptionValues;
  /** What a client submits so that these are the group. Absent: it cannot be changed. */
  readonly change?: (members: readonly ReplicaId[]) => Uint8Array;
  /**
   * What a client submits so that `server` becomes that, and all others stay as they are; `joint`:
   * through both groups, whatever the protocol would do. Absent: there is no such change.
   */
  readonly member?: (server: ReplicaId, becomes: Membership, joint?: boolean) => Uint8Array;
  /**
   * What a client submits so that a server that was not made with the group becomes a learner, and
   * all hosts know of it what `about` says. Its makers take `seats`: how many numbers there are.
   * Absent: nobody comes later.
   */
  readonly seat?: (server: ReplicaId, about: Uint8Array) => Uint8Array;
  /** What a client submits so that this one leads. Absent: nobody can say who leads. */
  readonly transfer?: (to: ReplicaId) => Uint8Array;
}

/** What a protocol tells of itself. */
export interface Entry<S extends Shape> extends CommonEntry {
  /** The protocol as it should be; options of its own stand beside n and f. */
  readonly right: (size: EntrySize) => Protocol<S>;
  /** Wrong variants by name, to prove that tests test. */
  readonly mutants?: Readonly<Record<string, (size: EntrySize) => Protocol<S>>>;
  /** What is wrong with each, for people. */
  readonly flaws?: Readonly<Record<string, Flaw>>;
  /** Schedules that expose them: the right protocol survives each. */
  readonly exhibits?: Readonly<Record<string, Exhibit<S>>>;
  /**
   * The options of its own that may be set by name; the makers get them beside n and f. Of an
   * option that is its kind alone, people are told no more.
   */
  readonly options?: Readonly<Record<string, OptionKind | EntryOption>>;
  /** The option, one of words, whose values are rule sets: all of them are attacked. */
  readonly variants?: string;
  /**
   * What the makers are told beside `unsafe` if any `quorum` of n replicas are to be a quorum.
   * Absent: its quorums cannot be set by hand.
   */
  readonly byHand?: (quorum: number, n: number) => object;
  /**
   * The commands of which a replica that says this knows that they are committed. Absent: what is
   * committed is carried out at once, so there is no earlier moment to be seen.
   */
  readonly commits?: (message: S['Message']) => readonly Request[];
}

/** Options of protocols that elect a leader when they hear none, as their entries declare them. */
export const electionOptions: Readonly<Record<'electionTimeout' | 'heartbeat', EntryOption>> = {
  electionTimeout: {
    kind: 'number',
    usual: '300ms',
    meaning: 'time; each one is drawn from this to twice this',
  },
  heartbeat: {
    kind: 'number',
    usual: '30ms',
    meaning: 'time between two; a tenth of electionTimeout unless told',
  },
};

/** The option of protocols that ask for snapshots by slots. */
export const snapshotOption: Readonly<Record<'snapshotEvery', EntryOption>> = {
  snapshotEvery: {
    kind: 'number',
    usual: '10000',
    meaning: 'slots between two snapshots; 0: none',
  },
};

/** One of `choices`. */
export const drawOne = <T>(random: Random, choices: readonly T[]): T =>
  choices[random.below(choices.length)] as T;

/** A number from `least` to `most`, both included. */
export const drawBetween = (random: Random, least: number, most: number): number =>
  least + random.below(most - least + 1);

/**
 * How long to wait for a leader, in microseconds. Where messages are quick it may be short: then
 * leaders come and go many times.
 */
export const drawTimeout = (random: Random, network: string): number =>
  ['lan', 'lossy'].includes(network) ? ms(drawOne(random, [15, 60, 300])) : ms(300);
