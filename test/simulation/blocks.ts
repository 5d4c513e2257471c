import { failureOf, protocols, subjectsOf } from '@quorumlab/harness';

/** Worlds of one protocol or rule set, from the seed `from` to the seed `to`. */
export interface Block {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** What a block's worlds have shown. */
export interface Found {
  readonly seeds: number;
  readonly events: number;
  /** One sentence each, with the command that runs the world again. */
  readonly failures: readonly string[];
}

/** Runs a block: a pure function of it, so that any thread may. */
export function failuresOf({ name, from, to }: Block): Found {
  const subject = protocols.flatMap((each) => subjectsOf(each.name)).find((s) => s.name === name);
  if (subject === undefined) throw new Error(`there is no ${name}`);
  const failures: string[] = [];
  let events = 0;
  for (let seed = from; seed <= to; seed++) {
    const failure = failureOf(
      subject,
      seed,
      (result) => void (events += result.events),
      () => `npm run simulate -- --protocol ${name} --seed ${seed}`,
    );
    if (failure !== undefined) failures.push(failure);
  }
  return { seeds: to - from + 1, events, failures };
}
