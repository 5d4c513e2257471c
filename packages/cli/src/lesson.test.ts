import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lessonOf, lessons } from '@quorumlab/lessons';
import { expect, test } from 'vitest';
import { said } from '../test-support/said.ts';
import { playWith } from './commands/lesson.ts';
import { terminal } from './io.ts';

test('lists the lessons, and plays one whole where nobody can be asked', async () => {
  const list = await said('lesson');
  for (const { text } of lessons) expect(list.out).toContain(text.title);
  const { out, code } = await said('lesson 9');
  expect(code).toBe(0);
  const parts = ['paused', 'What do you think?', 'What happened', 'Why', 'Break it', 'Exercise'];
  const places = parts.map((each) => out.indexOf(each));
  expect(places).toEqual([...places].sort((one, two) => one - two));
  expect(places[0]).toBeGreaterThan(0);
  // Before the question is answered, nothing of the fork is shown.
  const before = out.slice(0, out.indexOf('paused'));
  expect(before).not.toMatch(/COMMIT (Ann|Bob)/);
  expect(out).toContain('All runs of this lesson came out as it says.');
});

test('an answer is marked by its run: 0 right, 1 wrong, 254 for none', async () => {
  const right = await said('lesson 11 --answer 7');
  expect(right).toMatchObject({ code: 0, err: '' });
  expect(right.out).toContain('Right.');
  const wrong = await said('lesson 11 --answer 6');
  expect(wrong.code).toBe(1);
  expect(wrong.out).toMatch(/Not right[\s\S]*ended forked, and should have ended ok: position 0/);
  const none = await said('lesson 11 --answer 9');
  expect(none.code).toBe(254);
  expect(none.err).toContain('"9" is none of the answers: 5, 6, 7, 8.');
  expect((await said('lesson 15')).err).toContain('There is no lesson "15"; there are 1 to 14.');
  expect((await said('lesson --answer 7')).code).toBe(254);
});

test('--json is one document, with the runs and what became of the answer', async () => {
  const told = JSON.parse((await said('--json lesson 3')).out);
  expect(told).toMatchObject({
    ...{ schema: 'quorumlab.lesson/1', number: 3, asExpected: true, answer: 'no', exit: 0 },
    shown: { main: { word: 'stalled' }, broken: { word: 'forked' }, mended: { word: 'ok' } },
  });
  expect(told.shown.main.digest).toMatch(/^[0-9a-f]{64}$/);
  expect(told.text.explanation.join()).not.toContain('{');
  const marked = JSON.parse((await said('--json lesson 3 --answer 2+3')).out);
  expect(marked).toMatchObject({ marked: { answer: '2+3', right: false }, exit: 1 });
  expect(JSON.parse((await said('--json lesson')).out).lessons).toHaveLength(14);
});

test('a sheet is a page with its key, and a quiz is settled by runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab-sheet-'));
  try {
    const file = join(folder, 'sheets', 'three.html');
    expect((await said(['lesson', '3', '--sheet', file])).code).toBe(0);
    const page = readFileSync(file, 'utf8');
    expect(page.match(/<h1>/g)).toHaveLength(2);
    expect(page).toContain('Answer key. Lesson 3');
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect((await said('lesson 3 --sheet x --answer y')).code).toBe(254);
  expect((await said('quiz')).out).toContain('12  ');
  expect(await said('quiz 7 --answer false')).toMatchObject({ code: 0, err: '' });
  const wrong = await said('quiz old-term --answer true');
  expect(wrong.code).toBe(1);
  expect(wrong.out).toMatch(/Not right[\s\S]*False[\s\S]*ended forked/);
  expect((await said('quiz 13')).code).toBe(254);
  expect((await said('quiz 1 --answer maybe')).code).toBe(254);
  expect(JSON.parse((await said('--json quiz 11')).out)).toMatchObject({ holds: true, exit: 0 });
});

/** What a lesson says to somebody who types these lines and then leaves. */
async function playedWith(number: number, typed: readonly string[]) {
  const lines = [...typed];
  const text: string[] = [];
  const stream = { isTTY: true, columns: 100, write: (part: string) => text.push(part) };
  const io = terminal({}, { env: { NO_COLOR: '1' }, stdout: stream, stderr: stream });
  const exit = await playWith(lessonOf(number), io, async () => lines.shift());
  return { exit, text: text.join(''), left: lines.length };
}

test('at a terminal it asks first, and shows what decides only after an answer', async () => {
  const gone = await playedWith(9, []);
  expect(gone.exit).toBe(0);
  expect(gone.text).toContain('What do you think?');
  expect(gone.text).not.toMatch(/COMMIT (Ann|Bob)|forked/);
  const played = await playedWith(9, ['maybe', 'A', '7', 'none', 'not asked for']);
  expect(played).toMatchObject({ exit: 0, left: 1 });
  const said = [
    ...['"maybe" is none of the answers: no, yes.', 'The run says otherwise: yes'],
    ...['Not right.', 'Right.', 'Next:'],
  ].map((each) => played.text.indexOf(each));
  expect(said).toEqual([...said].sort((one, two) => one - two));
  expect(said[0]).toBeGreaterThan(0);
  expect((await playedWith(9, ['b', 'q', '5'])).left).toBe(1);
});
