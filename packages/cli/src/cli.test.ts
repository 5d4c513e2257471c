import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { protocols } from '@quorumlab/harness';
import { afterAll, expect, test } from 'vitest';
import { type Said, said } from '../test-support/said.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'quorumlab-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In the process of this test: {@link started} is for what comes in from outside. */
const quorumlab = (line: string): Promise<Said> => said(line, {}, folder);

/** A real process, as people start it, with `input` on its standard input. */
function started(line: string, input = ''): { out: string; err: string; code: number | null } {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=source', main, ...line.split(' ').filter(Boolean)],
    { cwd: folder, input, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  );
  return { out: stdout, err: stderr, code: status };
}

const json = async (line: string) => JSON.parse((await quorumlab(line)).out);

test('the same liar forks Raft and not PBFT, and the same seed gives the same digest', async () => {
  const flags = '--attack equivocating-leader --by 0 --seed 42 --json';
  const raft = await json(`run raft -n 3 ${flags}`);
  const pbft = await json(`run pbft -n 4 ${flags}`);
  expect(raft).toMatchObject({
    schema: 'quorumlab.result/1',
    exit: 0,
    verdicts: [{ protocol: 'raft', n: 3, f: 1, word: 'forked', expected: true, fired: 1 }],
  });
  expect(raft.verdicts[0].counterexample).toMatchObject({ rule: 'agreement', culprits: [0] });
  expect(pbft.verdicts[0]).toMatchObject({ word: 'ok', expected: true, fired: 1 });
  expect((await json(`run raft -n 3 ${flags}`)).verdicts[0].digest).toBe(raft.verdicts[0].digest);
  expect((await json(`run pbft -n 4 ${flags}`)).verdicts[0].digest).toBe(pbft.verdicts[0].digest);
});

test('the replay line of a counterexample gives the same run', async () => {
  const line = 'run raft --attack equivocating-leader --seed 7 --net lossy --count 9 --json';
  const [row] = (await json(line)).verdicts;
  const again = await json(`${row.counterexample.replay.replace('quorumlab ', '')} --json`);
  expect(again.verdicts[0].digest).toBe(row.digest);
});

test('options of a protocol are named in the headline, the row and the replay line', async () => {
  const line = 'run raft --option heartbeat=30ms --option preVote=false --seed 3';
  const { scenario, verdicts, command } = await json(`${line} --json`);
  expect(scenario.options).toEqual({ heartbeat: 30_000, preVote: false });
  expect(verdicts[0].options).toEqual(scenario.options);
  expect((await quorumlab(line)).out).toContain('raft with heartbeat=30000 preVote=false n=3');
  const again = await json(`${command.replace('quorumlab ', '')} --json`);
  expect(again.verdicts[0].digest).toBe(verdicts[0].digest);
  expect((await json('run raft --seed 3 --json')).verdicts[0].digest).not.toBe(verdicts[0].digest);
});

test('the text says the verdict first and everything that the JSON says', async () => {
  const flags = 'run raft --attack equivocating-leader --seed 42';
  const { out, code } = await quorumlab(`${flags} --ascii`);
  const row = (await json(`${flags} --json`)).verdicts[0];
  expect(code).toBe(0);
  expect(out.split('\n')[2]).toContain(`FAIL forked   ${row.counterexample.sentence}`);
  for (const part of [
    row.digest,
    row.counterexample.rule,
    row.counterexample.replay,
    row.counterexample.proofs[0].about,
  ])
    expect(out).toContain(part);
  expect(out).not.toMatch(/[✓✗⚠]/);
});

test('a process that was told something wrong says so in one sentence, and leaves with 254', () => {
  const { out, err, code } = started('run pbft -n 3 -f 1');
  expect({ out, code }).toEqual({ out: '', code: 254 });
  expect(err).toMatch(/^error QL104: .*\n {2}use {3}-n 4\n/);
});

test('a run that is ok tells with --verbose what the liar tried and why it failed', async () => {
  const line = 'run pbft --attack equivocating-leader --count 4';
  const quiet = (await quorumlab(line)).out;
  expect(quiet).not.toContain('story');
  const { out } = await quorumlab(`${line} --verbose`);
  const [row] = (await json(`${line} --json`)).verdicts;
  expect(row.word).toBe('ok');
  expect(row.story.length).toBeGreaterThan(4);
  for (const sentence of row.story) expect(out).toContain(sentence);
  expect(out).toMatch(/story +The attack acted \d+ times/);
  expect(out).toMatch(/COMMIT Ann by n1 n2 n3/);
  expect(out).toMatch(/For Bob there were n1 and the liar: 2 of the 3 votes that it takes/);
  expect(row.overlap).toMatchObject({
    quorums: [{ value: 'Ann', members: [1, 2, 3] }],
    size: 3,
    shared: 2,
  });
  expect(row.commits.length).toBeGreaterThan(0);
  for (const { voters } of row.commits) expect(voters.length).toBeGreaterThanOrEqual(3);
});

test('a mutant whose flaw does not show says where it does', async () => {
  expect((await quorumlab('run raft --mutant figure-8 --count 2')).out).toMatch(
    /attack raft --mutant figure-8\n/,
  );
});

test('a fork names both quorums and who is in both, in run, attack and demo', async () => {
  const both = /Behind \w+ stand n0 and n\d, behind \w+ n0 and n\d\.\n +Both have n0, who lied\./;
  expect((await quorumlab('run raft --attack equivocating-leader')).out).toMatch(both);
  expect((await quorumlab('attack raft --seeds 1')).out).toMatch(both);
  const { overlap } = (await json('run raft --attack equivocating-leader --json')).verdicts[0];
  expect(overlap).toMatchObject({ slot: 1, both: [0], lied: [0] });
  expect(overlap.quorums.map(({ value }: { value: string }) => value).sort()).toEqual([
    'Ann',
    'Bob',
  ]);
  expect((await quorumlab('demo --sim')).out).toMatch(both);
});

test('--unsafe-n runs what cannot be safe', async () => {
  const { verdicts } = await json('run pbft -n 3 -f 1 --unsafe-n --json');
  expect(verdicts[0]).toMatchObject({ n: 3, f: 1, expected: true });
});

test('a search finds the fork, and writes a trace that replays; an edited one fails', async () => {
  const { out, code } = await quorumlab(
    'attack raft --attack equivocating-leader --seeds 5 --json',
  );
  expect(code).toBe(0);
  const row = JSON.parse(out).verdicts[0];
  expect(row).toMatchObject({ word: 'forked', runs: 5, hits: 5, fired: 5 });
  const file = join(folder, row.counterexample.trace);
  expect(existsSync(file)).toBe(true);
  expect(await quorumlab(`replay ${file}`)).toMatchObject({ code: 0 });
  expect((await quorumlab(`replay ${file}`)).out).toContain('identical');
  const text = readFileSync(file, 'utf8');
  const edited = join(folder, 'edited.trace.ndjson');
  writeFileSync(edited, text.replace('"k":"deliver"', '"k":"drop"'));
  const difference = await quorumlab(`replay ${edited}`);
  expect(difference.code).toBe(3);
  expect(difference.out).toMatch(/differs first at event \d+/);
  const other = join(folder, 'other.trace.ndjson');
  writeFileSync(other, text.replace('quorumlab 0.1.0', 'quorumlab 9.9.9'));
  expect(await quorumlab(`replay ${other}`)).toMatchObject({ code: 3 });
  expect(started('replay -', text)).toMatchObject({ code: 0 });
  expect(started('replay -', 'nonsense')).toMatchObject({ code: 3 });
});

test('an attack that needs more traitors is left out of all attacks, and says so', async () => {
  const line = 'attack pbft --attack all --by 0 --seeds 1';
  const why = 'f+1-traitors takes 2 traitors against pbft with f=1, not 1';
  const { leftOut, verdicts } = await json(`${line} --json`);
  expect(leftOut).toEqual([{ attack: 'f+1-traitors', why }]);
  expect(verdicts.map(({ attack }: { attack: string }) => attack)).not.toContain('f+1-traitors');
  expect((await quorumlab(line)).out).toContain(`f+1-traitors is left out: ${why}`);
  expect(await json('attack pbft --attack f+1-traitors --seeds 2 --json')).toMatchObject({
    verdicts: [{ word: 'forked', expected: true, counterexample: { culprits: [0, 1] } }],
  });
});

test('every variant of a protocol is attacked, one row each, unless one is named', async () => {
  const line = 'attack hotstuff --attack silent-follower --seeds 1 --json';
  const rules = async (args: string) =>
    (await json(args)).verdicts.map(({ options }: { options: { rules: string } }) => options.rules);
  expect(await rules(line)).toEqual(['jolteon', 'hotstuff-2', 'chained', 'basic']);
  expect(await rules(`${line} --option rules=chained`)).toEqual(['chained']);
});

test('--expect decides the exit code', async () => {
  const line = 'run raft --attack equivocating-leader --seed 42';
  expect((await quorumlab(`${line} --expect forked`)).code).toBe(0);
  expect((await quorumlab(`${line} --expect ok`)).code).toBe(1);
});

test('an attack that never fires is inconclusive, not a pass', async () => {
  const { code, out } = await quorumlab('run raft --attack stale-replay --count 1 --until 2ms');
  expect(code).toBe(2);
  expect(out).toContain('did NOT fire');
  const [row] = (await json('run raft --attack stale-replay --count 1 --until 2ms --json'))
    .verdicts;
  expect(row).toMatchObject({ fired: 0, note: expect.stringContaining('did NOT fire') });
});

test('explain prints a proof that explain checks, and refuses an edited one', async () => {
  const proof = await quorumlab('explain demo --proof');
  expect(proof.code).toBe(0);
  const file = join(folder, 'proof.json');
  writeFileSync(file, proof.out);
  const checked = await quorumlab(`explain ${file}`);
  expect(checked.out).toContain('the proof holds');
  expect(checked.code).toBe(0);
  writeFileSync(file, proof.out.replace(/"signature": "../, '"signature": "00'));
  expect((await quorumlab(`explain ${file}`)).code).not.toBe(0);
});

test('a workload file is run line by line, and a wrong line is named', async () => {
  const file = join(folder, 'commands.ndjson');
  writeFileSync(
    file,
    '{"op":"put","key":"a","value":"1"}\n{"op":"cas","key":"a","expected":"1","value":"2"}\n',
  );
  expect((await json(`run raft --workload ${file} --json`)).cost[0]).toMatchObject({ answered: 2 });
  writeFileSync(file, '{"op":"put","key":"a"}\n');
  expect((await quorumlab(`run raft --workload ${file}`)).err).toContain(
    'line 1 of the workload has no text "value"',
  );
});

test('lists and completions name what there is', async () => {
  expect(
    (await json('list protocols --json')).rows.map(({ name }: { name: string }) => name),
  ).toEqual([...protocols.map(({ name }) => name)]);
  const { rows } = await json('list mutants --json');
  const all = protocols.flatMap(({ name, mutants }) => mutants.map((mutant) => [name, mutant]));
  expect(rows.map((row: Record<string, string>) => [row.protocol, row.name])).toEqual(all);
  const { out } = await quorumlab('list mutants');
  for (const { name, title, paper } of rows) {
    expect(title).toMatch(/^[A-Z].*[.]$/);
    expect(out).toContain(`${name}\n      ${title} (${paper})`);
  }
  const ofRaft = rows.filter((row: Record<string, string>) => row.protocol === 'raft');
  expect((await json('list mutants raft --json')).rows).toEqual(ofRaft);
  expect((await quorumlab('list mutants raft')).out).not.toContain('multi-paxos');
  expect((await quorumlab('__complete run')).out).toContain('run');
  expect((await quorumlab('__complete run ra')).out).toContain('raft');
  expect((await quorumlab('__complete run raft --attack e')).out).toContain('equivocating-leader');
  for (const shell of ['bash', 'zsh', 'fish'])
    expect((await quorumlab(`completion ${shell}`)).out).toContain('__complete');
});

test('the simulated demo tells the story in two columns', async () => {
  const { out, code } = await quorumlab('demo --sim');
  expect(code).toBe(0);
  expect(out).toContain('RAFT  n=3');
  expect(out).toContain('PBFT  n=4');
  expect(out).toMatch(/✗ forked {3}position \d+: n1=(Ann|Bob), n2=(Ann|Bob)/);
  expect(out).toContain('n0 signed two statements about entry/');
});

test('neither library nor command line loads libp2p before a real node is asked for', () => {
  const script = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ resolve: (name, context, next) => (seen.push(name), next(name, context)) });
    await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
    await import(${JSON.stringify(new URL('./program.ts', import.meta.url).href)});
    const heavy = seen.filter((name) => /libp2p|quorumlab.(node|cluster)$/.test(name));
    console.log(JSON.stringify(heavy));
  `;
  const flags = ['--conditions=source', '--input-type=module', '-e', script];
  expect(spawnSync(process.execPath, flags, { encoding: 'utf8' }).stdout.trim()).toBe('[]');
});
