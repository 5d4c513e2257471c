import { expect, test } from 'vitest';
import { believing, type Counting, countingMessages, countingSeats } from '../fixtures/counting.ts';
import {
  asynchronous,
  compareTraces,
  type Fault,
  lan,
  lossy,
  parseTrace,
  partiallySynchronous,
  ScenarioError,
  type Simulation,
  type SimulationOptions,
  type SimulationResult,
  simulate,
  ssd,
  traceBuffer,
} from './index.ts';

const start = (more: Partial<SimulationOptions<Counting>> = {}): Simulation<Counting> =>
  simulate<Counting>({
    messages: countingMessages,
    keyring: believing,
    seats: countingSeats(3, { disk: { ...ssd, torn: true } }),
    network: lossy,
    seed: 42,
    limits: { until: 500_000 },
    ...more,
  });

const storms: readonly Fault[] = [
  { type: 'crash', at: 50_000, seat: 0 },
  { type: 'restart', at: 70_000, seat: 0 },
  { type: 'split', at: 100_000, groups: [[0], [1, 2]] },
  { type: 'heal', at: 150_000 },
  { type: 'pause', at: 180_000, seat: 1 },
  { type: 'skew', at: 190_000, seat: 2, by: 1_000, driftPerBillion: 40_000_000 },
  { type: 'resume', at: 220_000, seat: 1 },
];

const traced = (more: Partial<SimulationOptions<Counting>> = {}): [string, SimulationResult] => {
  const sink = traceBuffer();
  const result = start({
    faults: storms,
    trace: { sink, engine: 'test', scenario: { seed: 42 }, protocolVersions: { counting: '1' } },
    ...more,
  }).run();
  return [sink.text(), result];
};

test('one scenario is one run, byte for byte, and the trace changes nothing', () => {
  const [text, result] = traced();
  const [again, second] = traced();
  expect(compareTraces(text, again)).toBeUndefined();
  expect(second).toEqual(result);
  const silent = start({ faults: storms }).run();
  expect(silent).toEqual(result);
  expect(result.digest).toMatch(/^[0-9a-f]{64}$/);
  expect(result.counters.decisions).toBeGreaterThan(50);
});

test('the digest is the same on every engine, for ever: it is written down here', () => {
  expect(start({ faults: storms }).run().digest).toMatchInlineSnapshot(
    `"765098f8c0dd2d5453733c2ea62fa324acb79ae0eaede053cf35af43c6625358"`,
  );
});

test('another seed, another run; any other choice shows in the digest', () => {
  const digests = new Set<string>();
  for (let seed = 0; seed < 20; seed++) digests.add(start({ seed, faults: storms }).run().digest);
  for (const network of [lan, asynchronous, partiallySynchronous({ gst: 1e5, delta: 1e3 })])
    digests.add(start({ network }).run().digest);
  expect(digests.size).toBe(23);
});

test('strict copying, freezing and encoding find nothing here and change nothing', () => {
  const plainRun = start({ faults: storms, countBytes: true }).run();
  expect(start({ faults: storms, strict: true }).run()).toEqual(plainRun);
  expect(plainRun.counters.bytes).toBeGreaterThan(plainRun.counters.sent);
});

test('a recorded run can be played from its decisions alone, and so can any part of them', () => {
  const original = start({ faults: storms, record: true });
  const { digest } = original.run();
  const list = original.decisions();
  expect(list.length).toBeGreaterThan(500);
  expect(start({ faults: storms, seed: 'other', decisions: list }).run().digest).toBe(digest);
  for (const cut of [0, 1, 10, list.length >> 1]) {
    const part = start({ faults: storms, decisions: list.slice(0, cut), record: true });
    const { digest: shorter } = part.run();
    const again = start({ faults: storms, decisions: part.decisions() }).run();
    expect(again.digest).toBe(shorter);
  }
});

test('stepping, running in parts and running at once are the same run', () => {
  const whole = start({ faults: storms }).run();
  const steps = start({ faults: storms });
  while (steps.step());
  expect(steps.finish()).toEqual(whole);
  const parts = start({ faults: storms });
  for (let at = 0; at < 500_000; at += 777) parts.runUntil(at);
  expect(parts.run()).toEqual(whole);
  expect(whole.ending).toBe('until');
  expect(whole.now).toBe(500_000);
});

test('limits end a run: events, time, nothing left', () => {
  const few = start({ limits: { events: 100 } }).run();
  expect([few.ending, few.events]).toEqual(['events', 100]);
  const alone = start({
    seats: countingSeats(3).map((seat) => ({
      ...seat,
      make: (): never => {
        throw new Error('no');
      },
    })),
    limits: { until: 1e9 },
  }).run();
  expect([alone.ending, alone.events, alone.counters.crashes]).toEqual(['idle', 0, 3]);
});

test('what is sent is delivered, dropped or under way, at the rates of the network', () => {
  const sim = start({ limits: { events: 30_000 } });
  const { counters } = sim.run();
  const { sent, delivered, dropped, duplicated } = counters;
  expect(sent + duplicated - delivered - dropped).toBeLessThan(50);
  expect(Math.abs(dropped / sent - 0.05)).toBeLessThan(0.02);
  expect(Math.abs(duplicated / sent - 0.02)).toBeLessThan(0.01);
  expect(counters.signed).toBeLessThan(sent + counters.toSelf);
  expect(counters.largestQueue).toBeLessThan(100);
  const rows = Object.values(counters.kinds);
  expect(rows.reduce((sum, row) => sum + row.sent, 0)).toBe(sent);
});

test('a trace says who caused what, names every message once and reads back', () => {
  const [text, result] = traced();
  const trace = parseTrace(text);
  expect(trace.footer?.digest).toBe(result.digest);
  expect(trace.header.scenario).toEqual({ seed: 42 });
  const kinds = new Set(trace.events.map(({ k }) => k));
  for (const kind of ['send', 'deliver', 'drop', 'dup', 'timer', 'state', 'accept', 'commit'])
    expect(kinds).toContain(kind);
  for (const kind of ['crash', 'restart', 'split', 'heal', 'skew', 'note'])
    expect(kinds).toContain(kind);
  for (const event of trace.events) {
    if (event.k === 'deliver' || event.k === 'drop') {
      const cause = trace.events[event.c as number];
      expect(['send', 'dup']).toContain(cause?.k);
      expect(cause?.m).toBe(event.m);
    }
    if (event.k === 'send' && event.c !== undefined) expect(trace.events[event.c]?.n).toBe(event.n);
  }
  const bodies = [...trace.messages.values()].map(({ m: _, ...rest }) => JSON.stringify(rest));
  expect(new Set(bodies).size).toBe(bodies.length);
});

test('a scenario that cannot be is refused with what is wrong', () => {
  const wrong: Partial<SimulationOptions<Counting>>[] = [
    { seats: [] },
    { faults: [{ type: 'crash', at: 0, seat: 3 }] },
    { faults: [{ type: 'heal', at: 0.5 }] },
    { seats: countingSeats(3, { disk: { lies: true } }) },
    { network: { name: 'none', phases: [] } },
  ];
  for (const more of wrong) expect(() => start(more)).toThrow(ScenarioError);
});
