import { parseTrace } from '@quorumlab/sim';
import { expect, test } from 'vitest';
import type { Graded, Solution } from './lab.ts';
import { labOf, labs } from './labs.ts';

type Said = Readonly<Record<string, unknown>>;
interface Vote {
  readonly ballot: number;
  readonly value: { readonly from: number; readonly sequence: number };
}

const graded = (number: number, solution: Solution, text = ''): Graded =>
  labOf(String(number)).grade(solution, text, 15);

/** Promises and accepts a second time, whatever it has promised, and hides the first. */
const liar = {
  lie: (to: number, { kind }: Said) => (kind === 'refusal' || to === 1 ? false : undefined),
  answer({ from, kind, ballot, value }: Said) {
    if (from !== 1) return [];
    if (kind === 'prepare')
      return [{ to: 1, message: { kind: 'promise', ballot, accepted: null } }];
    return kind === 'accept' ? [{ to: 1, message: { kind: 'accepted', ballot, value } }] : [];
  },
};

test('an acceptor that breaks its promises forks, in a short run that can be opened', () => {
  const { passed, sentences, events, trace } = graded(1, liar, 'one\ntwo');
  expect(sentences.join(' ')).toContain('forks in 15 of 15 runs, in 2 lines: position 0');
  expect(passed).toBe(true);
  expect(events).toBeLessThanOrEqual(60);
  expect(parseTrace(trace ?? '').events.some(({ k }) => k === 'violation')).toBe(true);
});

test('an acceptor that is honest, silent, mistaken or long is told what it lacks', () => {
  const honest = graded(1, { lie: () => undefined });
  expect(honest).toMatchObject({ passed: false, runs: 15 });
  expect(honest.sentences.join(' ')).toMatch(/No fork in 15 runs.*what must it not hear/);
  expect(graded(1, { lie: () => false }).passed).toBe(false);
  const throwing = () => {
    throw new TypeError('no ballot');
  };
  expect(graded(1, { lie: throwing }).sentences[0]).toContain('threw TypeError: no ballot');
  expect(graded(1, liar, 'x;\n'.repeat(41)).sentences[0]).toContain('41 lines of code');
  expect(graded(1, {}).sentences[0]).toContain('Export a function "lie"');
});

const highest = (reports: readonly (Vote | null)[]) =>
  reports.reduce<Vote | null>(
    (most, each) => (each !== null && (most === null || each.ballot > most.ballot) ? each : most),
    null,
  )?.value ?? null;

test('the value of the highest number is the right one, and the usual mistakes fork', () => {
  expect(graded(2, { choose: highest })).toMatchObject({ passed: true, runs: 15 });
  const first = (reports: readonly (Vote | null)[]) =>
    reports.find((each) => each !== null)?.value ?? null;
  const wrong = graded(2, { choose: first });
  expect(wrong.passed).toBe(false);
  expect(wrong.sentences[0]).toMatch(/comes to forked in a schedule of \d+ steps: position 0/);
  expect(wrong.sentences[1]).toContain('Bob is chosen');
  expect(graded(2, { choose: () => null }).passed).toBe(false);
  expect(graded(2, {}).sentences[0]).toContain('Export a function "choose"');
});

test('votes are alike if number and value are; kinder forks, stricter decides nothing', () => {
  const equal = (one: Vote, two: Vote) =>
    one.value.from === two.value.from && one.value.sequence === two.value.sequence;
  const right = (one: Vote, two: Vote) => one.ballot === two.ballot && equal(one, two);
  expect(graded(3, { alike: right })).toMatchObject({ passed: true });
  expect(graded(3, { alike: equal }).sentences[0]).toContain('comes to forked');
  const strict = graded(3, { alike: () => false });
  expect(strict.passed).toBe(false);
  expect(strict.sentences.join(' ')).toContain('too strict');
});

test('what is begun with does not pass, and says why', async () => {
  for (const { number, skeleton, grade, task } of labs) {
    const begun = (await import(
      `data:text/javascript,${encodeURIComponent(skeleton)}`
    )) as Solution;
    const { passed, sentences } = grade(begun, skeleton, 5);
    expect({ number, passed }).toEqual({ number, passed: false });
    expect(sentences.join(' ').length).toBeGreaterThan(20);
    expect(task.length).toBeGreaterThan(1);
  }
  expect(() => labOf('4')).toThrow('There is no lab "4"; there are 1 to 3.');
});
