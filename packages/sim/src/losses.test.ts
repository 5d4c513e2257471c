import { expect, test } from 'vitest';
import { believing, type Counting, countingMessages, countingSeats } from '../fixtures/counting.ts';
import { type LostCopy, lan, parseTrace, simulate, traceBuffer } from './index.ts';

function run(lost?: readonly LostCopy[]) {
  const sink = traceBuffer();
  const simulation = simulate<Counting>({
    messages: countingMessages,
    keyring: believing,
    seats: countingSeats(3),
    network: lan,
    seed: 42,
    limits: { until: 20_000 },
    record: true,
    lost,
    trace: { sink, engine: 'test', scenario: {}, protocolVersions: {} },
  });
  const { digest } = simulation.run();
  const { events } = parseTrace(sink.text());
  const sends = events.filter(({ k, n, d }) => k === 'send' && n === 0 && toOf(d) === 1);
  const taken = events.filter(({ k, d }) => k === 'drop' && (d as { why: string }).why === 'taken');
  return { digest, sends, taken, choices: simulation.decisions() };
}

const toOf = (details: unknown): number => (details as { readonly to: number }).to;

test('a copy lost by name is lost alone, and what was chosen before stays', () => {
  const all = run();
  expect(run([]).digest).toBe(all.digest);
  const without = run([[0, 1, 1]]);
  expect(without.taken).toHaveLength(1);
  expect(without.taken[0]?.c).toBe(without.sends[1]?.i);
  // The delay of the lost copy is drawn all the same, so the choices up to there are the same.
  expect(without.choices.slice(0, 6)).toEqual(all.choices.slice(0, 6));
  expect(run([[0, 1, 1]]).digest).toBe(without.digest);
});

test('all copies of one direction of a link can be lost', () => {
  const { taken, sends } = run([[0, 1]]);
  expect(taken.map(({ c }) => c)).toEqual(sends.map(({ i }) => i));
  expect(sends.length).toBeGreaterThan(1);
});
