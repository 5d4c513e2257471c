/**
 * Runs each test once without a mutant and then once with every mutant that it reaches and that no
 * test has noticed yet. All mutants are in the code at once, each behind a switch, so nothing is
 * loaded again: a mutant costs what the tests cost that run it, which are milliseconds.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import fc from 'fast-check';
import { type RunnerTestCase, TestRunner } from 'vitest';
import { versionOf } from './memory.ts';

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
  | { readonly type: 'done'; readonly test: string }
  | {
      readonly type: 'passed-over';
      readonly test: string;
      readonly why: string;
      /** If it is slow: how long it took, in milliseconds. */
      readonly took?: number;
    };

const findings = process.env.QUORUMLAB_MUTATE_FINDINGS as string;
/** When no further mutant is begun, in milliseconds since 1970. */
const end = Number(process.env.QUORUMLAB_MUTATE_END);
/** A test that takes longer than this is not run for mutants, in milliseconds of the processor. */
const longestTest = Number(process.env.QUORUMLAB_MUTATE_LONGEST);
/** By so much the first run of a test may be slower than the next, whose code is compiled. */
const cold = 8;
/** A mutant whose test does not end is noticed too, after at least so many milliseconds. */
const leastPatience = 2000;
/** And after so many times what the test took without it: others use the machine, too. */
const patience = 50;

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

/** Mutants that were noticed before, and tests that met every mutant or are too slow for it. */
function before(): { readonly killed: Set<string>; readonly done: Set<string> } {
  const found = { killed: new Set<string>(), done: new Set<string>() };
  for (const line of readFileSync(findings, 'utf8').split('\n')) {
    const finding = line === '' ? undefined : (JSON.parse(line) as Finding);
    if (finding?.type === 'killed') found.killed.add(finding.id);
    const isSlow = finding?.type === 'passed-over' && (finding.took ?? 0) > longestTest;
    if (finding?.type === 'done' || isSlow) found.done.add(finding.test);
  }
  return found;
}

/** Milliseconds of the processor. */
const cpuSince = (begin: NodeJS.CpuUsage): number => {
  const { user, system } = process.threadCpuUsage(begin);
  return (user + system) / 1000;
};

type Run = () => unknown;

/** Whether `run`, which takes about so many milliseconds, fails or does not end. */
async function fails(run: Run, took: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), leastPatience + patience * took);
  });
  try {
    return await Promise.race([Promise.resolve(run()).then(() => false), late]);
  } catch {
    return true;
  } finally {
    clearTimeout(timer);
  }
}

/** See the module's comment. Vitest makes one for each file of tests. */
export class MutantRunner extends TestRunner {
  readonly #before = before();

  async runTask(test: RunnerTestCase): Promise<void> {
    const run = TestRunner.getTestFn(test as never) as Run;
    const path = relative(process.cwd(), test.file.filepath);
    const name = `${path}@${versionOf(test.file.filepath)}: ${test.fullTestName}`;
    const { killed, done } = this.#before;
    if (done.has(name)) return;
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
    tell({ type: 'reached', ids: Object.keys(reached) });
    const alive = Object.entries(reached).filter(([id]) => !killed.has(id));
    if (alive.length === 0) return tell({ type: 'done', test: name });
    const slow = { type: 'passed-over', test: name, why: 'slow' } as const;
    if (first > cold * longestTest) return tell({ ...slow, took: first });
    const again = process.threadCpuUsage();
    // What a run leaves behind must not be taken for a mutant.
    if (await fails(run, first))
      return tell({ type: 'passed-over', test: name, why: 'runs only once' });
    const took = cpuSince(again);
    if (took > longestTest) return tell({ ...slow, took });
    for (const [id, hits] of alive) {
      if (Date.now() > end) return tell({ type: 'passed-over', test: name, why: 'no time left' });
      state.hitCount = 0;
      state.hitLimit = 100 * hits + 10_000;
      state.activeMutant = id;
      looks.count = 0;
      looks.most = most;
      const noticed = await fails(run, took);
      looks.most = Number.POSITIVE_INFINITY;
      state.activeMutant = undefined;
      if (!noticed) continue;
      killed.add(id);
      tell({ type: 'killed', id, test: name });
      if (await fails(run, took))
        return tell({ type: 'passed-over', test: name, why: 'was spoilt' });
    }
    tell({ type: 'done', test: name });
  }

  onBeforeRunFiles(): void {
    tell({ type: 'loaded', ids: Object.keys(switches().mutantCoverage?.static ?? {}) });
  }
}
