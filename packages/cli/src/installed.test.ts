import { execFile, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { installing } from './cluster-package.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'quorumlab-installed-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { QUORUMLAB_COMMAND: _, ...env } = process.env;

interface Ran {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
}

function run(flags: readonly string[], line: string): Ran {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...flags, ...line.split(' ').filter(Boolean)],
    { cwd: folder, encoding: 'utf8', env: { ...env, NO_COLOR: '1' } },
  );
  return { out: stdout, err: stderr, code: status };
}

/** What somebody sees who has installed `quorumlab` and nothing else. */
function expectFirstSteps(quorumlab: (line: string) => Ran): void {
  expect(quorumlab('')).toMatchObject({ code: 0, err: '' });
  expect(quorumlab('').out).toContain('Start with:');
  expect(quorumlab('run raft')).toMatchObject({ code: 0, err: '' });
  const demo = quorumlab('demo multi-paxos raft');
  expect(demo.code, demo.err).toBe(0);
  expect(demo.out).toContain('multi-paxos: ');
  expect(demo.err).toMatch(/the same among real processes: npm i .*@quorumlab\/cluster$/m);
  for (const line of ['cluster up --protocol raft', 'keys new my.key', 'demo --real']) {
    const { code, err } = quorumlab(line);
    expect({ line, code }).toEqual({ line, code: 254 });
    expect(err).toMatch(
      /error QL110: real processes need @quorumlab\/cluster .*\n {2}install {3}npm/,
    );
  }
}

test('without the package of real processes the rest works, and says what to install', () => {
  // Node itself finds no such package, as where it is not installed.
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ resolve: (name, context, next) =>
      next(name === '@quorumlab/cluster' ? '@quorumlab/cluster-not-installed' : name, context) });`;
  const flags = [
    '--conditions=source',
    `--import=data:text/javascript,${encodeURIComponent(hook)}`,
  ];
  expectFirstSteps((line) => run([...flags, main], line));
});

test('the package is installed beside the one that needs it', () => {
  const local = '/home/ann/app/node_modules/quorumlab/dist/cluster-package.js';
  expect(installing(local, '/home/ann/app')).toBe('npm i @quorumlab/cluster');
  expect(installing(local, '/home/ann/app/src')).toBe('npm i @quorumlab/cluster');
  expect(installing('/usr/lib/node_modules/quorumlab/dist/x.js', '/home/ann')).toBe(
    'npm i -g @quorumlab/cluster',
  );
  expect(installing('/home/ann/.npm/_npx/1/node_modules/quorumlab/dist/x.js', '/home/ann')).toBe(
    'npx -p quorumlab -p @quorumlab/cluster quorumlab',
  );
});

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const manifestIn = (home: string): Manifest =>
  JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));

/** Where `name` is that the package in `home` depends on. */
function homeOf(name: string, home: string): string {
  for (let each = home; ; each = dirname(each)) {
    const found = join(each, 'node_modules', name);
    if (existsSync(found)) return realpathSync(found);
    if (each === dirname(each)) throw new Error(`${name} is not there for ${home}`);
  }
}

/** Puts what npm would publish of `home` into node_modules, and what it depends on. */
async function install(home: string, done: Set<string>): Promise<void> {
  const { name, dependencies = {} } = manifestIn(home);
  if (done.has(name)) return;
  done.add(name);
  const to = join(folder, 'node_modules', name);
  mkdirSync(to, { recursive: true });
  const isOurs = home.startsWith(join(root, 'packages'));
  if (isOurs) {
    const packed = mkdtempSync(join(folder, 'packed-'));
    const flags = ['pack', '--silent', '--pack-destination', packed];
    await promisify(execFile)('npm', flags, { cwd: home });
    const [tarball = ''] = readdirSync(packed);
    await promisify(execFile)('tar', [
      ...['xzf', join(packed, tarball)],
      ...['-C', to, '--strip-components=1'],
    ]);
  } else cpSync(home, to, { recursive: true, dereference: true });
  await Promise.all(Object.keys(dependencies).map((each) => install(homeOf(each, home), done)));
}

// Building and packing takes longer than all other tests of this package.
if (process.env.QUORUMLAB_LONG_TESTS === '1')
  test('installed from what would be published, without the cluster, the first steps end well', {
    timeout: 300_000,
  }, async () => {
    await promisify(execFile)(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root });
    const done = new Set<string>();
    await install(join(root, 'packages', 'cli'), done);
    expect([...done].filter((name) => /libp2p|quorumlab.(node|cluster)$/.test(name))).toEqual([]);
    const bin = join(folder, 'node_modules', '.bin');
    mkdirSync(bin);
    symlinkSync('../quorumlab/dist/main.js', join(bin, 'quorumlab'));
    expectFirstSteps((line) => run([join(bin, 'quorumlab')], line));
    // And what is offered is what works there.
    expect(run([join(bin, 'quorumlab')], '').out).toContain('npx quorumlab demo');
  });
