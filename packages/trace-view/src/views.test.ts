import { completeScenario, protocols, runScenario, type Scenario } from '@quorumlab/harness';
import { parseTrace, traceBuffer } from '@quorumlab/sim';
import { type ComponentType, h } from 'preact';
import { render } from 'preact-render-to-string';
import { describe, expect, test } from 'vitest';
import { nearestTo } from './bundles.ts';
import {
  Inspector,
  Lanes,
  Log,
  layoutOf,
  modelOf,
  Ring,
  Story,
  type TraceModel,
  type ViewProps,
} from './index.ts';
import { overlap } from './labels.ts';

const cache = new Map<string, TraceModel>();

/** A run as views get it. */
function seen(given: Partial<Scenario> & Pick<Scenario, 'protocol'>): TraceModel {
  const scenario = completeScenario({ count: 2, ...given });
  const key = JSON.stringify(scenario);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const trace = traceBuffer();
  runScenario(scenario, { trace, lines: false });
  const model = modelOf(parseTrace(trace.text()));
  cache.set(key, model);
  return model;
}

const attack = 'equivocating-leader';
const forked = (): TraceModel => seen({ protocol: 'raft', attack });
const all = (model: TraceModel): ViewProps => ({
  model,
  at: model.events.length - 1,
  onSelect: () => undefined,
});
const html = <P extends object>(view: ComponentType<P>, props: P): string => render(h(view, props));
const text = (markup: string): string => markup.replaceAll(/<[^>]+>/g, ' ');

const worlds: readonly (Partial<Scenario> & Pick<Scenario, 'protocol'>)[] = [
  ...protocols.map(({ name }) => ({ protocol: name, attack })),
  { protocol: 'raft', n: 7, f: 3, network: 'lossy', count: 10 },
  { protocol: 'pbft', n: 7, f: 2, attack: 'double-voter', by: [0] },
  { protocol: 'pbft', n: 10, f: 3, network: 'wan', count: 6, clients: 4 },
  { protocol: 'raft', n: 5, attack: 'crash-leader', count: 6 },
  { protocol: 'raft', n: 5, attack: 'split', count: 6 },
];

describe.each(worlds)('the picture of $protocol n=$n under $attack on $network', (world) => {
  test.each([false, true])('has no label on another, on a mark or outside (%s)', (everything) => {
    const { labels, marks, width } = layoutOf(seen(world), everything);
    expect(labels.length).toBeGreaterThan(0);
    const boxes = labels.map(({ box }) => box);
    for (const [i, box] of boxes.entries()) {
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(boxes.slice(i + 1).filter((each) => overlap(box, each))).toEqual([]);
    }
    const points = marks.map(({ x, y }) => ({ x: x - 3, y: y - 3, width: 6, height: 6 }));
    expect(points.filter((point) => boxes.some((box) => overlap(point, box)))).toEqual([]);
  });

  test('has time run downwards, and every arrow from its cause to its effect', () => {
    const model = seen(world);
    const { arrows, rows, shown } = layoutOf(model);
    expect(rows.map(({ y }) => y)).toEqual(rows.map(({ y }) => y).sort((one, two) => one - two));
    for (const { from, to, send, end } of arrows) {
      expect(from[1]).toBeLessThanOrEqual(to[1]);
      expect(model.events[send]?.message).toBe(model.events[end]?.message);
      expect(shown).toContain(end);
    }
  });

  test('says in the story what it shows', () => {
    const model = seen(world);
    const layout = layoutOf(model);
    const story = html(Story, { ...all(model), layout });
    expect(story.match(/<li/g)).toHaveLength(layout.shown.length);
    for (const { message, senders, to } of layout.marks.flatMap(({ votes }) => votes ?? []))
      expect(text(story)).toMatch(
        RegExp(`${model.seats[to]?.name} has ${message.kind}.* ${senders.length} of ${model.n}`),
      );
    expect(text(story)).not.toMatch(/undefined|\[object|NaN/);
  });
});

test('folding leaves out what changed nothing, and no commit and no violation', () => {
  const model = forked();
  const [some, every] = [layoutOf(model), layoutOf(model, true)];
  expect(some.shown.length).toBeLessThan(every.shown.length * 0.6);
  expect(some.arrows.length).toBeLessThan(every.arrows.length);
  for (const { event } of model.commits) expect(some.shown).toContain(event);
  expect(some.shown).toContain(model.violation);
});

test('equal votes of a group are one mark that counts them, liars told apart', () => {
  const labels = layoutOf(seen({ protocol: 'pbft', attack })).labels.map((label) => label.text);
  expect(labels).toEqual(expect.arrayContaining(['Ann: pr… 2/4', 'Ann: co… 3/4']));
  const seven = layoutOf(seen({ protocol: 'pbft', n: 7, f: 2 })).labels.map((each) => each.text);
  // The lanes are narrow: of a long label the count stays.
  expect(seven).toEqual(expect.arrayContaining([expect.stringMatching(/^Ann.*… 7\/7$/)]));
  const lied = layoutOf(forked()).labels.map((each) => each.text);
  expect(lied.filter((each) => each.endsWith('3/3 ⚠'))).not.toEqual([]);
});

test('a lie is told apart from other values by its stroke, in the label by its weight', () => {
  const { arrows } = layoutOf(forked());
  expect(arrows.filter(({ role }) => role === 'lie').length).toBeGreaterThanOrEqual(2);
  const honest = layoutOf(seen({ protocol: 'raft' }));
  expect(honest.arrows.filter(({ role }) => role === 'lie')).toEqual([]);
});

test('a fork is crossed and hatched in picture and log, and nothing is without one', () => {
  const model = forked();
  expect(html(Lanes, all(model))).toContain('class="mark commit conflicts"');
  expect(html(Log, all(model))).toContain('✗ Bob');
  expect(html(Log, all(model))).toContain('✗ Ann');
  expect(html(Log, all(model))).toContain('⚠ n0 says');
  const honest = seen({ protocol: 'raft' });
  expect(html(Log, all(honest))).not.toMatch(/✗|⚠|conflicts/);
  expect(html(Lanes, all(honest))).not.toMatch(/✗|⚠|mark commit conflicts/);
});

test('a view stands at its cursor and shows nothing of what is to come', () => {
  const model = forked();
  const early = { ...all(model), at: 20 };
  expect(html(Log, early)).toContain('Nobody has committed anything yet.');
  expect(html(Lanes, early)).not.toContain('mark commit');
  expect(text(html(Story, early))).not.toContain('commits');
  expect(html(Lanes, { ...all(model), at: 0 })).toContain('<svg');
});

test('the inspector leads to cause and effects, and shows the other story of a liar', () => {
  const model = forked();
  const lie = layoutOf(model).arrows.find(({ role }) => role === 'lie');
  const shown = text(html(Inspector, { ...all(model), selected: lie?.send }));
  expect(shown).toMatch(/n0 sends append-entries with (Ann|Bob) to n[12]/);
  expect(shown).toMatch(/Twin: n0 told n\d.* append-entries with (Ann|Bob)/);
  expect(shown).toMatch(/Because/);
  expect(shown).toMatch(/So that\s+n\d receives append-entries/);
  const proof = {
    ...{ signer: 0, about: 'entry/1/2' },
    first: { kind: 'append-entries', what: 'put winner=Bob', signature: '1a' },
    second: { kind: 'append-entries', what: 'put winner=Ann', signature: '1b' },
  };
  const proven = { ...all(model), selected: model.violation, proofs: [proof] };
  expect(text(html(Inspector, proven))).toContain('Proof that n0 lied');
});

test('what is chosen is said to whoever asked', () => {
  const model = forked();
  const chosen: number[] = [];
  const tree = Log({ ...all(model), onSelect: (event) => void chosen.push(event) });
  const press = (node: unknown): void => {
    if (Array.isArray(node)) for (const each of node) press(each);
    if (typeof node !== 'object' || node === null || !('props' in node)) return;
    const { type, props } = node as { type: unknown; props: Record<string, unknown> };
    if (typeof type === 'function') press(type(props));
    else if (type === 'button') (props.onClick as () => void)();
    press(props.children);
  };
  press(tree);
  expect(chosen).toEqual(expect.arrayContaining(model.commits.map(({ event }) => event)));
});

test('certificates say who signed', () => {
  const model = seen({ protocol: 'hotstuff' });
  const carried = [...model.messages.values()].find((each) =>
    each.carried.some(({ kind, signers }) => kind === 'vote' && signers.length === 3),
  );
  const event = model.events.find(({ message }) => message === carried);
  const shown = text(html(Inspector, { ...all(model), selected: event?.i }));
  expect(shown).toMatch(/Carries 3 signed of 4: vote/);
});

test('the ring shows who leads, who lies and what is under way', () => {
  const model = forked();
  const lie = layoutOf(model).arrows.find(({ role }) => role === 'lie');
  const shown = html(Ring, { ...all(model), at: lie?.send ?? 0 });
  expect(shown).toContain('class="node liar leads"');
  expect(shown).toContain('class="flight"');
  expect(html(Ring, all(seen({ protocol: 'raft', n: 5 })))).not.toContain('liar');
});

test('a trace that was cut off, or whose header says nothing, is shown as far as it goes', () => {
  const trace = traceBuffer();
  runScenario(completeScenario({ protocol: 'raft', count: 2 }), { trace });
  const cut = modelOf(parseTrace(trace.lines.slice(0, 80).join('\n')));
  expect(cut.digest).toBeUndefined();
  expect(html(Lanes, all(cut))).toContain('<svg');
  const header = JSON.stringify({ ...JSON.parse(trace.lines[0] ?? ''), scenario: null });
  const bare = modelOf(parseTrace([header, ...trace.lines.slice(1)].join('\n')));
  expect(bare.seats.map(({ name }) => name)).toEqual(['n0', 'n1', 'n2', 'c0', 'c1']);
  expect(text(html(Story, all(bare)))).toContain('commits Ann');
});

test('what is not in sight is not drawn, and what is stands where it stood', () => {
  const model = forked();
  const layout = layoutOf(model);
  const at = model.events.length - 1;
  const drawn = (window?: readonly [number, number]): string =>
    render(h(Lanes, { model, layout, at, onSelect: () => undefined, ...(window && { window }) }));
  const count = (text: string, part: string): number => text.split(part).length - 1;
  const marks = (text: string): number => count(text, 'class="mark');
  const half = drawn([0, layout.height / 2]);
  expect(marks(half)).toBeLessThan(marks(drawn()));
  expect(marks(half)).toBeGreaterThan(0);
  expect(marks(drawn([0, layout.height]))).toBe(marks(drawn()));
  expect(half).toContain(`height="${layout.height}"`);
  // Of a large picture the arrows are drawn together, each where it is drawn alone.
  const lines = (text: string): readonly string[] =>
    [...text.matchAll(/class="stroke" d="([^"]*)"/g)].flatMap(([, d = '']) => d.split(/(?=M)/));
  const ends = layout.arrows.map(({ from, to: [x2, y2], lost }) => {
    const [x1, y1] = from;
    const [x, y] = lost ? [x1 + (x2 - x1) * 0.85, y1 + (y2 - y1) * 0.85] : [x2, y2];
    return `M${x1} ${y1}L${x} ${y}`;
  });
  const together = drawn([0, layout.height]);
  expect([...lines(together)].sort()).toEqual([...ends].sort());
  expect(count(drawn(), 'class="stroke"')).toBe(ends.length);
  expect(count(together, 'class="stroke"')).toBeLessThan(ends.length);
  // Who points at the middle of one of two means that one.
  const two = [layout.arrows[0], layout.arrows.at(-1)].filter((each) => each !== undefined);
  for (const arrow of two) {
    const { from, to } = arrow;
    expect(nearestTo([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2], two)).toBe(arrow);
  }
});
