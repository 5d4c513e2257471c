import { runScenario } from '@quorumlab/harness';
import { demo, linkOf, placeOf, scenarioOf } from '@quorumlab/harness/link';
import { h } from 'preact';
import { render } from 'preact-render-to-string';
import { afterEach, expect, test } from 'vitest';
import type { Answer, Question } from './ask.ts';
import { actsOnMessage, actsOnNode, heldIn, splitAct, withoutEdit } from './editing.ts';
import { triedWords } from './finding.ts';
import { press } from './keys.ts';
import { App } from './pages.ts';
import { rest } from './rest.ts';
import { answer } from './runs.ts';
import { createState, type State } from './state.ts';

const quick = { ...demo, crypto: 'ideal' as const, attack: 'none' };

function visited(hash: string): State {
  const state = createState((question, hear) => {
    for (const each of answer(question)) hear(each);
    return () => undefined;
  });
  state.arrive(rest);
  state.visit(hash);
  return state;
}

const html = (state: State): string => render(h(App, { state }));
const heard = (question: Question): readonly Answer[] => [...answer(question)];
const digests = ({ sides }: State) =>
  sides.value.map((side) => (side.is === 'ran' ? side.ran?.digest : undefined));

/** The state with the first message of the right side that one replica sends to another held. */
function holding(): State {
  const state = visited(linkOf(quick));
  const model = state.drawn.value[1]?.model;
  const sent = model?.events.find(({ k, n, to }) => k === 'send' && n === 0 && to === 2);
  state.move(3);
  state.hold(1, sent?.i ?? 0);
  return state;
}

test('each edit makes a branch that runs as its link says, and takes nothing away', () => {
  const state = holding();
  const before = digests(state);
  const held = heldIn(state);
  if (held === undefined) throw new Error('nothing is held');
  const { settings } = state.place.value;
  const acts = [
    ...actsOnNode(settings, held, 2),
    ...actsOnMessage(settings, held),
    splitAct(settings, held, [3]),
    splitAct(settings, held, []),
  ];
  expect(acts.map(({ name }) => name)).toEqual([
    ...['traitor', 'crash', 'timeout', 'drop', 'delay', 'now', 'twice', 'split', 'split'],
  ]);
  for (const [i, { title, settings: changed }] of acts.entries()) {
    state.turnTo(0);
    state.edit(title, changed);
    expect(state.branches.value).toHaveLength(i + 2);
    const place = placeOf(state.link());
    expect(place.complaints, title).toEqual([]);
    for (const side of [0, 1] as const)
      expect(runScenario(scenarioOf(place.settings, side)).digest, title).toBe(
        digests(state)[side],
      );
    if (title !== 'heal') expect(digests(state)[1], title).not.toBe(before[1]);
  }
  state.turnTo(0);
  expect(digests(state)).toEqual(before);
  state.forget(1);
  expect(state.branches.value).toHaveLength(acts.length);
  expect(html(state)).toContain('● as chosen');
});

test('what was changed is listed, and can be taken back', () => {
  const state = holding();
  press(state, { key: 'd', shiftKey: false, ctrlKey: false, altKey: false, metaKey: false });
  expect(state.place.value.settings.edits[1]).toEqual([{ from: 0, to: 2, nth: 0, does: 'drop' }]);
  expect(html(state)).toContain('<code>drop.0-2-0</code>');
  const { settings } = state.place.value;
  expect(withoutEdit(settings, 1, 0).edits).toEqual(quick.edits);
});

test('a crashed node is offered to be restarted, and the cursor stays at its moment', () => {
  const state = holding();
  const held = heldIn(state);
  const { settings } = state.place.value;
  const crash = held && actsOnNode(settings, held, 2)[1];
  state.edit(crash?.title ?? '', crash?.settings ?? settings);
  const after = heldIn(state);
  expect(after?.now).toBeLessThanOrEqual((held?.now ?? 0) + 1);
  state.move(state.timeline.value.length);
  state.hold(1, state.drawn.value[1]?.layout.shown.at(-1) ?? 0);
  const now = heldIn(state);
  expect(now && actsOnNode(state.place.value.settings, now, 2)[1]?.title).toBe('restart n2');
});

test('a search tells how far it is and ends at the first violation, which is made small', () => {
  const honest = scenarioOf(quick, 0);
  const none = heard({ ask: 'search', scenario: honest, seeds: 45 });
  expect(
    none.map((each) => each.says === 'searched' && [each.runs, each.seed, each.isWhole]),
  ).toEqual([
    [20, undefined, false],
    [40, undefined, false],
    [45, undefined, true],
  ]);
  const lying = scenarioOf({ ...quick, attack: 'equivocating-leader' }, 0);
  expect(heard({ ask: 'search', scenario: lying, seeds: 1000 })).toEqual([
    { says: 'searched', runs: 1, seed: '42', isWhole: true },
  ]);
  // Begun again where it had come to, it says the same of the rest.
  expect(heard({ ask: 'search', scenario: honest, seeds: 45, from: 40 })).toEqual(none.slice(2));
  const told: Answer[] = [];
  const [small] = [...answer({ ask: 'shrink', scenario: lying }, (each) => told.push(each))];
  expect(told.length).toBeGreaterThan(5);
  const last = told.at(-1);
  expect(last?.says === 'tried' && triedWords(last, '9')).toMatch(
    /\d+ events are \d+ so far, after \d+ tries of \d+ events in all, 9 tries a second/,
  );
  if (small?.says !== 'shrunk' || small.ran === undefined) throw new Error(JSON.stringify(small));
  expect(small.after).toBeLessThan(small.before / 2);
  expect(small.ran).toMatchObject({ word: 'forked', command: '' });
  expect(heard({ ask: 'shrink', scenario: honest })).toEqual([
    { says: 'cannot', why: expect.stringContaining('search for a seed first') },
  ]);
});

const globals = globalThis as { quorumlabLie?: unknown };
afterEach(() => void delete globals.quorumlabLie);

test('a lie of one’s own acts, and what is wrong with it is a sentence', () => {
  const question = { ask: 'own', scenario: scenarioOf(quick, 0), script: '' } as const;
  expect(heard(question)[0]).toMatchObject({ why: expect.stringContaining('is no function') });
  globals.quorumlabLie = (to: number) => (to === 2 ? false : undefined);
  const [ran] = heard(question);
  expect(ran?.says === 'ran' && ran.ran.fired).toBeGreaterThan(0);
  globals.quorumlabLie = () => {
    throw new TypeError('no such part');
  };
  expect(heard(question)[0]).toEqual({
    says: 'cannot',
    why: 'Your script threw TypeError: no such part. Mend it, and run it again.',
  });
  // It is gone again: no scenario can name it.
  const { attack } = scenarioOf(quick, 0);
  expect(attack).toBe('none');
});

test('a frame for lecturers has the runs and nothing around them', () => {
  const shown = html(visited(linkOf(quick).replace('#/play', '#/embed')));
  expect(shown).not.toContain('<nav');
  expect(shown).not.toContain('class="controls"');
  expect(shown).toContain('class="scrubber"');
  expect(shown).toContain('Open this in the playground');
});

test('what is opened and is no trace is a sentence that says what to do', () => {
  const state = visited('#/trace');
  for (const [text, sentence] of [
    ['', 'empty, damaged or too large'],
    ['<html>', 'This page holds no trace'],
    ['{"schema":"quorumlab.result/1"}', 'open the trace file that it names'],
    ['{"schema":"other"}', 'Make one with quorumlab run'],
  ] as const) {
    state.open(text);
    expect(html(state)).toContain(sentence);
  }
});
