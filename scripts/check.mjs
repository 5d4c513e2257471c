// Every read-only check, quickest first. All parts run even if one fails, and one verdict line
// each closes the output. A part speaks only if it fails. Nothing is written that git would see
// (tsc -b fills the ignored dist folders).
import { spawnSync } from 'node:child_process';

const parts = [
  { name: 'lint and format', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'types of packages', command: ['tsc', '-b'] },
  { name: 'types of tests', command: ['tsc', '-p', 'tsconfig.test.json'] },
  { name: 'architecture', command: ['vitest', 'run', 'test/architecture'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
];

function run({ name, command: [program, ...args] }) {
  const start = performance.now();
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (status === 0) return { name, ok: true, seconds };
  console.log(`\n--- ${name}: ${program} ${args.join(' ')}`);
  console.log(`${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}`.trimEnd());
  return { name, ok: false, seconds };
}

const verdicts = parts.map(run);
const failed = verdicts.filter((verdict) => !verdict.ok);
if (failed.length > 0) console.log('');
for (const { name, ok, seconds } of verdicts) {
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name} (${seconds} s)`);
}
console.log(failed.length === 0 ? 'check: all parts passed' : `check: ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
