// What npm users would get: builds, packs each package as it would be published (with pnpm, which
// puts versions in place of `workspace:` and `catalog:`), looks at what is in the tarball, and lets
// publint and attw do the same. `npm run check:publish -- core raft` looks at those two only.
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

const page = run(
  'node',
  ['--conditions=source', 'playground/src/build.ts', '--to', 'cli/dist/page.html'],
  packages,
);
if (!page.ok) {
  console.log(page.output);
  console.log('check:publish: the page of quorumlab play does not build');
  process.exit(1);
}

const { pnpm } = JSON.parse(readFileSync(join(packages, '../package.json'), 'utf8')).config;

/** What is wrong with the files in a tarball and with the manifest that users would get. */
function contentFaults(tarball) {
  const faults = [];
  const listed = run('tar', ['-tzf', tarball]);
  const files = listed.output.split('\n').filter((line) => line !== '');
  for (const name of ['package.json', 'README.md', 'LICENSE-APACHE', 'LICENSE-MIT'])
    if (!files.includes(`package/${name}`)) faults.push(`${name} is not published`);
  for (const file of files)
    if (/\.tsbuildinfo$|\.test\.|node_modules/.test(file)) faults.push(`${file} is published`);
  if (files.includes('package/dist/commands/play.js') && !files.includes('package/dist/page.html'))
    faults.push('the page of quorumlab play is not published');
  if (files.includes('package/dist/reporters.js') && !files.includes('package/dist/report.js'))
    faults.push('the viewer of reports is not published');
  const text = run('tar', ['-xzOf', tarball, 'package/package.json']).output;
  const manifest = JSON.parse(text);
  for (const field of ['description', 'license', 'repository', 'keywords', 'homepage', 'bugs'])
    if (manifest[field] === undefined) faults.push(`the manifest has no "${field}"`);
  for (const part of ['dependencies', 'peerDependencies', 'optionalDependencies'])
    for (const [name, version] of Object.entries(manifest[part] ?? {}))
      if (/^(workspace|catalog|file|link):/.test(version))
        faults.push(`${name} is wanted in the version "${version}", which npm does not know`);
  return faults;
}

// attw packs into the folder it looks at; a tarball of our own keeps the work tree clean.
function inspect(folder) {
  const temporary = mkdtempSync(join(tmpdir(), 'quorumlab-pack-'));
  try {
    const packed = run('npx', ['-y', pnpm, 'pack', '--pack-destination', temporary], folder);
    if (!packed.ok) return packed.output;
    const tarball = join(temporary, readdirSync(temporary)[0]);
    const faults = contentFaults(tarball);
    const results = [
      { ok: faults.length === 0, output: faults.join('\n') },
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
