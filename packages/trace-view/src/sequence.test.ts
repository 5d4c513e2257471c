import { completeScenario, runScenario } from '@quorumlab/harness';
import { parseTrace, traceBuffer } from '@quorumlab/sim';
import { expect, test } from 'vitest';
import { modelOf, sendOf } from './model.ts';
import { mermaidOf, plantUmlOf, shiVizOf } from './sequence.ts';

function modelFor(more: object) {
  const trace = traceBuffer();
  runScenario(completeScenario({ protocol: 'raft', count: 2, ...more }), { trace });
  return modelOf(parseTrace(trace.text()));
}
const forked = modelFor({ attack: 'equivocating-leader' });
const lossy = modelFor({ network: 'lossy', count: 20 });

test('both diagrams have every lane, the lie to each side, and the fork', () => {
  for (const text of [mermaidOf(forked), plantUmlOf(forked)]) {
    expect(text.match(/participant/g)).toHaveLength(forked.seats.length);
    expect(text).toMatch(/s0 ?->>? ?s1 ?: .*Bob/);
    expect(text).toMatch(/s0 ?->>? ?s2 ?: .*Ann/);
    expect(text).toMatch(/✗ n\d commits/);
    expect(text).not.toMatch(/\b[\da-f]{24}/);
  }
  expect(mermaidOf(forked)).toMatch(/^sequenceDiagram\n/);
  expect(plantUmlOf(forked)).toMatch(/^@startuml\n.*\n@enduml\n$/s);
});

test('lost messages end in a cross, and everything is more than what told something', () => {
  const lines = (text: string): number => text.split('\n').length;
  expect(mermaidOf(lossy, { everything: true })).toMatch(/s\d-xs\d: /);
  expect(plantUmlOf(lossy, { everything: true })).toMatch(/s\d ->x s\d : /);
  expect(lines(mermaidOf(lossy, { everything: true }))).toBeGreaterThan(lines(mermaidOf(lossy)));
});

test('no operation makes a line, a command or a mark-up of its own', () => {
  const evil = 'x\nend;%%{init}%% <b>"@enduml\n!include /etc/passwd';
  const message = { ...[...forked.messages.values()][0], values: evil };
  const events = forked.events.map((event) =>
    event.message === undefined ? event : { ...event, message: message as typeof event.message },
  );
  const model = { ...forked, events };
  for (const make of [mermaidOf, plantUmlOf]) {
    const text = make(model);
    expect(text).not.toMatch(/^\s*(end;|%%|!include|@enduml.+)/m);
    expect(text).not.toMatch(/<b>|%%\{/);
  }
});

test('vector clocks say what happened before what: a receipt is after its send', () => {
  const [, , ...rows] = shiVizOf(forked).trimEnd().split('\n');
  const clocks = rows.filter((_, i) => i % 2 === 0).map((row) => row.split(' '));
  const told = forked.events.filter(({ n, k }) => n >= 0 && !['drop', 'dup', 'apply'].includes(k));
  expect(clocks).toHaveLength(told.length);
  const clockOf = new Map(
    told.map(({ i }, place) => [i, JSON.parse(clocks[place]?.[1] ?? '') as Record<string, number>]),
  );
  for (const event of told) {
    const own = clocks[told.indexOf(event)]?.[0] as string;
    const send = event.k === 'deliver' ? sendOf(forked, event) : undefined;
    if (send === undefined) continue;
    const [before, after] = [clockOf.get(send.i), clockOf.get(event.i)];
    for (const [name, count] of Object.entries(before ?? {}))
      expect(after?.[name]).toBeGreaterThanOrEqual(count + (name === own ? 1 : 0));
  }
});
