import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { counterFile } from './counter-file.ts';

const home = mkdtempSync(join(tmpdir(), 'quorumlab-counter-'));
const file = join(home, 'data.counter');
const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];

afterEach(() => rmSync(file, { force: true }));

test('a node that starts again does not give a number twice', () => {
  const first = counterFile(file);
  expect([first.take(1, a), first.take(2, b)]).toEqual([true, true]);
  const second = counterFile(file);
  expect(second.last).toBe(2);
  expect([second.take(1, b), second.take(2, b), second.take(3, a)]).toEqual([false, true, true]);
});

test('a line that a crash has cut off was not given', () => {
  counterFile(file).take(1, a);
  appendFileSync(file, `2 ${b.slice(1)}`);
  const counter = counterFile(file);
  expect(counter.last).toBe(1);
  expect(counter.take(2, a)).toBe(true);
  expect(readFileSync(file, 'utf8')).toBe(`1 ${a}\n2 ${a}\n`);
});

test('a file that is something else stops the node, and says what to do', () => {
  writeFileSync(file, 'hello\n');
  expect(() => counterFile(file).take(1, a)).toThrow('Bring back the file, or take the node out');
});
