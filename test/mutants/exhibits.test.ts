/** Every mutant that is listed, by the command that people type: the right protocol stands. */
import { protocols, type VerdictRow } from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';
import { type Said, said } from '../../packages/cli/test-support/said.ts';

const quorumlab = (...line: readonly string[]): Promise<Said> => said(line);

describe.each(protocols)('$name', ({ name, mutants, flaws }) => {
  test('attack --mutant all: the right protocol is ok, each mutant is caught', async () => {
    const { out, err, code } = await quorumlab('attack', name, '--mutant', 'all', '--json');
    expect({ err, code }).toEqual({ err: '', code: 0 });
    const { verdicts, mutants: shown, exit } = JSON.parse(out);
    expect(exit).toBe(0);
    expect(verdicts).toHaveLength(2 * mutants.length);
    for (const [i, mutant] of mutants.entries()) {
      const [right, wrong]: VerdictRow[] = verdicts.slice(2 * i, 2 * i + 2);
      expect(right).toMatchObject({ protocol: name, word: 'ok', hits: 0, expected: true });
      expect(right?.mutant).toBeUndefined();
      expect(wrong).toMatchObject({ protocol: name, mutant, hits: 1, expected: true });
      expect(['forked', 'invalid', 'stale-read', 'stalled']).toContain(wrong?.word);
      const replay = `quorumlab attack ${name} --mutant ${mutant}`;
      expect(wrong?.counterexample).toMatchObject({ replay });
      expect(shown[i]).toMatchObject({ mutant, shows: wrong?.word, ...flaws[mutant] });
    }
  });
});

test('one mutant: verdicts first, both columns, the wrong rule and the replay line', async () => {
  const { out, code } = await quorumlab('attack', 'raft', '--mutant', 'figure-8', '--ascii');
  expect(code).toBe(0);
  const [, , wrong, right, rule] = out.split('\n');
  expect(wrong).toMatch(/^FAIL forked +figure-8: position 1: n0 committed Ann, n4 committed /);
  expect(right).toMatch(/^OK ok +the right raft: nothing goes wrong/);
  expect(rule).toMatch(/ wrong +A leader commits entries of older terms by counting .*Figure 8/);
  for (const part of ['RAFT with figure-8: forked', 'RAFT: ok', 'COMMIT Ann', 'n4'])
    expect(out).toContain(part);
  expect(out).toMatch(/replay +quorumlab attack raft --mutant figure-8\n/);
  expect((await quorumlab('attack', 'raft', '--mutant', 'figure-8', '--ascii')).out).toBe(out);
});

test('what a schedule cannot take is a sentence, and --expect is about the mutant', async () => {
  const alone = await quorumlab('attack', 'raft', '--mutant', 'figure-8', '-n', '3');
  expect(alone).toMatchObject({ code: 254, out: '' });
  expect(alone.err).toMatch(/^error QL\d+: -n: the mutant/);
  const seeded = await quorumlab(
    'attack',
    'raft',
    '--mutant',
    'figure-8',
    '--seeds',
    '5',
    '--json',
  );
  expect(seeded.code).toBe(0);
  expect(seeded.err).toContain('--seeds changes nothing here');
  expect((await quorumlab('attack', 'raft', '--mutant', 'figure-9')).err).toContain('figure-8?');
  const expecting = async (word: string) =>
    (await quorumlab('attack', 'raft', '--mutant', 'stale-leader-read', '--expect', word)).code;
  expect([await expecting('stale-read'), await expecting('forked')]).toEqual([0, 1]);
});

test('with an attack beside it, a mutant is searched for as any protocol is', async () => {
  const line = 'attack pbft --mutant no-digest-match --attack equivocating-leader --seeds 2 --json';
  const { verdicts } = JSON.parse((await quorumlab(...line.split(' '))).out);
  expect(verdicts).toMatchObject([
    { mutant: 'no-digest-match', attack: 'equivocating-leader', word: 'forked', expected: true },
  ]);
});
