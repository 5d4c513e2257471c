import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { paths } from './config.ts';
import { downCluster, initCluster } from './index.ts';
import { isAlive, isNode } from './process-file.ts';

let root = mkdtempSync(join(tmpdir(), 'quorumlab-process-'));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const each of children.splice(0)) each.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

/** A process that does nothing, with the words of a node. */
function started(...words: readonly string[]): number {
  const idle = ['-e', 'setInterval(() => undefined, 1000)', '--', ...words];
  const child = spawn(process.execPath, idle, { cwd: root, stdio: 'ignore' });
  children.push(child);
  // A process that has just begun has no words for a moment.
  const place = `/proc/${child.pid}/cmdline`;
  while (existsSync(place) && readFileSync(place, 'utf8') === '');
  return child.pid as number;
}

test('a process is a node only if it runs that one of that cluster', () => {
  mkdirSync(join(root, 'with space'));
  symlinkSync(join(root, 'with space'), join(root, 'link'));
  const folder = join(root, 'with space');
  const home = join(folder, 'n1');
  const is = (...words: readonly string[]) => isNode(started(...words), home, 1);
  expect(is('--folder', folder, '--self', '1')).toBe(true);
  expect(is('--self=1', `--folder=${folder}`)).toBe(true);
  expect(is('--self', 'n1', '--config', join('with space', 'cluster.json'))).toBe(true);
  expect(is('--folder', 'link', '--self', '1', '--rejoin')).toBe(true);
  expect(is('--folder', folder, '--self', '11')).toBe(false);
  expect(is('--folder', join(root, 'other'), '--self', '1')).toBe(false);
  expect(is('--self', '1')).toBe(false);
  expect(isNode(process.pid, home, 1)).toBe(false);
});

test('stopping a cluster ends no process that only has the number of a node', async () => {
  root = mkdtempSync(join(tmpdir(), 'quorumlab-process-'));
  const folder = join(root, 'c');
  await initCluster({ folder, protocol: 'raft' });
  const strangers = [
    started('a program'),
    started('--folder', join(root, 'other'), '--self', '1'),
    started('--folder', folder, '--self', '0'),
  ];
  for (const [self, pid] of strangers.entries())
    writeFileSync(paths.pid(paths.node(folder, self)), `${pid}\n`);
  expect(await downCluster(folder)).toEqual(
    [0, 1, 2].map((node) => ({ node, pid: undefined, how: 'was not running' })),
  );
  expect(strangers.map(isAlive)).toEqual([true, true, true]);
});
