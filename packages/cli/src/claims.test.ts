import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { said as quorumlab } from '../test-support/said.ts';

test('f is shown, a liar more than f is not claimed, a group too small is told', async () => {
  const line = 'run pbft -n 3 --attack equivocating-leader';
  const { out, code } = await quorumlab(line);
  expect(code).toBe(0);
  expect(out).toContain('pbft n=3 f=0');
  expect(out).toContain('not claimed: pbft n=3 f=0 tolerates no traitor, and 1 lies');
  expect(out).not.toContain('claims to survive');
  expect(out).toContain('use   -n 4   for f=1');
  const { verdicts } = JSON.parse((await quorumlab(`${line} --json`)).out);
  expect(verdicts[0]).toMatchObject({
    f: 0,
    claimed: false,
    hint: expect.stringContaining('-n 4'),
  });
  const searched = (await quorumlab('attack pbft -n 3 --attack silent-follower --seeds 1')).out;
  expect(searched).toContain('not claimed: pbft n=3 f=0 tolerates no traitor');
  expect(searched).toContain('use   -n 4   for f=1');
  const within = (await quorumlab('run pbft -n 4 --attack equivocating-leader')).out;
  expect(within).toContain('expected: yes. pbft n=4 f=1 claims to survive this');
  expect(within).not.toContain('note ');
});

test('a budget that ends says how to raise it, and is never a bug to report', async () => {
  const budgets: Readonly<Record<string, string>> = {
    'run raft --until 2ms': 'the virtual time of 2ms was over with 0 of 20 operations answered',
    'run raft --events 60': 'give more with --events 240',
    'attack raft --attack split --until 2ms --seeds 2': 'give more with --until 8ms',
  };
  for (const [line, sentence] of Object.entries(budgets)) {
    const { out, err, code } = await quorumlab(line);
    expect({ line, code }).toEqual({ line, code: 2 });
    expect(out).toContain(sentence);
    expect(out + err).not.toMatch(/report|NO\.|internal|claims to survive/);
  }
  const { verdicts, exit } = JSON.parse((await quorumlab('run raft --until 2ms --json')).out);
  expect(exit).toBe(2);
  expect(verdicts[0]).toMatchObject({ word: 'inconclusive', budget: expect.any(String) });
  expect(verdicts[0]).not.toHaveProperty('counterexample');
});

test('a comparison without a fault to survive is one, and unfinished cells say so', async () => {
  const line = 'compare raft pbft -f 0 --attack none,crash-leader --seeds 2 --jobs 1';
  const { out, err, code } = await quorumlab(line);
  expect(err).not.toContain('Error');
  expect(code).toBe(2);
  expect(out.split('\n')[0]).toContain('0 unexpected');
  expect(out).toContain('a budget ended in 2 of 2 runs; give more with');
  expect(out).not.toMatch(/Counterexamples|report/);
});

test('a group that is too large to be simulated is told how large it may be', async () => {
  for (const line of ['run raft -n 5000', 'compare raft -f 2500 --seeds 1 --jobs 1']) {
    const { out, err, code } = await quorumlab(line);
    expect({ line, out, code }).toEqual({ line, out: '', code: 254 });
    expect(err).toContain('error QL102: n=500');
    expect(err).toMatch(/use {3}-n 409[45] or less/);
    expect(err).not.toMatch(/internal|report/);
  }
});

test('n = 3f shows why it is 3f+1: PBFT and HotStuff fork, each output says UNSAFE', async () => {
  const traces = mkdtempSync(join(tmpdir(), 'quorumlab-unsafe-'));
  const long = process.env.QUORUMLAB_LONG_TESTS === '1';
  const hotstuff = long ? 'hotstuff' : 'hotstuff --option rules=chained';
  for (const [protocol, variants] of [['pbft', 1] as const, [hotstuff, long ? 4 : 1] as const]) {
    const line = `attack ${protocol} -n 3 -f 1 --unsafe-n --seeds 1 --traces ${traces} --json`;
    const { verdicts, exit } = JSON.parse((await quorumlab(line)).out);
    expect(exit).toBe(0);
    expect(verdicts).toHaveLength(variants);
    for (const row of verdicts) {
      const { counterexample, ...rest } = row;
      expect(rest).toMatchObject({ word: 'forked', hits: 1, expected: true, claimed: false });
      expect(rest.unsafe).toBe('UNSAFE: n=3 and not 4, quorums of 2 set by hand');
      expect(counterexample.culprits).toEqual([0]);
      const told = (await quorumlab(counterexample.replay.replace('quorumlab ', ''))).out;
      expect(told).toContain('UNSAFE: n=3 and not 4, quorums of 2 set by hand');
      expect(told).toContain('forked');
    }
  }
  rmSync(traces, { recursive: true, force: true });
  const { err, code } = await quorumlab('attack pbft -n 3 -f 1');
  expect(code).toBe(254);
  expect(err).toContain('or    --unsafe-n');
  expect(err).toContain('quorumlab quorums pbft -n 3 -f 1');
});

test('one command drags q from forks to stalls; its table says what its JSON says', async () => {
  const line = 'quorums pbft -n 3 -f 1 --seeds 1';
  const { out, code } = await quorumlab(line);
  expect(code).toBe(0);
  const table = out.split('\n').flatMap((text) => {
    const [, quorum, outcome] = /^ {2}(\d) .*(forks|stalls|ok)$/.exec(text) ?? [];
    return quorum === undefined ? [] : [[Number(quorum), outcome]];
  });
  expect(table).toEqual([
    [1, 'forks'],
    [2, 'forks'],
    [3, 'stalls'],
  ]);
  expect(out).toContain('UNSAFE');
  expect(out).toContain('needs n ≥ 4');
  const { rows, command } = JSON.parse((await quorumlab(`${line} --json`)).out);
  expect(rows.map((row: { quorum: number; outcome: string }) => [row.quorum, row.outcome])).toEqual(
    table,
  );
  expect(command).toBe(`quorumlab ${line}`);
  const shown = /see it fork +quorumlab (.*)/.exec(out)?.[1] ?? '';
  expect((await quorumlab(shown)).out).toContain('forked');
});
