import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quoted } from '@quorumlab/harness';
import { afterAll, expect, test } from 'vitest';
import { invocationOf } from './invocation.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'quorumlab-started-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const installed = join(folder, 'app/node_modules/quorumlab/dist/main.js');
mkdirSync(dirname(installed), { recursive: true });
writeFileSync(installed, '', { mode: 0o755 });
const bin = join(folder, 'bin');
mkdirSync(bin);
symlinkSync(installed, join(bin, 'quorumlab'));

test('a command is offered as the reader has started this one', () => {
  const app = join(folder, 'app');
  // In the repository, through npm or not.
  expect(invocationOf({ env: {}, cwd: root, program: main })).toBe('npm run -s quorumlab --');
  // Elsewhere with the source: only the file itself is sure to be there.
  const elsewhere = invocationOf({ env: {}, cwd: folder, program: main });
  expect(elsewhere).toBe(`node --conditions=source ${main}`);
  expect(invocationOf({ env: {}, cwd: dirname(main), program: main })).toBe(
    'node --conditions=source main.ts',
  );
  // Installed: by its name where the shell has it, else through npx.
  expect(invocationOf({ env: { PATH: bin }, cwd: app, program: join(bin, 'quorumlab') })).toBe(
    'quorumlab',
  );
  expect(invocationOf({ env: { PATH: '/usr/bin' }, cwd: app, program: installed })).toBe(
    'npx quorumlab',
  );
  const npx = { npm_command: 'exec', npm_lifecycle_event: 'npx', PATH: bin };
  expect(invocationOf({ env: npx, cwd: app, program: installed })).toBe('npx quorumlab');
  const script = { npm_lifecycle_event: 'test', PATH: bin };
  expect(invocationOf({ env: script, cwd: app, program: installed })).toBe('npx quorumlab');
  // A wrapper knows best.
  const env = { QUORUMLAB_COMMAND: 'docker run quorumlab' };
  expect(invocationOf({ env, cwd: root, program: main })).toBe('docker run quorumlab');
});

test('what is offered works: the same command, run by a shell where it was offered', () => {
  const { QUORUMLAB_COMMAND: _, ...env } = process.env;
  const options = { cwd: folder, encoding: 'utf8', env: { ...env, NO_COLOR: '1' } } as const;
  const first = spawnSync(
    process.execPath,
    [
      '--conditions=source',
      main,
      'run',
      'raft',
      '--attack',
      'equivocating-leader',
      '--seed',
      'a b',
    ],
    options,
  );
  const again = / again {5}(.*)$/m.exec(first.stdout)?.[1] as string;
  expect(again).toContain("--seed 'a b'");
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const second = spawnSync('sh', ['-c', again], {
    ...options,
    env: { ...options.env, PATH: path },
  });
  expect(second.stdout).toBe(first.stdout);
});

test('words are quoted where a shell would take them apart', () => {
  for (const word of ['a b', "it's", 'x;y', '$HOME', '*', 'é"']) {
    const { stdout } = spawnSync('sh', ['-c', `printf %s ${quoted(word)}`], { encoding: 'utf8' });
    expect(stdout).toBe(word);
  }
  expect(quoted('traces/raft-n3.ndjson')).toBe('traces/raft-n3.ndjson');
});
