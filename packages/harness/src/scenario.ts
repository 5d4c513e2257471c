/** What a run is: plain data, the same in a file, a link, a trace header and a test. */
import type { OptionValues } from '@quorumlab/core';
import type { SessionCaps } from '@quorumlab/log';
import type { CopyChange, DiskModel, LostCopy } from '@quorumlab/sim';
import type { Reads } from './read-words.ts';

/** A cut, a crash or another event of the world, at a time in microseconds. */
export type ScenarioFault =
  | {
      readonly type: 'pause' | 'resume';
      readonly at: number;
      readonly node: number | 'leader';
    }
  /**
   * At once, or within a step: the node passes `boundary` more places at which a crash makes a
   * difference (before and after each write, before each message), and is gone at the next one.
   * With `before` only those before messages of that kind count.
   */
  | {
      readonly type: 'crash';
      readonly at: number;
      readonly node: number | 'leader';
      readonly boundary?: number;
      readonly before?: string;
    }
  /**
   * Restarts what was crashed with what it had synced (unless told), nothing, or its backup; with
   * 'lost' it finds nothing too, but is told so and rejoins.
   */
  | {
      readonly type: 'restart';
      readonly at: number;
      readonly node: number | 'leader';
      readonly disk?: 'synced' | 'nothing' | 'backup' | 'lost';
    }
  /** Every timer that the node has set fires at once, as if it had waited long enough. */
  | { readonly type: 'timeout'; readonly at: number; readonly node: number }
  /** Copies a node's disk, for a later restart from a stale backup. */
  | { readonly type: 'backup'; readonly at: number; readonly node: number }
  /** Only nodes of one group reach each other. Replaces earlier splits and cuts. */
  | { readonly type: 'split'; readonly at: number; readonly groups: readonly (readonly number[])[] }
  /** One way: nothing gets from `from` to `to`; of `kinds` only, if given. Adds to earlier cuts. */
  | {
      readonly type: 'cut';
      readonly at: number;
      readonly from: readonly number[];
      readonly to: readonly number[];
      readonly kinds?: readonly string[];
    }
  /** Ends all splits and cuts. */
  | { readonly type: 'heal'; readonly at: number }
  /**
   * Sets a node's wall clock ahead by `by` microseconds, until it is synchronised; from now on it
   * drifts, and its time source is ahead of true time by `source` microseconds.
   */
  | {
      readonly type: 'skew';
      readonly at: number;
      readonly node: number;
      readonly by?: number;
      readonly driftPerBillion?: number;
      readonly source?: number;
    }
  /** Replaces how a node's disk behaves: slow, torn, full, failing, lying; what is on it stays. */
  | { readonly type: 'disk'; readonly at: number; readonly node: number; readonly disk: DiskModel };

/** A change of the group that somebody asks for at `at`. */
export interface MembershipChange {
  readonly at: number;
  /** Who is to be in it from then on, by their indices. */
  readonly members: readonly number[];
  /** In place of members: who is to lead, if the protocol lets somebody say so. */
  readonly leader?: number;
}

/** Everything that a run depends on. Two equal scenarios give the same trace, byte for byte. */
export interface Scenario {
  readonly schema: 'quorumlab.scenario/1';
  /** A registered protocol's name. */
  readonly protocol: string;
  /** A named wrong rule of that protocol, or none. */
  readonly mutant?: string;
  readonly n: number;
  readonly f: number;
  /** Run it although n is too small for f. */
  readonly unsafe?: boolean;
  /** So many replicas are a quorum, safe or not; as many as the protocol says unless told. */
  readonly quorum?: number;
  /** What reads promise; as the protocol's own options say, or 'quorum', unless told. */
  readonly reads?: Reads;
  /** What the protocol is told besides its size, by the names of its own options. */
  readonly options?: OptionValues;
  /** A network preset: lan, wan, lossy, psync. */
  readonly network: string;
  /** Clock errors: 'perfect', 'truetime' or e.g. 'offset=5ms,drift=100ppm,epsilon=7ms'. */
  readonly clocks: string;
  /** A registered attack's name; 'none' for an honest run. */
  readonly attack: string;
  /** Who is faulty: the traitors of an attack, or whom a crash strikes. */
  readonly by: readonly number[];
  readonly faults: readonly ScenarioFault[];
  /** What happens to single copies of messages besides: lost, twice, or at another time. */
  readonly copies?: readonly CopyChange[];
  /** A workload preset (contest, a, b, c, f), a registered workload's name, or 'file'. */
  readonly workload: string;
  /** Operations in all. */
  readonly count: number;
  readonly clients: number;
  /** Operations that one client has under way at once. */
  readonly outstanding: number;
  /**
   * The clients are processes of so many principals, each process with a session of its own. Each
   * is one of its own unless told.
   */
  readonly principals?: number;
  /** What a further client asks for, if the protocol can change its group. */
  readonly changes?: readonly MembershipChange[];
  /** Where the group closes sessions and forgets clients; as the service has it unless told. */
  readonly sessionCaps?: SessionCaps;
  /** About how many bytes of a snapshot a step works on; as the service has it unless told. */
  readonly stepBytes?: number;
  /** The lines of the file, if `workload` is 'file'. */
  readonly commands?: readonly string[];
  /** Where they were read from, for the command line that runs it again; a run never looks. */
  readonly commandsFrom?: string;
  /** Virtual microseconds after which the run ends. */
  readonly until: number;
  /** Events of the simulator after which the run ends; 20,000,000 unless told. */
  readonly events?: number;
  /** How messages are signed: 'ideal' (unforgeable by construction) or 'ed25519'. */
  readonly crypto: 'ideal' | 'ed25519';
  readonly seed: string;
  /** A run told choice by choice: what shrinking a counterexample makes. It ends at a violation. */
  readonly script?: Script;
}

/** The choices of a run, instead of those that its seed would draw. */
export interface Script {
  /** In the order in which they are asked for; what is missing is 0, always the kindest choice. */
  readonly choices: readonly number[];
  /** Copies of messages that get lost besides: the nth from one seat to another, or all of them. */
  readonly lost: readonly LostCopy[];
}

/** Something in a scenario or a flag is wrong; the sentence says what to do. Exit code 254. */
export class ScenarioError extends Error {
  override readonly name: string = 'ScenarioError';
  /** A stable code for documentation and scripts, e.g. QL104. */
  readonly code: string;
  constructor(code: string, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/** Microseconds of '20ms', '1.5s' or '300us'; throws a ScenarioError for anything else. */
export function microseconds(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(us|ms|s|m)$/.exec(text);
  if (found === null)
    throw new ScenarioError(
      'QL105',
      `"${text}" is not a time; write e.g. 300us, 20ms, 1.5s or 2m.`,
    );
  const unit = { us: 1, ms: 1000, s: 1_000_000, m: 60_000_000 }[found[2] as 'us'];
  const value = Math.round(Number(found[1]) * unit);
  // Integers in messages end there, and it is nine years.
  if (value < 2 ** 48) return value;
  throw new ScenarioError('QL105', `"${text}" is too long a time; use at most 100000000s.`);
}

/** The names nearest to `wrong` by edit distance, at most two and none that is far off. */
export function nearest(wrong: string, names: readonly string[]): readonly string[] {
  // Of three letters, two that differ are no likeness.
  const cap = Math.max(wrong.length > 3 ? 2 : 1, Math.floor(wrong.length / 2));
  return names
    .map((name) => ({ name, far: distance(wrong.toLowerCase(), name) }))
    .filter(({ name, far }) => far <= cap || name.includes(wrong.toLowerCase()))
    .sort((one, two) => one.far - two.far)
    .slice(0, 2)
    .map(({ name }) => name);
}

/** A {@link ScenarioError} for a name that nobody has. */
export function unknownName(what: string, wrong: string, names: readonly string[]): ScenarioError {
  const close = nearest(wrong, names);
  const hint =
    close.length > 0 ? `Did you mean ${close.join(' or ')}?` : `There are: ${names.join(', ')}.`;
  return new ScenarioError('QL101', `There is no ${what} "${wrong}". ${hint}`);
}

/**
 * Throws a ScenarioError (QL117) unless a further thing of its kind can be called `name`: nothing
 * is called so, and a shell and a file system take it as it is.
 */
export function requireNewName(what: string, name: string, names: readonly string[]): void {
  if (!/^[a-z][\w+-]{0,63}$/i.test(name))
    throw new ScenarioError(
      'QL117',
      `"${name}" is no name for ${what}s; use up to 64 letters, digits and hyphens, e.g. my-own.`,
    );
  if (names.includes(name))
    throw new ScenarioError(
      'QL117',
      `There is a${/^[aeiou]/.test(what) ? 'n' : ''} ${what} "${name}" already; give yours ` +
        'another name.',
    );
}

/** Levenshtein's distance, row by row. */
function distance(one: string, two: string): number {
  let row = Array.from({ length: two.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= two.length; j++) {
      const same = one[i - 1] === two[j - 1] ? 0 : 1;
      next.push(
        Math.min(
          (row[j] as number) + 1,
          (next[j - 1] as number) + 1,
          (row[j - 1] as number) + same,
        ),
      );
    }
    row = next;
  }
  return row[two.length] as number;
}
