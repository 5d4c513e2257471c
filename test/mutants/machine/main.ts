/**
 * `npm run mutate -- raft`: every small change of a package's sources that a machine can think of,
 * and whether a test notices it.
 */
import { spawnSync } from 'node:child_process';
import { globSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { withCopy } from './copy.ts';
import { instrument, type Mutant } from './instrument.ts';
import { findingsIn, memoryOf } from './memory.ts';
import { type Part, parts, slow, slowFiles } from './parts.ts';
import { count, tellScore, writeScore } from './report.ts';
import type { Finding } from './runner.ts';

const root = join(import.meta.dirname, '../../..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Only files whose names contain this. */
    file: { type: 'string' },
    /** Seconds for all mutants of a package. */
    time: { type: 'string', default: '3600' },
    /** Without tests that draw much by chance. */
    quick: { type: 'boolean', default: false },
    /** Milliseconds that a test may take and still be run for each mutant. */
    longest: { type: 'string', default: '2000' },
  },
});

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

/** What came of the mutants of a package. */
async function mutate(part: Part): Promise<{ mutants: Mutant[]; findings: Finding[] }> {
  return await withCopy(root, async (folder) => {
    const files = globSync(`packages/${part.name}/src/**/*.ts`, { cwd: folder })
      .filter((file) => !file.endsWith('.test.ts') && !part.leaveOut.includes(basename(file)))
      .filter((file) => file.includes(values.file ?? ''))
      .sort();
    const findings = memoryOf(root, part.name, files);
    const mutants = await instrument(folder, files);
    writeFileSync(join(folder, 'vitest.mutate.config.ts'), configOf(part));
    const runner = "export { MutantRunner as default } from './test/mutants/machine/runner.ts';";
    writeFileSync(join(folder, 'vitest.mutate.runner.ts'), runner);
    const end = Date.now() + Number(values.time) * 1000;
    // Quick tests first: what they notice need not meet the slow ones.
    const most = Number(values.longest);
    for (const longest of [...[3, 10, 30].filter((each) => each < most), most])
      runTests(folder, { findings, end, longest });
    return { mutants, findings: findingsIn(findings) };
  });
}

interface Limits {
  readonly findings: string;
  readonly end: number;
  readonly longest: number;
}

function runTests(folder: string, { findings, end, longest }: Limits): void {
  const vitest = join(root, 'node_modules/.bin/vitest');
  const run = spawnSync(vitest, ['run', '--config', 'vitest.mutate.config.ts'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    env: {
      ...process.env,
      QUORUMLAB_SHORT_TESTS: '1',
      PBFT_SEEDS: '1',
      QUORUMLAB_MUTATE_FINDINGS: findings,
      QUORUMLAB_MUTATE_END: `${end}`,
      QUORUMLAB_MUTATE_LONGEST: `${longest}`,
    },
  });
  if (run.status !== 0) process.stderr.write(`${run.stdout}${run.stderr}`);
}

const chosen = parts.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
for (const name of positionals)
  if (!parts.some((part) => part.name === name))
    throw new Error(`${name} is not mutated; choose of ${parts.map((part) => part.name).join()}`);
for (const part of chosen) {
  const { mutants, findings } = await mutate(part);
  const score = count(part.name, mutants, findings);
  console.log(tellScore(score));
  if (values.file === undefined) writeScore(join(root, 'test/mutants/README.md'), score);
}
