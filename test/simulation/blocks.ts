import {
  addReached,
  failureOf,
  isRare,
  protocols,
  type Reached,
  subjectsOf,
} from '@quorumlab/harness';

/** Worlds of one protocol or rule set, from the seed `from` to the seed `to`. */
export interface Block {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Whether the rare worlds alone are run. */
  readonly rare?: boolean;
}

/** What a block's worlds have shown. */
export interface Found {
  readonly seeds: number;
  readonly events: number;
  readonly reached: Reached;
  /** The digest of each run, behind its seed. */
  readonly digests: readonly (readonly [seed: number, digest: string])[];
  /** One sentence each, with the command that runs the world again. */
  readonly failures: readonly string[];
}

/** Runs a block: a pure function of it, so that any thread may. */
export function failuresOf({ name, from, to, rare = false }: Block): Found {
  const subject = protocols.flatMap((each) => subjectsOf(each.name)).find((s) => s.name === name);
  if (subject === undefined) throw new Error(`there is no ${name}`);
  const failures: string[] = [];
  let events = 0;
  let reached: Reached = {};
  const digests: [number, string][] = [];
  for (let seed = from; seed <= to; seed++) {
    if (rare && !isRare(seed)) continue;
    const failure = failureOf(
      subject,
      seed,
      (result) => {
        events += result.events;
        reached = addReached(reached, result.reached);
        digests.push([seed, result.digest]);
      },
      () => `npm run simulate -- --protocol ${name} --seed ${seed}`,
    );
    if (failure !== undefined) failures.push(failure);
  }
  return { seeds: to - from + 1, events, reached, digests, failures };
}
