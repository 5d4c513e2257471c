/**
 * Runs each test once without a mutant and then once with every mutant that it reaches and that no
 * test has noticed yet. All mutants are in the code at once, each behind a switch, so nothing is
 * loaded again: a mutant costs what the tests cost that run it, which are milliseconds.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import fc from 'fast-check';
import { type RunnerTestCase, TestRunner } from 'vitest';
import { findingsIn, versionOf } from './memory.ts';

/** The switches: Stryker's instrumenter has put calls into the code that read and write these. */
interface Switches {
  activeMutant?: string | undefined;
  readonly currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number;
  mutantCoverage?: {
    readonly static: Readonly<Record<string, number>>;
    readonly perTest: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
}

/** What is told about a mutant, a line each. */
export type Finding =
  | { readonly type: 'reached'; readonly ids: readonly string[] }
  | { readonly type: 'loaded'; readonly ids: readonly string[] }
  | { readonly type: 'killed'; readonly id: string; readonly test: string }
  /** The test met every mutant of these files that it reaches and that nothing had noticed. */
  | { readonly type: 'done'; readonly test: string; readonly files: readonly string[] }
  | {
      readonly type: 'passed-over';
      readonly test: string;
      readonly why: string;
      /** If it is slow: how long it took, in milliseconds. */
      readonly took?: number;
    };

/** What is mutated in this run. */
export interface Table {
  /** Names of the mutants by the keys of their switches. */
  readonly names: Readonly<Record<string, string>>;
  /** The files, as the names of their mutants begin. */
  readonly files: readonly string[];
}

const findings = process.env.QUORUMLAB_MUTATE_FINDINGS as string;
const { names, files } = JSON.parse(
  readFileSync(process.env.QUORUMLAB_MUTATE_TABLE as string, 'utf8'),
) as Table;
/** When no further mutant is begun, in milliseconds since 1970. */
const end = Number(process.env.QUORUMLAB_MUTATE_END);
/** A test that takes longer than this is not run for mutants, in milliseconds of the processor. */
const longestTest = Number(process.env.QUORUMLAB_MUTATE_LONGEST);
/** Whether a test that seldom notices a mutant leaves the rest of them to other tests. */
const onlyGood = process.env.QUORUMLAB_MUTATE_GOOD === '1';
/** Of how many mutants it must have met, and how many of those it must notice not to be seldom. */
const seldom = { met: 40, noticed: 1 / 20 };
/** After so many that it has noticed it is seen whether a test still passes without a mutant. */
const provedAtOnce = 16;
/** By so much the first run of a test may be slower than the next, whose code is compiled. */
const cold = 8;
/** A mutant whose test does not end is noticed too, after at least so many milliseconds. */
const leastPatience = 2000;
/** And after so many times what the test took without it: others use the machine, too. */
const patience = 50;
/** Looks at what a test waits for, each after so many milliseconds. */
const stillMs = 20;
/** After so many looks that find nothing it is believed that it waits for nothing. */
const stillTimes = 5;

// What breaks a property is not made smaller: nobody reads it here. And what a mutant breaks it
// mostly breaks in the first few runs: a fifth of the usual ones.
fc.configureGlobal({ endOnFailure: true, numRuns: 20 });

const global = globalThis as typeof globalThis & { __stryker__?: Switches };
const switches = (): Switches => (global.__stryker__ ??= {});

/** Which test runs without a mutant: then what it reaches is noted. */
let noted: string | undefined;
/** How often a switch was looked at in this run, and how often it may be. */
const looks = { count: 0, most: Number.POSITIVE_INFINITY };
// Each switch that is off asks for this: so a loop ends that a mutant outside makes endless.
Object.defineProperty(switches(), 'currentTestId', {
  configurable: true,
  get() {
    if (++looks.count > looks.most) throw new Error('the test does not end with this mutant');
    return noted;
  },
});

const tell = (finding: Finding): void => appendFileSync(findings, `${JSON.stringify(finding)}\n`);
const namesOf = (keys: Iterable<string>): string[] => [...keys].flatMap((key) => names[key] ?? []);

/** The file of a mutant, as the table has it. */
const fileOf = (name: string): string => name.slice(0, name.lastIndexOf('#'));

interface Before {
  /** Mutants that were noticed. */
  readonly killed: Set<string>;
  /** For each test the files whose mutants it has met. */
  readonly met: Map<string, Set<string>>;
  /** Tests that are too slow. */
  readonly slow: Set<string>;
}

function before(): Before {
  const found: Before = { killed: new Set(), met: new Map(), slow: new Set() };
  for (const finding of findingsIn(findings)) {
    if (finding.type === 'killed') found.killed.add(finding.id);
    if (finding.type === 'passed-over' && (finding.took ?? 0) > longestTest)
      found.slow.add(finding.test);
    if (finding.type !== 'done') continue;
    const met = found.met.get(finding.test) ?? new Set();
    found.met.set(finding.test, met);
    for (const file of finding.files) met.add(file);
  }
  return found;
}

/** Milliseconds of the processor. */
const cpuSince = (begin: NodeJS.CpuUsage): number => {
  const { user, system } = process.threadCpuUsage(begin);
  return (user + system) / 1000;
};

/** The same, so mixed that neighbours stand far apart: any beginning of it is like the whole. */
function spread<T>(all: readonly T[]): readonly T[] {
  const step = 7919;
  if (all.length % step === 0) return all;
  return all.map((_, i) => all[(i * step) % all.length] as T);
}

type Run = () => unknown;

/** What can still call this thread. */
const awaited = (): string => process.getActiveResourcesInfo().sort().join();

/** Whether `run`, which takes about so many milliseconds, fails or does not end. */
async function fails(run: Run, took: number): Promise<boolean> {
  const timers: NodeJS.Timeout[] = [];
  const late = new Promise<boolean>((resolve) => {
    timers.push(setTimeout(() => resolve(true), leastPatience + patience * took));
    // Where nothing is left that could call it, it waits for ever: nobody need wait with it.
    timers.push(setInterval(() => void (isStill() && resolve(true)), stillMs));
    const nothing = awaited();
    let stillFor = 0;
    const isStill = (): boolean => {
      stillFor = awaited() === nothing ? stillFor + 1 : 0;
      return stillFor > stillTimes;
    };
  });
  try {
    return await Promise.race([Promise.resolve(run()).then(() => false), late]);
  } catch {
    return true;
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

/** See the module's comment. Vitest makes one for each file of tests. */
export class MutantRunner extends TestRunner {
  readonly #before = before();

  async runTask(test: RunnerTestCase): Promise<void> {
    const run = TestRunner.getTestFn(test as never) as Run;
    const path = relative(process.cwd(), test.file.filepath);
    const name = `${path}@${versionOf(test.file.filepath)}: ${test.fullTestName}`;
    const { killed, met: metBefore, slow: tooSlow } = this.#before;
    const isMet = (file: string): boolean => metBefore.get(name)?.has(file) === true;
    if (tooSlow.has(name) || files.every(isMet)) return;
    const done = { type: 'done', test: name, files } as const;
    const state = switches();
    state.activeMutant = undefined;
    noted = test.id;
    looks.count = 0;
    looks.most = Number.POSITIVE_INFINITY;
    const begin = process.threadCpuUsage();
    try {
      await run();
    } finally {
      noted = undefined;
    }
    const most = 10 * looks.count + 1_000_000;
    const first = cpuSince(begin);
    const reached = state.mutantCoverage?.perTest[test.id] ?? {};
    tell({ type: 'reached', ids: namesOf(Object.keys(reached)) });
    const alive = Object.entries(reached).flatMap(([key, hits]) => {
      const id = names[key];
      return id === undefined || killed.has(id) || isMet(fileOf(id)) ? [] : [{ key, id, hits }];
    });
    if (alive.length === 0) return tell(done);
    const slow = { type: 'passed-over', test: name, why: 'slow' } as const;
    if (first > cold * longestTest) return tell({ ...slow, took: first });
    const again = process.threadCpuUsage();
    // What a run leaves behind must not be taken for a mutant.
    if (await fails(run, first))
      return tell({ type: 'passed-over', test: name, why: 'runs only once' });
    const took = cpuSince(again);
    if (took > longestTest) return tell({ ...slow, took });
    let met = 0;
    let noticedOf = 0;
    const spoilt = { type: 'passed-over', test: name, why: 'was spoilt' } as const;
    const unproved: string[] = [];
    /** Whether it still passes without a mutant: then what it has noticed was no leftover. */
    const prove = async (): Promise<boolean> => {
      if (unproved.length > 0 && (await fails(run, took))) return false;
      for (const id of unproved.splice(0)) {
        killed.add(id);
        tell({ type: 'killed', id, test: name });
      }
      return true;
    };
    for (const { key, id, hits } of spread(alive)) {
      const why =
        onlyGood && met >= seldom.met && noticedOf < seldom.noticed * met
          ? 'notices too seldom'
          : Date.now() > end && 'no time left';
      if (why) return tell((await prove()) ? { type: 'passed-over', test: name, why } : spoilt);
      met += 1;
      state.hitCount = 0;
      state.hitLimit = 100 * hits + 10_000;
      state.activeMutant = key;
      looks.count = 0;
      looks.most = most;
      const noticed = await fails(run, took);
      looks.most = Number.POSITIVE_INFINITY;
      state.activeMutant = undefined;
      if (!noticed) continue;
      noticedOf += 1;
      unproved.push(id);
      if (unproved.length >= provedAtOnce && !(await prove())) return tell(spoilt);
    }
    if (!(await prove())) return tell(spoilt);
    tell(done);
  }

  onBeforeRunFiles(): void {
    tell({ type: 'loaded', ids: namesOf(Object.keys(switches().mutantCoverage?.static ?? {})) });
  }
}
