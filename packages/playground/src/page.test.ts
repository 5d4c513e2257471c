import { attacks, completeScenario, protocols } from '@quorumlab/harness';
import { demo, linkOf, placeOf, scenarioOf } from '@quorumlab/harness/link';
import { h } from 'preact';
import { render } from 'preact-render-to-string';
import { expect, test } from 'vitest';
import type { Ask } from './asking.ts';
import { linkToCell } from './compare.ts';
import { type KeyPress, keyActions, press } from './keys.ts';
import { App } from './pages.ts';
import { ranOf } from './ran.ts';
import { rest } from './rest.ts';
import { answer } from './runs.ts';
import { createState, type State } from './state.ts';

/** A page without a thread: answers come at once. */
const atOnce: Ask = (question, hear) => {
  for (const each of answer(question)) hear(each);
  return () => undefined;
};

function visited(hash: string): State {
  const state = createState(atOnce);
  state.arrive(rest);
  state.visit(hash);
  return state;
}

const quick = { ...demo, crypto: 'ideal' as const };
const html = (state: State): string => render(h(App, { state }));
const key = (name: string, more: Partial<KeyPress> = {}): KeyPress => ({
  ...{ key: name, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false },
  ...more,
});
const heldAt = ({ timeline, selection, drawn }: State) => {
  const now = timeline.value[selection.value.count - 1];
  return now && drawn.value[now.side]?.model.events[now.event];
};

test('the first page stands at the fork, verdicts in words before any picture', () => {
  const state = visited('');
  const shown = html(state);
  expect(heldAt(state)?.k).toBe('violation');
  expect(state.pace.value).toBe(0);
  expect(shown).toMatch(/✗ forked<\/strong> position 1: n\d committed/);
  expect(shown).toMatch(/✓ ok<\/strong> 2 operations answered/);
  expect(shown.indexOf('✗ forked')).toBeLessThan(shown.indexOf('<svg'));
  expect(shown).toContain('at the same f = 1');
  for (const button of ['Play it from the start', 'Make the traitor honest', 'Change anything'])
    expect(shown).toContain(button);
});

test('with an honest leader, both agree', () => {
  const state = visited('');
  state.run({ ...quick, attack: 'none' });
  const shown = html(state);
  expect(shown.match(/✓ ok<\/strong>/g)).toHaveLength(2);
  expect(shown).toContain('Nobody lies');
  expect(shown).toContain('Let n0 lie again');
});

test('every key does what its line says, and a letter nothing once letters are off', () => {
  const state = visited(linkOf(quick));
  const all = state.timeline.value.length;
  const at = (): number => state.selection.value.count;
  const does = (name: string, more?: Partial<KeyPress>): number => {
    expect(press(state, key(name, more)), name).toBe(true);
    return at();
  };
  expect(does('Home')).toBe(0);
  expect(does('ArrowLeft')).toBe(0);
  expect(does('ArrowRight')).toBe(1);
  expect(does('End')).toBe(all);
  expect(does('ArrowRight')).toBe(all);
  does('Home');
  does('c');
  expect(heldAt(state)?.k).toBe('commit');
  does('v');
  expect(heldAt(state)?.conflicts).toBe(true);
  const node = heldAt(state)?.n;
  does('ArrowLeft', { shiftKey: true });
  expect(heldAt(state)?.n).toBe(node);
  does('s');
  expect(html(state)).toContain('class="story"');
  does('r');
  expect(html(state)).toContain('class="ring"');
  does('r');
  does('e');
  expect(state.timeline.value.length).toBeGreaterThan(all);
  does('?');
  const help = html(state);
  for (const { title } of keyActions) expect(help).toContain(title);
  does('Escape');
  does(' ');
  expect(state.pace.value).toBeGreaterThan(0);
  expect(press(state, key('c', { ctrlKey: true }))).toBe(false);
  state.letters.value = false;
  expect(press(state, key('c'))).toBe(false);
  expect(press(state, key('ArrowRight'))).toBe(true);
});

test('two runs share one scale: no side shows what comes later on the other', () => {
  const state = visited(linkOf(quick));
  const { timeline, cursors, drawn, move } = state;
  for (let count = 0; count <= timeline.value.length; count += 7) {
    move(count);
    const now = timeline.value[count - 1]?.t ?? -1;
    for (const [side, cursor] of cursors.value.entries())
      if (cursor >= 0) expect(drawn.value[side]?.model.events[cursor]?.t).toBeLessThanOrEqual(now);
  }
});

test('runs that are under way show nothing of those before, and are stopped by others', () => {
  const asked: string[] = [];
  const stopped: string[] = [];
  const state = createState((question, hear) => {
    const name = 'scenario' in question ? question.scenario.seed : 'a trace';
    asked.push(name);
    if (name === '42') for (const each of answer(question)) hear(each);
    return () => void stopped.push(name);
  });
  state.arrive(rest);
  state.visit(linkOf(quick));
  expect(state.selection.value.count).toBeGreaterThan(0);
  state.run({ ...quick, seed: 'slow' });
  expect(state.selection.value.count).toBe(0);
  expect(html(state)).toContain('running …');
  expect(html(state)).toContain('event 0 of 0');
  state.run(quick);
  expect(asked).toEqual(['42', '42', 'slow', 'slow', '42', '42']);
  expect(stopped).toEqual(['42', '42', 'slow', 'slow']);
});

test('what is held stays in the inspector, and the cursor comes to it', () => {
  const state = visited(linkOf(quick, { at: 3 }));
  expect(state.selection.value.count).toBe(3);
  const last = state.drawn.value[1]?.layout.shown.at(-1) ?? 0;
  state.hold(1, last);
  expect(state.cursors.value[1]).toBe(last);
  expect(html(state)).toContain(`event ${last} at`);
});

test('a link leads to the same runs at the same moment, and says when it does not', () => {
  const state = visited(linkOf(quick, { at: 20 }));
  const again = visited(state.link());
  expect(again.link()).toBe(state.link());
  expect(html(again)).not.toContain('another run');
  const forged = visited(state.link().replace(/h=\w{8}/, 'h=00000000'));
  expect(html(forged)).toContain('which gives another run');
  // What is chosen afterwards is no longer what the link was made of.
  forged.run({ ...quick, seed: '43' });
  expect(html(forged)).not.toContain('another run');
});

test('who compares is told at what, and what cannot be is a sentence beside what can', () => {
  const same = html(visited(linkOf({ ...quick, same: 'n', n: 4 })));
  expect(same).toContain('at the same n = 4');
  expect(same).toContain('raft, n = 4, f = 1');
  const mutants = ['figure-9', ''] as const;
  const odd = html(visited(linkOf({ ...quick, mutants })));
  expect(odd).toContain('Did you mean figure-8?');
  expect(odd).toContain('✓ ok');
});

test('a trace is shown, run again and compared; what is none is a sentence', () => {
  const [ran] = [...answer({ ask: 'run', scenario: visitedScenario() })];
  if (ran?.says !== 'ran') throw new Error('it did not run');
  const state = visited('#/trace');
  expect(html(state)).not.toContain('class="scrubber"');
  state.open(ran.ran.trace);
  expect(html(state)).toContain(`every line is the same, digest ${ran.ran.digest}`);
  expect(heldAt(state)?.k).toBe('violation');
  state.open(ran.ran.trace.replace('"k":"commit"', '"k":"note"'));
  expect(html(state)).toContain('it differs first at line');
  state.open('{"schema":"something else"}');
  expect(html(state)).toContain('This is no trace');
});

function visitedScenario() {
  const [side] = visited(linkOf(quick)).sides.value;
  const scenario = side?.is === 'ran' ? side.ran?.scenario : undefined;
  if (scenario === undefined) throw new Error('it did not run');
  return scenario;
}

test('every page has its heading, and says which one it is', () => {
  for (const [hash, title] of [
    ['#/compare', 'Who survives what'],
    ['#/trace', 'Open a trace'],
    ['#/nowhere', 'There is no page'],
  ] as const)
    expect(html(visited(hash))).toContain(title);
  expect(html(visited('#/compare'))).toMatch(/aria-current="page"[^>]*>Compare/);
});

test('a cell of the matrix leads to the very run that it counts', () => {
  for (const { name: protocol } of protocols)
    for (const { name: attack } of attacks) {
      const { settings, complaints } = placeOf(linkToCell(protocol, attack, 'x7'));
      expect(complaints).toEqual([]);
      expect(scenarioOf(settings, 0)).toEqual(completeScenario({ protocol, attack, seed: 'x7' }));
    }
});

test('clients and options stand in the link and in the form, and a wrong one is a sentence', () => {
  const link = linkOf({
    ...{ ...quick, attack: 'none', workload: 'a', count: 9, clients: 5, outstanding: 2 },
    options: [['electionTimeout=400ms'], []],
  });
  const state = visited(link);
  const [side] = state.sides.value;
  const { scenario } = (side?.is === 'ran' ? side.ran : undefined) ?? {};
  expect(scenario).toMatchObject({ clients: 5, outstanding: 2, options: { electionTimeout: 4e5 } });
  expect(html(state)).toContain('value="electionTimeout=400ms"');
  expect(placeOf(state.link()).settings).toEqual(placeOf(link).settings);
  const wrong = visited(linkOf({ ...quick, options: [['electionTimeout=1'], ['no=1']] }));
  const why = wrong.sides.value.map((each) => (each.is === 'cannot' ? each.why : each.is));
  expect(why).toEqual([
    expect.stringMatching(/electionTimeout/),
    expect.stringMatching(/no option of pbft "no"/),
  ]);
  for (const each of why) expect(each).not.toContain('internal error');
});

test('a run that is larger than a page can show is stopped, and the terminal is named', () => {
  const scenario = completeScenario({ protocol: 'pbft', count: 3 });
  const { length } = ranOf(scenario).trace;
  expect(ranOf(scenario, undefined, length).trace).toHaveLength(length);
  expect(() => ranOf(scenario, undefined, length - 1)).toThrow(
    /larger than a page can show.*or use a terminal: quorumlab run pbft -n 4 -f 1/,
  );
});
