import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTrace } from '@quorumlab/sim';
import { expect, test } from 'vitest';
import { said } from '../test-support/said.ts';

test('one command counts what breaks: nothing, with a wrong rule, beyond the bound', async () => {
  const { out, code } = await said('shards --seeds 3 --verbose');
  expect(code).toBe(0);
  const [right, wrong, beyond] = out.split('\n');
  expect(right).toMatch(/^✓ ok {3}the right rules, clocks within 20ms: .* broken in 0 of 3 runs/);
  expect(right).toMatch(/stale reads in 0$/);
  expect(wrong).toMatch(/the mutant commit-wait-latest, .* broken in [123] of 3 runs/);
  expect(beyond).toMatch(/^◑ stale-read .*60ms beyond 20ms: .* broken in [123] of 3 runs, stale/);
  // The reading that broke the bound is named, and how to see it again.
  expect(out).toMatch(/the clock of k[AB]\d answered \d+ to \d+ at \d+: its bound of 20000 µs/);
  expect(out).toContain('as many lessons say');
  expect(out).toContain('T0 COMMITTED at');
});

test('a document says all of it, and each row runs again by its own line', async () => {
  const told = JSON.parse((await said('--json shards --seeds 2 --count 6')).out);
  expect(told).toMatchObject({ schema: 'quorumlab.shards/1', seeds: 2, exit: 0 });
  expect(told.rows).toMatchObject([
    { rules: 'right', clocks: 'within', claimed: true, word: 'ok', runs: 2, broken: 0, stale: 0 },
    { rules: 'commit-wait-latest', clocks: 'within', claimed: false },
    { rules: 'right', clocks: '60ms beyond', claimed: false },
  ]);
  const broken = told.rows.find(({ first }: { first?: object }) => first !== undefined);
  const again = JSON.parse((await said(`--json ${broken.again.replace('quorumlab ', '')}`)).out);
  const digests = again.rows.map(({ first }: { first?: { digest: string } }) => first?.digest);
  expect(digests).toContain(broken.first.digest);
});

test('clocks that may drift by more than they admit to are claimed for nothing', async () => {
  const line = 'shards --seeds 3 --beyond none --mutant none --clock';
  const teeth = 'epsilon=1ms,sync=200ms,drift=100000ppm';
  const { out, code } = await said(`${line} ${teeth},growth=1000ppm`);
  expect(code).toBe(0);
  expect(out).toMatch(/^◑ stale-read .*clocks of epsilon=1ms,sync=200ms/);
  expect(out).toMatch(/its bound of \d+ µs is broken/);
  expect((await said(`${line} ${teeth},growth=100000ppm`)).out).toMatch(/^✓ ok/);
});

test('what is to break and does not says nothing, and that is no success', async () => {
  const { code } = await said('shards --seeds 1 --count 2 --beyond none --mutant never-wound');
  expect(code).toBe(2);
  expect((await said('shards --seeds 1 --count 1 --beyond none --mutant none')).code).toBe(0);
});

test('the trace of the run that is shown is written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab-shards-'));
  try {
    const file = join(folder, 'shards.trace.ndjson');
    const line = `--json shards --seeds 1 --count 4 --mutant none --trace ${file}`;
    const { rows } = JSON.parse((await said(line)).out);
    const trace = parseTrace(readFileSync(file, 'utf8'));
    expect(trace.footer?.digest).toBe(rows.at(-1).first.digest);
    expect(trace.header.scenario).toMatchObject({ beyond: 60_000, shards: 2 });
    expect(trace.header.scenario).toMatchObject({ schema: 'quorumlab.shard-scenario/1' });
    const replay = await said(`replay ${file}`);
    expect(replay.code).toBe(0);
    expect(replay.out).toContain(`digest ${trace.footer?.digest} ✓ identical`);
    // What was edited is told, and a command for traces of one protocol sends people here.
    const lines = readFileSync(file, 'utf8').split('\n');
    const edited = join(folder, 'edited.ndjson');
    writeFileSync(edited, lines.with(50, `${lines[50]?.replace('"t":', '"t":1')}`).join('\n'));
    expect(await said(`replay ${edited}`)).toMatchObject({
      code: 3,
      out: expect.stringContaining('the replay differs first at event'),
    });
    expect((await said(`explain ${file}`)).err).toContain('use   quorumlab replay or');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a trace of shards is made smaller while the same thing goes wrong', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab-shards-'));
  try {
    const [file, small] = [join(folder, 'big.ndjson'), join(folder, 'small.ndjson')];
    await said(`shards --seeds 1 --seed 2 --beyond none --trace ${file}`);
    const line = `--json shrink ${file} --out ${small} --tries 40`;
    const { shrunk, run } = JSON.parse((await said(line)).out);
    expect(shrunk.after).toBeLessThan(shrunk.before);
    expect(run).toMatchObject({ word: 'stale-read', transactions: 1, reads: 1 });
    expect(parseTrace(readFileSync(small, 'utf8')).footer?.digest).toBe(run.digest);
    expect((await said(`replay ${small}`)).out).toContain('✓ identical');
    await said(`shards --seeds 1 --count 2 --mutant none --beyond none --trace ${file}`);
    expect((await said(`shrink ${file}`)).err).toContain('nothing goes wrong in');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a link of shards runs again, and says so if it is of another run', async () => {
  const { out } = await said('shards --seeds 1 --seed 2 --count 4 --beyond none');
  const link = /quorumlab play '(#\/shards\S+)'/.exec(out)?.[1] as string;
  const again = await said(`replay https://quorumlab.example/${link}`);
  expect(again.code).toBe(0);
  expect(again.out).toMatch(/digest [0-9a-f]{64} ✓ as the link says/);
  const other = await said(`replay ${link.replace('count=4', 'count=3')}`);
  expect(other).toMatchObject({ code: 3, out: expect.stringContaining('the link says') });
  expect((await said('replay #/shards?m=commit-wait-last')).err).toContain('Did you mean');
  expect((await said('replay #/shards?v=2')).err).toContain('this link is of version 2');
  expect((await said('replay #/shards?bound=4')).err).toContain('4');
});

test('what cannot be run is told with what can', async () => {
  const wrong: Readonly<Record<string, string>> = {
    'shards --mutant commit-wait-last': 'Did you mean commit-wait-latest',
    'shards --workload rely': 'Did you mean relay?',
    'shards --protocol pbft': '--protocol takes both, raft, multi-paxos or zab',
    'shards --bound 2': '--bound takes a time from 1ms on',
    'shards --bound 1us': '--bound takes a time from 1ms on',
    'shards --bound 20m': 'the bound of clocks of shards is a whole number from 1000 to 10000000',
    'shards --clock truetime --bound 4ms': '--clock says what clocks are, and --bound too',
    'shards --clock epsilon=7': '--clock takes a time with its unit',
    'shards --count 0': '--count takes a whole number from 1 to 1000',
    'run shards': 'use   quorumlab shards   to run them',
  };
  for (const [line, sentence] of Object.entries(wrong)) {
    const { err, code } = await said(line);
    expect({ line, code }).toEqual({ line, code: 254 });
    expect(err).toContain(sentence);
  }
});
