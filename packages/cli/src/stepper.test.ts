import { completeScenario, runScenario } from '@quorumlab/harness';
import { parseTrace, traceBuffer } from '@quorumlab/sim';
import { modelOf } from '@quorumlab/trace-view';
import { expect, test } from 'vitest';
import { terminal } from './io.ts';
import { eventLine, pressed, type Stepper, screenOf, stepperOf } from './stepper.ts';

const trace = traceBuffer();
runScenario(completeScenario({ protocol: 'raft', count: 2, attack: 'equivocating-leader' }), {
  trace,
});
const model = modelOf(parseTrace(trace.text()));
const io = terminal({ color: 'never' });
const keys = (stepper: Stepper, ...names: readonly string[]): Stepper =>
  names.reduce(pressed, stepper);
const typing = (text: string): readonly string[] => ['f', ...text, 'return'];
const shown = (stepper: Stepper): string => screenOf(io, stepper).join('\n');

test('arrows step one event and stop at both ends, which is said', () => {
  const start = stepperOf(model);
  expect(keys(start, 'right', 'right', 'left').at).toBe(1);
  expect(shown(keys(start, 'left'))).toContain('first event');
  const last = keys(start, 'end');
  expect(last.at).toBe(model.events.length - 1);
  expect(shown(keys(last, 'right'))).toContain('last event');
  expect(keys(last, 'home').at).toBe(0);
});

test('v goes to what is wrong, in words, and V back', () => {
  const first = keys(stepperOf(model), 'v');
  expect(model.events[first.at]).toMatchObject({ conflicts: true });
  expect(shown(first)).toMatch(/✗ n\d commits/);
  const end = keys(first, 'v', 'v', 'v', 'v', 'v', 'v', 'v', 'v');
  expect(shown(keys(end, 'end', 'v'))).toContain('no violation comes after');
  expect(keys(end, 'V').at).toBeLessThan(end.at);
});

test('a filter by node, kind and slot is all that is walked through; none is again all', () => {
  const only = keys(stepperOf(model), ...typing('n1 commit slot 1'));
  expect(only.filter).toEqual({ node: 1, kind: 'commit', slot: 1 });
  expect(model.events[only.at]).toMatchObject({ n: 1, k: 'commit' });
  expect(shown(only)).toContain('only n1 commit slot 1');
  expect(keys(only, 'right').at).toBe(only.at);
  expect(keys(only, ...typing('')).filter).toEqual({});
  expect(shown(keys(only, ...typing('n9')))).toContain('not "n9"');
  expect(shown(keys(only, ...typing('slot 999')))).toContain('no event is of slot 999');
  expect(keys(only, 'f', 'x', 'escape').filter).toEqual(only.filter);
});

test('the message and the states are shown on demand, operations as text and not as bytes', () => {
  const lie = keys(stepperOf(model), ...typing('append-entries'), 'm');
  expect(shown(lie)).toMatch(/append-entries signed by n\d/);
  const end = keys(stepperOf(model), 'end', 's');
  expect(shown(end)).toMatch(/n0 \(a liar\)/);
  expect(shown(end)).toMatch(/n1 .*has committed .*(Ann|Bob)/);
  const all = model.events.map((event) => eventLine(io, model, event)).join('\n');
  expect(all).toMatch(/with (Ann|Bob)/);
  expect(all).not.toMatch(/\b0x|\b[\da-f]{24}/);
});

test('what a trace says moves no cursor, and every screen fits its columns', () => {
  const [first] = model.events;
  const evil = { ...first, k: 'violation', details: { word: 'x', sentence: '\u001b[2J\rhidden' } };
  const hostile = { ...model, events: [evil] } as unknown as typeof model;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be there.
  expect(shown(stepperOf(hostile))).not.toMatch(/[\0-\x09\x0b-\x1f\x7f]/);
  for (const key of ['m', 's', '?'])
    for (const line of screenOf(io, keys(stepperOf(model), key)))
      expect([...line].length).toBeLessThanOrEqual(io.columns);
});

test('o asks for this moment in the playground, once', () => {
  const asked = keys(stepperOf(model), 'right', 'o');
  expect(asked).toMatchObject({ at: 1, opens: true, ended: false });
  expect(shown(asked)).toContain('opening the playground');
  expect(keys(asked, 'right').opens).toBeUndefined();
});
