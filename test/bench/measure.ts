/** How the benchmark measures: warm-up, rounds taking turns, medians, memory collected between. */

/** One measured thing beside its limit. */
export interface Row {
  /** Which part of the benchmark it belongs to. */
  readonly part: string;
  readonly name: string;
  /** The median of all rounds. */
  readonly value: number;
  readonly unit: string;
  /** The physical or bare-metal bound, measured in the same run, in turns, in the same unit. */
  readonly limit?: { readonly name: string; readonly value: number };
  /** What the design asks for, and whether more or less of the unit is better. */
  readonly target?: { readonly value: number; readonly better: 'more' | 'less' };
  /** What a reader must know to compare this row with anything. */
  readonly note?: string;
  /** What else is printed beside it. */
  readonly more?: string;
  /** Goals by name, and whether each is met. */
  readonly verdicts?: Readonly<Record<string, boolean>>;
}

/** What a part is told. */
export interface Settings {
  /** Fewer rounds and smaller ones: about 40 seconds in all, and noisier. */
  readonly quick: boolean;
  /** Of the hostile rows only those of this kind of message. */
  readonly kind?: string;
  /** Of the hostile rows only those of this attacker. */
  readonly by?: string;
  /** How the messages of the hostile rows are wrong: all ways in turns unless told. */
  readonly variant?: string;
}

/** One part of the benchmark; runs in a process of its own. */
export type Part = (settings: Settings) => Promise<readonly Row[]>;

/** The middle one of `values`, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, two) => one - two);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The value below which a share of `values` lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Collects garbage, if the process was started with `--expose-gc`. */
export const collect = (): void => void globalThis.gc?.();

type Work = () => number | Promise<number>;

/**
 * Runs all of `works` once to warm up and then `rounds` times in turns, so that a noisy moment of
 * the machine strikes all of them; the median of each.
 */
export async function inTurns<K extends string>(
  rounds: number,
  works: Readonly<Record<K, Work>>,
): Promise<Record<K, number>> {
  const names = Object.keys(works) as K[];
  const found = new Map<K, number[]>(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++)
    for (const name of names) {
      collect();
      const value = await works[name]();
      if (round >= 0) found.get(name)?.push(value);
    }
  return Object.fromEntries(names.map((name) => [name, median(found.get(name) ?? [])])) as Record<
    K,
    number
  >;
}

/**
 * How often per second of this process's CPU time `work` runs, tried for `seconds`. CPU time of
 * all threads, the collector's and the compiler's included: it stands still while others run.
 */
export function cpuRate(seconds: number, work: () => void, batch = 256): number {
  const began = process.cpuUsage();
  for (let count = 0; ; ) {
    for (let i = 0; i < batch; i++) work();
    count += batch;
    const spent = cpuSince(began);
    if (spent >= seconds) return count / spent;
  }
}

/** Seconds of CPU time of this process since `began`. */
export function cpuSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
}

/** Keeps results alive, so that no compiler removes what made them. */
export const sink: { value: unknown } = { value: undefined };
