import './vitest.ts';
import { keyValueModel } from '@quorumlab/checker';
import { completeScenario, protocolEntry, runScenario } from '@quorumlab/harness';
import { raft } from '@quorumlab/raft';
import { describe, expect, test } from 'vitest';
import { matchers, type Subject, SubjectError } from './index.ts';

/** What an expectation that does not hold says. */
function failure(expectation: () => void): string {
  try {
    expectation();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('the expectation holds');
}

const lie = { attack: 'equivocating-leader', by: [0] } as const;
const entry = protocolEntry({ title: 'Raft, as if it were mine.', right: raft });

describe('toSurvive', () => {
  test('takes names, entries and scenarios', () => {
    const subjects: readonly Subject[] = [
      'raft',
      entry,
      { entry, scenario: { network: 'lossy', until: 60_000_000 } },
      { protocol: 'raft', n: 5 },
    ];
    for (const subject of subjects) expect(subject).toSurvive('crash-leader', { seeds: 2 });
    expect('raft').not.toSurvive('equivocating-leader', { by: [0], seeds: 3 });
  });

  test('tells the sentence, who did what, the proof, and the line that replays it', () => {
    const said = failure(() => expect('raft').toSurvive('equivocating-leader', { by: [0] }));
    expect(said).toMatch(/^Expected raft n=3 f=1 to survive equivocating-leader\.$/m);
    expect(said).toMatch(/^forked: position \d+: n\d committed \w+, n\d committed \w+/m);
    expect(said).toMatch(/^ +ms {2}n0 \(liar\) +n1 +n2/m);
    expect(said).toMatch(/COMMIT Ann/);
    expect(said).toMatch(/^Proof: n0 signed two statements about /m);
    const scenario = JSON.parse(/^Replay: runScenario\((.*)\)$/m.exec(said)?.[1] ?? '');
    expect(runScenario(scenario).word).toBe('forked');
  });

  test('fails if the attack never acts: then nothing was tested', () => {
    const nobody = { by: [], seeds: 2 };
    expect(failure(() => expect('raft').toSurvive('equivocating-leader', nobody))).toMatch(
      /^equivocating-leader never acted in 2 runs of raft, so nothing was tested/,
    );
  });

  test('says of a run whose time was over how to give it more', () => {
    const said = failure(() => expect('pbft').toSurvive('silent-leader', { until: 1000 }));
    expect(said).toMatch(/^inconclusive: .* give it more time \(until\)/m);
  });
});

describe('toAgree', () => {
  test('judges runs', () => {
    expect({ protocol: 'pbft', ...lie }).toAgree();
    expect(runScenario(completeScenario({ protocol: 'raft', ...lie }))).not.toAgree();
    expect(failure(() => expect({ protocol: 'raft', ...lie }).toAgree())).toMatch(/Replay: /);
  });

  test('judges logs that were recorded elsewhere, of which one may be longer', () => {
    expect([['a', 'b'], ['a'], []]).toAgree();
    const bytes = Uint8Array.of(1, 2);
    expect([[bytes], [bytes.slice()]]).toAgree();
    expect(
      failure(() =>
        expect([
          ['a', 'b'],
          ['a', 'c', 'd'],
        ]).toAgree(),
      ),
    ).toBe('Expected 2 logs to agree. Position 1: log 0 has "b", log 1 has "c".');
  });
});

describe('toBeLinearizable', () => {
  const call = (at: number, input: object, output: unknown) =>
    ({ process: at, invokedAt: at, returnedAt: at + 1, input, output }) as never;
  const put = call(0, { kind: 'put', key: 'x', value: 'a' }, true);
  const model = keyValueModel() as never;

  test('judges runs, and calls that were recorded elsewhere', () => {
    expect({ protocol: 'raft', workload: 'a' }).toBeLinearizable();
    const read = call(2, { kind: 'get', key: 'x' }, 'a');
    expect({ model, history: [put, read] }).toBeLinearizable();
    const stale = call(2, { kind: 'get', key: 'x' }, null);
    expect({ model, history: [put, stale] }).not.toBeLinearizable();
  });

  test('does not judge a run that broke something else, either way', () => {
    const forked = { protocol: 'raft', ...lie };
    expect(() => matchers.toBeLinearizable(forked)).toThrow(SubjectError);
    expect(failure(() => expect(forked).not.toBeLinearizable())).toMatch(/was not judged/);
  });
});

describe('toConvict', () => {
  test('holds for all liars and nobody else', () => {
    const run = runScenario(completeScenario({ protocol: 'raft', ...lie }), { proofs: true });
    expect(run).toConvict(0);
    expect({ protocol: 'raft', ...lie }).toConvict(0);
    expect(run).not.toConvict(1);
    expect(run).not.toConvict(0, 1);
    expect(failure(() => expect({ protocol: 'raft' }).toConvict(0))).toMatch(
      /It convicts nobody\./,
    );
  });

  test('takes the proofs of a run of a protocol that is not registered', () => {
    const mine = { ...entry, name: 'mine' };
    const scenario = { ...completeScenario({ protocol: 'raft', ...lie }), protocol: 'mine' };
    expect(runScenario(scenario, { entry: mine, proofs: true })).toConvict(0);
  });
});

test('what cannot be run is refused with a sentence that says what can', () => {
  for (const subject of [undefined, 7, {}, { n: 3 }])
    expect(() => matchers.toAgree(subject)).toThrow(/expect a protocol's name, a protocolEntry/);
  expect(() => matchers.toSurvive('rafft', 'split')).toThrow(/Did you mean raft\?/);
});
