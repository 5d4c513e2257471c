/** Every mutant that is listed, by the command that people type: the right protocol stands. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { protocols, type VerdictRow } from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

/** A real process, as people start it. */
function quorumlab(...line: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=source', main, ...line],
    { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 1 << 28 },
  );
  return { out: stdout, err: stderr, code: status };
}

describe.each(protocols)('$name', ({ name, mutants, flaws }) => {
  test('attack --mutant all: the right protocol is ok, each mutant is caught', () => {
    const { out, err, code } = quorumlab('attack', name, '--mutant', 'all', '--json');
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

test('one mutant: verdicts first, both columns, the wrong rule and the replay line', () => {
  const { out, code } = quorumlab('attack', 'raft', '--mutant', 'figure-8', '--ascii');
  expect(code).toBe(0);
  const [, , wrong, right, rule] = out.split('\n');
  expect(wrong).toMatch(/^FAIL forked +figure-8: position 1: n0 committed Ann, n4 committed /);
  expect(right).toMatch(/^OK ok +the right raft: nothing goes wrong/);
  expect(rule).toMatch(/ wrong +A leader commits entries of older terms by counting .*Figure 8/);
  for (const part of ['RAFT with figure-8: forked', 'RAFT: ok', 'COMMIT Ann', 'n4'])
    expect(out).toContain(part);
  expect(out).toMatch(/replay +quorumlab attack raft --mutant figure-8\n/);
  expect(quorumlab('attack', 'raft', '--mutant', 'figure-8', '--ascii').out).toBe(out);
});

test('what a schedule cannot take is a sentence, and --expect is about the mutant', () => {
  const alone = quorumlab('attack', 'raft', '--mutant', 'figure-8', '-n', '3');
  expect(alone).toMatchObject({ code: 254, out: '' });
  expect(alone.err).toMatch(/^error QL\d+: -n: the mutant/);
  const seeded = quorumlab('attack', 'raft', '--mutant', 'figure-8', '--seeds', '5', '--json');
  expect(seeded.code).toBe(0);
  expect(seeded.err).toContain('--seeds changes nothing here');
  expect(quorumlab('attack', 'raft', '--mutant', 'figure-9').err).toContain('figure-8?');
  const expecting = (word: string) =>
    quorumlab('attack', 'raft', '--mutant', 'stale-leader-read', '--expect', word).code;
  expect([expecting('stale-read'), expecting('forked')]).toEqual([0, 1]);
});

test('with an attack beside it, a mutant is searched for as any protocol is', () => {
  const line = 'attack pbft --mutant no-digest-match --attack equivocating-leader --seeds 2 --json';
  const { verdicts } = JSON.parse(quorumlab(...line.split(' ')).out);
  expect(verdicts).toMatchObject([
    { mutant: 'no-digest-match', attack: 'equivocating-leader', word: 'forked', expected: true },
  ]);
});
