import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { isNode } from './process-file.ts';

const root = mkdtempSync(join(tmpdir(), 'quorumlab-process-'));
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
