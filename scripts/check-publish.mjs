// What npm users would get: builds, then lets publint and attw look at the tarball of each package.
// Needs no network. `npm run check:publish -- core raft` looks at those two only.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('../packages/', import.meta.url));

function run(program, args, cwd) {
  const shell = process.platform === 'win32';
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    shell,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` };
}

const built = run('tsc', ['-b'], join(packages, '..'));
if (!built.ok) {
  console.log(built.output);
  console.log('check:publish: the packages do not build; see npm run check');
  process.exit(1);
}

// attw packs into the folder it looks at; a tarball of our own keeps the work tree clean.
function inspect(folder) {
  const temporary = mkdtempSync(join(tmpdir(), 'quorumlab-pack-'));
  try {
    const packed = run('npm', ['pack', '--silent', '--pack-destination', temporary], folder);
    if (!packed.ok) return packed.output;
    const tarball = join(temporary, readdirSync(temporary)[0]);
    const results = [
      run('publint', ['run', tarball, '--strict'], folder),
      run('attw', [tarball, '--profile', 'esm-only', '--no-color'], folder),
    ];
    return results
      .filter(({ ok }) => !ok)
      .map(({ output }) => output)
      .join('\n');
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

const chosen = process.argv.slice(2);
const names = (chosen.length > 0 ? chosen : readdirSync(packages)).filter((name) => {
  const manifest = join(packages, name, 'package.json');
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).private !== true;
});
let failed = 0;
for (const name of names) {
  const faults = inspect(join(packages, name));
  if (faults !== '') {
    failed++;
    console.log(faults);
  }
  console.log(`${faults === '' ? 'ok    ' : 'FAILED'}  ${name}`);
}
console.log(
  failed === 0 ? 'check:publish: all packages passed' : `check:publish: ${failed} failed`,
);
process.exitCode = failed === 0 ? 0 : 1;
