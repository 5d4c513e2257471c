/**
 * `npm run mutate -- raft`: every small change of a package's sources that a machine can think of,
 * and whether a test notices it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { flagsOf, oneOf, wholeOf } from '../../support/flags.ts';
import { withCopy } from './copy.ts';
import { instrument, type Mutant } from './instrument.ts';
import { findingsIn, memoryOf } from './memory.ts';
import { type Part, parts, slow, slowFiles } from './parts.ts';
import { count, tellScore, writeScore } from './report.ts';
import type { Finding, Table } from './runner.ts';

const root = join(import.meta.dirname, '../../..');
const packages = parts.map(({ name }) => name);
const usage = `Usage: npm run mutate -- [options] [packages]

  packages         of ${packages.join(', ')} (default: all)
  --file <text>    only files whose names contain this
  --tests <texts>  only tests in files whose names contain one of these
  --time <S>       seconds for all mutants of a package (default: 3600)
  --tell           no run: only what earlier ones have found
  --once           all tests in one sweep: where few mutants are left, starting costs most
  --quick          without tests that draw much by chance
  --longest <ms>   how long a test may take and still be run for each mutant (default: 2000)`;
const { values, positionals } = flagsOf(
  usage,
  {
    file: { type: 'string' },
    tests: { type: 'string' },
    time: { type: 'string' },
    tell: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    longest: { type: 'string' },
  },
  packages.length,
);
const seconds = wholeOf('time', values.time, 3600);
const longestMs = wholeOf('longest', values.longest, 2000);
for (const name of positionals) oneOf('package', name, packages);

/** The configuration under which the tests of `part` run in the copy. */
const configOf = ({ tests }: Part): string => `
import { BaseSequencer } from 'vitest/node';
import { defineConfig } from 'vitest/config';
const slow = ${slow};
class QuickFirst extends BaseSequencer {
  async sort(files) {
    const rank = ({ moduleId }) => (slow.test(moduleId) ? 1 : 0);
    const earlier = (one, two) => (one.moduleId < two.moduleId ? -1 : 1);
    return files.sort((one, two) => rank(one) - rank(two) || earlier(one, two));
  }
}
export default defineConfig({
  tsconfig: 'tsconfig.base.json',
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ${JSON.stringify(tests)},
    exclude: ${JSON.stringify(values.quick ? [slowFiles] : [])},
    runner: './vitest.mutate.runner.ts',
    testTimeout: 0,
    hookTimeout: 0,
    maxWorkers: 1,
    sequence: { sequencer: QuickFirst },
    onConsoleLog: () => false,
  },
});
`;

const memoryFolder = '/dev/shm';
const tableFile = 'vitest.mutate.table.json';
const tableOf = (mutants: readonly Mutant[]): Table => ({
  names: Object.fromEntries(mutants.map(({ key, id }) => [key, id])),
  files: [...new Set(mutants.map(({ id }) => id.slice(0, id.lastIndexOf('#'))))],
});

/** What came of the mutants of a package. */
async function mutate(part: Part): Promise<{ mutants: Mutant[]; findings: Finding[] }> {
  return await withCopy(root, async (folder) => {
    const files = globSync(`packages/${part.name}/src/**/*.ts`, { cwd: folder })
      .filter((file) => !file.endsWith('.test.ts') && !part.leaveOut.includes(basename(file)))
      .filter((file) => file.includes(values.file ?? ''))
      .sort();
    const findings = memoryOf(root, part.name);
    const mutants = await instrument(folder, files);
    writeFileSync(join(folder, tableFile), JSON.stringify(tableOf(mutants)));
    writeFileSync(join(folder, 'vitest.mutate.config.ts'), configOf(part));
    const runner = "export { MutantRunner as default } from './test/mutants/machine/runner.ts';";
    writeFileSync(join(folder, 'vitest.mutate.runner.ts'), runner);
    const end = Date.now() + seconds * 1000;
    // Quick tests first, and those that notice much: what they notice need not meet the others.
    const sweeps = values.once ? [false] : [true, false];
    const earlier = values.once ? [] : [3, 10, 30].filter((each) => each < longestMs);
    for (const onlyGood of values.tell ? [] : sweeps)
      for (const longest of [...earlier, longestMs])
        if (Date.now() < end) runTests(folder, { findings, end, longest, onlyGood });
    return { mutants, findings: findingsIn(findings) };
  });
}

interface Limits {
  readonly findings: string;
  readonly end: number;
  readonly longest: number;
  /** Without tests that turn out to notice hardly anything that the others have not. */
  readonly onlyGood: boolean;
}

function runTests(folder: string, { findings, end, longest, onlyGood }: Limits): void {
  const vitest = join(root, 'node_modules/.bin/vitest');
  const chosen = values.tests?.split(',') ?? [];
  const run = spawnSync(vitest, ['run', ...chosen, '--config', 'vitest.mutate.config.ts'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    env: {
      ...process.env,
      QUORUMLAB_SHORT_TESTS: '1',
      PBFT_SEEDS: '1',
      HOTSTUFF_SEEDS: '1',
      TENDERMINT_SEEDS: '1',
      STREAMLET_SEEDS: '1',
      MINBFT_SEEDS: '1',
      // What is only flushed to memory is flushed at once: nobody takes the power away here.
      ...(existsSync(memoryFolder) ? { TMPDIR: memoryFolder } : {}),
      QUORUMLAB_MUTATE_FINDINGS: findings,
      QUORUMLAB_MUTATE_TABLE: join(folder, tableFile),
      QUORUMLAB_MUTATE_END: `${end}`,
      QUORUMLAB_MUTATE_LONGEST: `${longest}`,
      QUORUMLAB_MUTATE_GOOD: onlyGood ? '1' : '0',
    },
  });
  if (run.status !== 0) process.stderr.write(`${run.stdout}${run.stderr}`);
}

const chosen = parts.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
for (const part of chosen) {
  const { mutants, findings } = await mutate(part);
  const score = count(part.name, mutants, findings);
  console.log(tellScore(score));
  if (values.file === undefined && values.tests === undefined && !values.tell)
    writeScore(join(root, 'test/mutants/README.md'), score);
}
