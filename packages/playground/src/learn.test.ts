import { lessons, quiz, words } from '@quorumlab/lessons';
import { h } from 'preact';
import { render } from 'preact-render-to-string';
import { expect, test } from 'vitest';
import type { Ask } from './asking.ts';
import { keyActions } from './keys.ts';
import { App } from './pages.ts';
import { rest } from './rest.ts';
import { answer } from './runs.ts';
import { createState, type State } from './state.ts';

/** A page without a thread: answers come at once, as copies. */
const atOnce: Ask = (question, hear) => {
  for (const each of answer(question)) hear(structuredClone(each));
  return () => undefined;
};

function visited(hash: string, ask = atOnce): State {
  const state = createState(ask);
  state.arrive(rest);
  state.visit(hash);
  return state;
}

const html = (state: State): string => render(h(App, { state }));
const heldAt = ({ timeline, selection, drawn }: State) => {
  const now = timeline.value[selection.value.count - 1];
  return now && drawn.value[now.side]?.model.events[now.event];
};

test('the list leads to every lesson, and the first page leads to the list', () => {
  const shown = html(visited('#/learn'));
  for (const { number, text } of lessons) {
    expect(shown).toContain(`href="#/learn/${number}"`);
    expect(shown).toContain(text.title.replaceAll('&', '&amp;'));
  }
  expect(shown).toMatch(/aria-current="page"[^>]*>Lessons/);
  expect(html(visited(''))).toContain('Start the lessons');
});

test('a lesson that is not there is a sentence above the list', () => {
  expect(html(visited('#/learn/15'))).toContain(
    'There is no lesson &quot;15&quot;; there are 1 to',
  );
  expect(html(visited('#/learn/x'))).toContain('There is no lesson &quot;x&quot;');
  expect(html(visited('#/learn/15'))).toContain('href="#/learn/14"');
});

test('whoever begins with a lesson waits for what comes behind, and then has it', () => {
  const state = createState(atOnce);
  state.visit('#/learn/9');
  expect(html(state)).toContain('still on its way');
  state.arrive(rest);
  expect(html(state)).toContain('Lesson 9: One traitor');
});

test('a lesson is paused before what decides, and nothing leads past it', () => {
  const state = visited('#/learn/9');
  const before = html(state);
  expect(before).toContain('Lesson 9: One traitor');
  expect(before).toContain(words.paused);
  // Neither the verdict nor the logs tell how it ends.
  for (const word of ['forked', 'Both have', 'digest', words.explanation])
    expect(before).not.toContain(word);
  const { count } = state.selection.value;
  const decisive = state.lessons.learning.value?.lecture?.decisive ?? -1;
  expect(state.timeline.value[count]?.event).toBe(decisive);
  for (const everything of [true, false]) {
    state.everything.value = everything;
    for (const { run } of keyActions) {
      run(state);
      expect(heldAt(state)?.i ?? 0).toBeLessThan(decisive);
    }
  }
  state.hold(0, decisive + 5);
  expect(heldAt(state)?.i).toBeLessThan(decisive);
});

test('a guess shows what decides, why, and what breaks it; the exercise is run', () => {
  const state = visited('#/learn/9');
  state.lessons.guess('no');
  const { lecture } = state.lessons.learning.value ?? {};
  expect(heldAt(state)?.i).toBe(lecture?.decisive);
  // There is one guess: the other answer is no longer one.
  state.lessons.guess('yes');
  const told = html(state);
  expect(told).toContain('The run says otherwise');
  expect(told).toContain('✗ forked');
  for (const each of lecture?.explanation ?? []) expect(told).toContain(each);
  for (const word of [words.broken, words.mended, words.exercise, words.asExpected])
    expect(told).toContain(word);
  state.lessons.attempt('7');
  expect(html(state)).toContain(words.wrongAnswer);
  state.lessons.attempt('none');
  const right = html(state);
  expect(right).toContain(words.rightAnswer);
  expect(right).not.toContain(words.wrongAnswer);
  // From here on one may go anywhere.
  state.move(10_000);
  expect(state.selection.value.count).toBe(state.timeline.value.length);
});

test('a lesson on shards shows a run of two groups, each by its name', () => {
  const state = visited('#/learn/7');
  const before = html(state);
  expect(before).toContain('Commit wait');
  for (const name of ['A0', 'A2', 'B1']) expect(before).toContain(`>${name}<`);
  // The first transaction was told of, and the second has not begun.
  expect(heldAt(state)?.i ?? 0).toBeLessThan(state.lessons.learning.value?.lecture?.decisive ?? 0);
  // What clocks answered is shown up to there, and not what they will.
  expect(before).toMatch(/kA0 stamps T0, timestamp \d+\. Its clock answers \d+ to \d+\./);
  expect(before).not.toContain('stamps T2');
  // The logs tell what was asked of the groups, and not its bytes.
  for (const what of ['lock a', 'commit a', 'clock ']) expect(before).toContain(`✓ ${what}`);
  state.lessons.guess('over');
  state.move(10_000);
  const told = html(state);
  expect(told).toMatch(/kB1 stamps T2, timestamp \d+\./);
  expect(told).toContain(words.foretold);
  expect(told).toContain('two shards of raft, clocks within 20ms');
  expect(told).toContain('✗ invalid');
  expect(told).toContain('quorumlab shards --protocol raft --mutant none --beyond none --count 2');
  // Two groups have two logs: equal positions in both are no fork.
  expect(told).not.toContain('another honest node commits something else');
  state.lessons.attempt('clocks');
  expect(html(state)).toContain(words.rightAnswer);
});

test('another lesson begins anew, and what ran for the one before is stopped', () => {
  const stopped: number[] = [];
  const ask: Ask = (question, hear) => {
    if (question.ask === 'lesson' && question.number === 2)
      return () => void stopped.push(question.number);
    return atOnce(question, hear);
  };
  const state = visited('#/learn/2', ask);
  expect(html(state)).toContain('running …');
  state.lessons.guess('noop');
  expect(state.lessons.learning.value).toEqual({ number: 2 });
  state.visit('#/learn/1');
  expect(stopped).toEqual([2]);
  expect(html(state)).toContain('Lesson 1:');
  state.visit('#/');
  expect(state.lessons.learning.value).toBeUndefined();
  expect(html(state)).toContain('✗ forked');
  state.visit('#/learn');
  expect(state.sides.value).toEqual([]);
});

test('the quiz is answered once, and settled by runs', () => {
  const asked: number[] = [];
  const state = visited('#/learn/quiz', (question, hear) => {
    if (question.ask === 'settle') asked.push(question.number);
    return atOnce(question, hear);
  });
  const shown = html(state);
  for (const { statement } of quiz) expect(shown).toContain(statement);
  expect(shown.match(/<fieldset/g)).toHaveLength(quiz.length);
  expect(html(visited('#/learn'))).toContain('href="#/learn/quiz"');
  expect([...answer({ ask: 'settle', number: 1 })]).toEqual([
    {
      says: 'settled',
      holds: false,
      reasons: [expect.objectContaining({ reason: expect.any(String) })],
    },
  ]);
  expect(asked).toEqual([]);
});

test('the page of a lesson has its headings in order, and a name for every control', () => {
  const state = visited('#/learn/11');
  state.lessons.guess('view');
  state.lessons.attempt('7');
  const shown = html(state);
  const levels = [...shown.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
  expect(levels.filter((level) => level === 1)).toHaveLength(1);
  for (const [i, level] of levels.entries())
    expect(level - (levels[i - 1] ?? 0), `heading ${i}`).toBeLessThanOrEqual(1);
  const ids = [...shown.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [all, attributes = '', name = ''] of shown.matchAll(/<button([^>]*)>([^<]*)</g))
    expect(name.trim() !== '' || attributes.includes('aria-label'), all).toBe(true);
  expect(shown.match(/<fieldset/g)).toHaveLength(shown.match(/<legend/g)?.length ?? 0);
});
