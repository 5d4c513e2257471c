import { ms } from '@quorumlab/core';
import { expect, test } from 'vitest';
import {
  attackOf,
  attacks,
  clockOf,
  completeScenario,
  microseconds,
  nearest,
  networkOf,
  nthSeed,
  otherHalf,
  prepare,
  protocolEntry,
  protocolOf,
  ScenarioError,
} from './index.ts';

/** The code and the sentence of the ScenarioError that `act` throws. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ScenarioError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('nearest names are at most two, the nearest first, and none that is far off', () => {
  const names = ['raft', 'pbft', 'equivocating-leader', 'silent-leader', 'split'];
  expect(nearest('rafd', names)).toEqual(['raft']);
  expect(nearest('RAFT', names)[0]).toBe('raft');
  expect(nearest('leader', names)).toEqual(['silent-leader', 'equivocating-leader']);
  expect(nearest('raf', ['raft', 'zab'])).toEqual(['raft']);
  expect(nearest('qqqqqqqqq', names)).toEqual([]);
  expect(nearest('x', [])).toEqual([]);
});

test('unknown names are refused with near names, or with all of them', () => {
  expect(refusal(() => protocolOf('rafd'))).toBe(
    'QL101 There is no protocol "rafd". Did you mean raft?',
  );
  expect(refusal(() => attackOf('equivocating'))).toContain('Did you mean equivocating-leader');
  const all = attacks.map(({ name }) => name).join(', ');
  expect(refusal(() => attackOf('!'))).toBe(`QL101 There is no attack "!". There are: ${all}.`);
  expect(refusal(() => networkOf('lam'))).toContain('lan');
  expect(refusal(() => completeScenario({ protocol: '__proto__' }))).toContain('QL101');
});

test('times have units', () => {
  expect(microseconds('300us')).toBe(300);
  expect(microseconds('20ms')).toBe(ms(20));
  expect(microseconds('1.5s')).toBe(1_500_000);
  expect(microseconds('2m')).toBe(120_000_000);
  for (const text of ['', '5', 's', '-1s', '1e3s', '1 s', '1.s', '.5s', '1h'])
    expect(
      refusal(() => microseconds(text)),
      text,
    ).toMatch(/^QL105/);
});

test('clocks differ by seat, and a setting that is none is named', () => {
  expect(clockOf('perfect', 0)).toBeUndefined();
  const text = 'offset=5ms,drift=100ppm,epsilon=7ms';
  expect(clockOf(text, 0)).toEqual({ offset: 5000, driftPerBillion: 100_000, epsilon: 7000 });
  expect(clockOf(text, 1)).toEqual({ offset: -5000, driftPerBillion: -100_000, epsilon: 7000 });
  expect(clockOf('truetime', 3)).toEqual({
    ...{ offset: -1000, driftPerBillion: -200_000, epsilon: 1000, growthPerBillion: 200_000 },
    ...{ syncEvery: 30_000_000, syncFirst: 15_000_000 },
  });
  expect(refusal(() => clockOf('sync=1us', 0))).toMatch(/^QL106.*from 1ms to 60m/);
  expect(refusal(() => clockOf('truetime,sync=1s', 0))).toContain('"truetime"');
  expect(refusal(() => clockOf('growth=much', 0))).toContain('a growth from 0ppm to 100000ppm');
  expect(refusal(() => clockOf('ofset=5ms', 0))).toContain('"ofset=5ms"');
  expect(refusal(() => clockOf('drift=1', 0))).toMatch(/^QL106/);
});

test('a network takes its settings', () => {
  expect(networkOf('psync:gst=2s,delta=5ms').stableFrom).toBe(2_000_000);
  expect(networkOf('psync').stableFrom).toBe(1_000_000);
  expect(refusal(() => networkOf('psync:gst=soon'))).toMatch(/^QL105/);
});

test('what a scenario leaves out is filled in', () => {
  expect(completeScenario({ protocol: 'raft' })).toMatchObject({ n: 3, f: 1, by: [], seed: '42' });
  expect(completeScenario({ protocol: 'pbft' })).toMatchObject({ n: 4, f: 1, attack: 'none' });
  expect(completeScenario({ protocol: 'pbft', n: 9 })).toMatchObject({ n: 9, f: 2 });
  expect(completeScenario({ protocol: 'raft', f: 3 })).toMatchObject({ n: 7, f: 3 });
  expect(completeScenario({ protocol: 'raft', n: 1 })).toMatchObject({ n: 1, f: 0 });
  expect(completeScenario({ protocol: 'raft', attack: 'silent-leader' }).by).toEqual([0]);
  const by = [1, 2];
  expect(completeScenario({ protocol: 'raft', attack: 'silent-leader', by }).by).toEqual(by);
});

test('too few replicas are refused with the number that is enough, unless it is wished', () => {
  const scenario = completeScenario({ protocol: 'pbft', n: 3, f: 1 });
  expect(refusal(() => prepare(scenario))).toMatch(/^QL104 pbft needs n ≥ 3f\+1.*-n 4/s);
  expect(prepare({ ...scenario, unsafe: true }).seats.length).toBe(5);
});

test('nodes that do not exist are refused', () => {
  const scenario = completeScenario({ protocol: 'raft' });
  expect(refusal(() => prepare({ ...scenario, by: [3] }))).toMatch(/^QL103.*n3.*n0 to n2/);
  for (const fault of [
    { type: 'crash', at: 1, node: 3 },
    { type: 'split', at: 1, groups: [[0], [1, 7]] },
    { type: 'cut', at: 1, from: [-1], to: [0] },
    { type: 'disk', at: 1, node: 1.5, disk: {} },
  ] as const)
    expect(
      refusal(() => prepare({ ...scenario, faults: [fault] })),
      fault.type,
    ).toMatch(/^QL109/);
});

test('options of a protocol have its own names', () => {
  const scenario = completeScenario({ protocol: 'raft', options: { electionTimeout: ms(50) } });
  expect(() => prepare(scenario)).not.toThrow();
  expect(refusal(() => prepare({ ...scenario, options: { electionTimeOut: 1 } }))).toContain(
    'Did you mean electionTimeout',
  );
  expect(refusal(() => prepare({ ...scenario, mutant: 'figure8' }))).toContain('figure-8');
  expect(refusal(() => prepare({ ...scenario, mutant: 'constructor' }))).toMatch(/^QL101/);
});

test('half of the others hear the other story, and each twin has its own half', () => {
  expect(otherHalf(3, [0])).toEqual([2]);
  expect(otherHalf(4, [0])).toEqual([2, 3]);
  expect(otherHalf(5, [1, 3])).toEqual([2, 4]);
  const twins = completeScenario({ protocol: 'pbft', attack: 'double-voter' });
  const { seats, faults, firstClientSeat } = prepare(twins);
  expect(seats.map(({ principal }) => principal).slice(0, 5)).toEqual([0, 1, 2, 3, 0]);
  expect(firstClientSeat).toBe(5);
  // Each copy is with its own half.
  expect(faults.find(({ type }) => type === 'split')).toMatchObject({
    groups: [
      [1, 0],
      [2, 3, 4],
    ],
  });
  expect(seats.filter(({ traitor }) => traitor)).toHaveLength(2);
});

test('seeds of a search are numbers that follow, or words with numbers', () => {
  expect([0, 1, 2].map((i) => nthSeed('42', i))).toEqual(['42', '43', '44']);
  expect([0, 1].map((i) => nthSeed('word', i))).toEqual(['word', 'word.1']);
});

test('an entry of an outsider takes part under its own name', () => {
  const raft = protocolOf('raft');
  const entry = protocolEntry({ title: 'mine', right: (size) => raft.create(size) });
  const scenario = completeScenario({ protocol: 'raft' });
  expect(entry).toMatchObject({ name: 'raft', mutants: [], options: {} });
  expect(prepare({ ...scenario, protocol: 'mine' }, entry).protocol.name).toBe('raft');
});
