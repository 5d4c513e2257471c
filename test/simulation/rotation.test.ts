/**
 * Another leader in every view, and f members silent for ever: every request is answered, and soon.
 * With `round-robin`, as in the papers, votes die with the silent leader that they were sent to.
 */
import { ms } from '@quorumlab/core';
import { completeScenario, failureOf, runScenario, subjectsOf } from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';

const requestTimeout = ms(100);
const seeds = [1, 2, 3, 4, 5];
/** Where silent members sit: at the end of a turn, and between the others. */
const groups = [
  { n: 4, silent: [3] },
  { n: 7, silent: [5, 6] },
  { n: 7, silent: [1, 4] },
];

interface Line {
  readonly t: number;
  readonly n: number;
  readonly k: string;
  readonly d?: { readonly type?: string; readonly id?: number; readonly answer?: number };
}

/** How long each request of a run took, in microseconds; one that is not answered, for ever. */
function waitsIn(lines: readonly string[]): number[] {
  const asked = new Map<string, number>();
  const waits = new Map<string, number>();
  for (const text of lines) {
    const { t, n, k, d } = JSON.parse(text) as Line;
    const [asks, answers] = [d?.type === 'submit', d?.answer !== undefined];
    if (k === 'input' && asks) asked.set(`${n}/${d?.id}`, t);
    if (k === 'note' && answers)
      waits.set(`${n}/${d?.answer}`, t - (asked.get(`${n}/${d?.answer}`) ?? 0));
  }
  return [...asked.keys()].map((request) => waits.get(request) ?? Number.POSITIVE_INFINITY);
}

/**
 * Two turns of all members, in which each of the f silent ones costs a timeout; the first wait is
 * that of the client, which may have asked a silent one.
 */
const boundFor = (f: number): number => (2 * f + 2) * requestTimeout + ms(500);

const cases = subjectsOf('hotstuff').flatMap((subject) =>
  groups.map((group) => ({ ...group, ...subject })),
);

describe.each(cases)('$name, n=$n, n$silent are silent', ({ n, silent, options }) => {
  test('a leader a view, votes to all: each request is answered within a bound', () => {
    for (const seed of seeds) {
      const lines: string[] = [];
      const scenario = completeScenario({
        ...{ protocol: 'hotstuff', n, f: silent.length, attack: 'silent-follower', by: silent },
        ...{ count: 12, clients: 2, until: ms(120_000), seed: `${seed}` },
        options: { ...options, leaders: 'every-view', requestTimeout },
      });
      const { word, answered } = runScenario(scenario, {
        trace: { line: (text) => lines.push(text) },
      });
      const replay = `seed ${seed}: runScenario(${JSON.stringify(scenario)})`;
      expect({ word, answered }, replay).toEqual({ word: 'ok', answered: 12 });
      expect(Math.max(...waitsIn(lines)), replay).toBeLessThanOrEqual(boundFor(silent.length));
    }
  });
});

describe.each(subjectsOf('hotstuff'))('$name', (subject) => {
  test('a leader a view, votes to all: safe in any world, and live once it has healed', () => {
    const rotating = { ...subject, options: { ...subject.options, leaders: 'every-view' } };
    for (const seed of seeds) expect(failureOf(rotating, seed)).toBeUndefined();
  });
});
