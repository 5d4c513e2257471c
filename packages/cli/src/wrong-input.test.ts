import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { said } from '../test-support/said.ts';
import { errorCodes } from './error-codes.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab-wrong-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const good = file('good.ndjson', '{"op":"put","key":"a","value":"1"}\n');
const notText = join(folder, 'not-text');
writeFileSync(notText, Uint8Array.of(0xff, 0xfe, 0x00, 0x80));
const long = 'x'.repeat(300);

/** Each flag of each command, with what it cannot be; and what the sentence has to name. */
const rows: readonly (readonly [line: string, ...named: string[]])[] = [
  // The command itself.
  ['rnu raft', "unknown command 'rnu'", 'Did you mean run?'],
  ['help nonsense', 'There is no command "nonsense"'],
  ['run', "missing required argument 'protocol'"],
  ['run raft pbft', 'too many arguments'],
  ["run ''", 'argument 1 of run is empty'],
  ['run raf', 'Did you mean raft'],
  ['run raft --atack x', 'Did you mean --attack?'],
  ['run raft --seed', '--seed <seed>', 'argument missing'],
  // Flags of every command.
  ['list verdicts --color x', '--color takes auto, always or never, not "x"'],
  ['list verdicts --color alway', 'Did you mean always?'],
  ["list verdicts --color ''", '--color is empty'],
  ['list verdicts --progress slow', '--progress takes auto, bar, lines or off, not "slow"'],
  ['list verdicts --color auto --color never', '--color is given twice'],
  // Sizes.
  ['run raft -n 0', '-n takes a whole number from 1 to', 'not "0"'],
  ['run raft -n -3', '-n takes a whole number'],
  ['run raft -n 3.5', '-n takes a whole number', 'not "3.5"'],
  ['run raft -n 3x', 'not "3x"'],
  ['run raft -n 0x10', 'not "0x10"'],
  ['run raft -n 1e1', 'not "1e1"'],
  ['run raft -n 99999999999999999999', '-n takes a whole number'],
  ["run raft -n ''", '-n is empty'],
  ['run raft -n 3 -n 5', '-n is given twice, as 3 and 5'],
  ['run raft -n -f 1', '-n takes a value', '-f is another flag'],
  ['run raft -f many', '-f takes a whole number from 0'],
  ['run pbft -n 3 -f 1', 'n=3 tolerates 0 traitors', 'use   -n 4'],
  // Attacks.
  ['run raft --attack equivocating-lead', 'Did you mean equivocating-leader?'],
  ["run raft --attack ''", '--attack is empty'],
  ['run raft --by 0', '--by 0 says who lies', 'no attack says how'],
  ['run raft --attack split --by 0', 'split takes no liar'],
  ['run raft --attack silent-leader --by 7', '--by names n7', 'n0 to n2'],
  ['run raft --attack silent-leader --by 0,0', '--by names n0 twice'],
  ['run raft --attack silent-leader --by 0,', '--by takes a whole number'],
  ['run raft --attack silent-leader --by -1', '--by takes a whole number'],
  ['run pbft --attack f+1-traitors --by 0', 'use   --by 0,1'],
  // The world.
  ['run raft --net lam', 'Did you mean lan'],
  ['run raft --net lan:gst=1s', '--net lan takes no settings'],
  ['run raft --net psync:gts=1s', '--net psync takes gst and delta, not "gts"'],
  ['run raft --net psync:gst=1', '--net', 'takes a time', 'not "1"'],
  ['run raft --net psync:gst=1s,gst=2s', '--net psync sets gst twice'],
  ['run raft --clock fast', '"fast" is not a clock setting'],
  ['run raft --clock offset=5', '--clock', 'takes a time', 'not "5"'],
  ['run raft --clock offset=1ms,offset=2ms', '--clock sets offset twice'],
  ['run raft --clock drift=9999999ppm', 'drift'],
  ['run raft --crash 3', 'write e.g. 3@900ms'],
  ['run raft --crash leader@2s..1s', '--crash "2s..1s" ends before it begins'],
  ['run raft --crash leader@1s..1s', 'ends before it begins'],
  ['run raft --crash leader@soon', '--crash takes a time', 'not "soon"'],
  ['run raft --crash leader@1sx', 'not "1sx"'],
  ['run raft --crash leader@-1s', 'not "-1s"'],
  ['run raft --crash 7@1s', 'n7', 'n0 to n2'],
  ['run raft --crash leader@9s', 'a crash at 9000 ms never comes', 'the run ends at 5000 ms'],
  ['run raft --split 01@1s', 'write e.g. 01-23@900ms..1500ms'],
  ['run raft --split 0,,2-1@1s', 'has a comma too many'],
  ['run raft --split 01-12@1s', 'names n1 twice'],
  ['run raft --fault pause', '--fault takes JSON'],
  ['run raft --split 01-9@1s', 'n9', 'n0 to n2'],
  ['run raft --split 01-2@2s..1s', 'ends before it begins'],
  ['run raft --until 5', '--until takes a time', 'not "5"'],
  ['run raft --until 0s', '--until takes a time above 0'],
  ['run raft --until 99999999999999h', '--until takes a time'],
  ['run raft --until 99999999999999m', '--until takes a time'],
  // What clients do.
  ['run raft --workload contst', 'Did you mean contest?'],
  ['run raft --workload file', 'for a file of that name'],
  ['run raft --workload ./none.ndjson', './none.ndjson cannot be read', 'check the name'],
  [`run raft --workload ${folder}`, 'it is a folder'],
  [`run raft --workload ${notText}`, 'is not text in UTF-8'],
  [`run raft --workload ${file('empty.ndjson', '\n\n')}`, 'has no operation in it'],
  [`run raft --workload ${file('bad.ndjson', '{"op":"put"')}`, 'line 1 of the workload'],
  [`run raft --workload ${good} --count 3`, '--count does not go with a workload file'],
  ['run raft --count 0', '--count takes a whole number from 1'],
  ['run raft --clients 1001', '--clients takes a whole number from 1 to 1000'],
  ['run raft --outstanding 65537', '--outstanding takes a whole number from 1 to 65536'],
  ['run raft --crypto rsa', '--crypto takes ideal or ed25519, not "rsa"'],
  ["run raft --seed ''", '--seed is empty'],
  [`run raft --seed ${long}`, '--seed takes a number or a word of up to 100 characters'],
  ['run raft --crash 0@1s --crash 0@1s', '--crash is given twice'],
  [`run raft --seed 'a\nb'`, '--seed takes a number or a word in one line'],
  ['run raft --seed 1 --seed 2', '--seed is given twice, as 1 and 2'],
  // Rules and options of protocols.
  ['run raft --mutant figure-9', 'Did you mean figure-8?'],
  ['run raft --option heartbeet=20ms', 'Did you mean heartbeat?'],
  ['run raft --option heartbeat', 'write e.g. name=value'],
  ['run raft --option heartbeat=', 'heartbeat takes a whole number or a time'],
  ['run raft --option heartbeat=soon', 'heartbeat takes a whole number or a time'],
  ['run raft --option heartbeat=-1', 'heartbeat takes a whole number or a time'],
  ['run raft --option heartbeat=99999999999999999999', 'heartbeat takes a whole number or a time'],
  ['run raft --option heartbeat=0', 'heartbeat is 0'],
  ['run raft --option heartbeat=1ms --option heartbeat=2ms', '--option sets heartbeat twice'],
  ['run raft --option preVote=maybe', 'is true or false'],
  ['run hotstuff --option rules=chaind', 'Did you mean chained?'],
  ['run multi-paxos --option alpha=0', 'alpha is 0; use an integer of 1 or more'],
  ['run flexible-paxos -n 5 --option q1=2 --option q2=3', '{0, 1} and the phase 2 quorum'],
  // What a run is to be, and where it goes.
  ['run raft --expect maybe', '--expect takes forked, invalid', 'not "maybe"'],
  ['run raft --expect forkd', 'Did you mean forked?'],
  ["run raft --trace ''", '--trace is empty'],
  // Searches.
  ['attack raft --seeds 0', '--seeds takes a whole number from 1'],
  ['compare raft --seeds 0', '--seeds takes a whole number from 1'],
  ['compare raft --net lam', 'Did you mean lan'],
  ['attack raft --seeds 1e3', '--seeds takes a whole number from 1'],
  ['attack raft --jobs 0', '--jobs takes a whole number from 1 to 64'],
  ['attack raft --expect no', '--expect takes'],
  ["attack raft --traces ''", '--traces is empty'],
  ['compare', "missing required argument 'protocols'"],
  ['compare raft pbtf', 'Did you mean pbft?'],
  ['compare raft raft', 'the protocol raft stands twice'],
  ['compare raft --attack split,', '--attack has a comma too many'],
  ['compare raft --attack split,split', 'the attack split stands twice'],
  ['compare raft pbft -n 3', 'use   -n 4'],
  ['compare raft --jobs many', '--jobs takes a whole number'],
  // Files that were written before.
  ['shrink none.trace.ndjson', 'none.trace.ndjson cannot be read'],
  ['shrink none.trace.ndjson --tries 0', '--tries takes a whole number from 1'],
  [`replay ${folder}`, 'it is a folder'],
  [`check ${good}`, 'line 1 of the history', 'quorumlab.transactions/1'],
  [`explain ${good}`, 'neither a trace nor a proof'],
  [`explain ${join(folder, long)}`, 'the name is too long'],
  [`explain ${join(good, 'x')}`, 'a part of this path is a file'],
  ['explain nothing-here', 'nothing-here cannot be read'],
  // The rest.
  ['demo raft', 'the demo shows two protocols'],
  ['demo raft raft', 'the protocol raft stands twice'],
  ['demo --real --sim', '--real and --sim'],
  ['demo --real --seed 3', '--seed is for the simulator'],
  ['list', 'say what to list'],
  ['list attaks', 'Did you mean attacks?'],
  ['completion tcsh', 'bash, zsh and fish'],
  ['node --self 0', 'say which cluster'],
  ['node', "required option '--self <number>'"],
  ['node --self x --folder y', '--self takes a whole number'],
  ['node --self 0 --folder a --config b/cluster.json', '--config and --folder'],
  ['node --self 0 --config other.json', '--config takes the cluster.json'],
  ['keys show none.key', 'none.key'],
  ['keys frobnicate', "unknown command 'frobnicate'"],
  ['cluster up --folder none', 'say which protocol'],
  ['cluster init --protocol raft --name a/b', '--name takes up to 64 letters'],
  ['cluster init --protocol rfat', 'Did you mean raft?'],
  ['cluster init --protocol raft -n 200', '-n takes a whole number from 1 to 128'],
  ['cluster init --protocol raft --port 70000', '--port takes a whole number from 0 to 65535'],
  ['cluster init --protocol raft --port 80 --folder none', 'use 1024 to 65535'],
  ['cluster init --protocol raft --clients 65', '--clients takes a whole number from 1 to 64'],
  [`cluster init --protocol raft --folder ${good}/x`, 'a part of this path is a file'],
  ['cluster up --rejoin 1,1 --folder none', '--rejoin names n1 twice'],
  ['cluster status --folder none', 'There is no cluster in'],
  ["cluster submit --folder none ''", 'argument 1 of submit is empty'],
  [`cluster submit --file ${good} 'get a'`, '--file and operations'],
  ['cluster submit --count 0 "get a"', '--count takes a whole number from 1'],
  ['cluster submit --timeout soon "get a"', '--timeout takes a time', 'not "soon"'],
  ['cluster submit --outstanding 0 "get a"', '--outstanding takes a whole number from 1'],
  ['cluster fault many silent-leader', 'the node takes a whole number'],
  ['cluster fault 0 silent-leadr', 'Did you mean silent-leader or slow-leader?'],
  ['cluster down --folder none', 'There is no cluster in'],
];

test('wrong input gets one sentence that names it, and exit code 254', async () => {
  expect(rows.length).toBeGreaterThan(100);
  for (const [line, ...named] of rows) {
    const { out, err, code } = await said(line);
    expect({ line, code, out, err }).toMatchObject({ code: 254, out: '' });
    expect(err, line).toMatch(/^error QL\d{3}: \S.*\n/);
    expect(Object.keys(errorCodes), line).toContain(err.slice(6, 11));
    for (const each of named) expect(err, line).toContain(each);
  }
});

test('with --json the same is one document: code, sentence, and what to do', async () => {
  for (const [line] of rows) {
    const { out, err, code } = await said(`--json ${line}`);
    const document: Record<string, unknown> = JSON.parse(out);
    expect(document, line).toMatchObject({ schema: 'quorumlab.error/1', exit: code });
    const { code: name, message, hint } = document;
    expect(err, line).toContain(`error ${name}: ${message}`);
    expect(hint, line).toMatch(/\S/);
  }
});

test('--step and --json contradict each other', async () => {
  const { err, code } = await said(`replay ${good} --step --json`);
  expect(code).toBe(254);
  expect(err).toContain('--step prints events for people');
});

test('a hint names only flags that the command has', async () => {
  const hints = async (line: string): Promise<string> => (await said(line)).err;
  expect(await hints('run raft -n 2 -f 1')).toContain('or    --unsafe-n');
  for (const line of ['compare raft -n 2', 'cluster init --protocol raft -n 2 -f 1']) {
    expect(await hints(line)).toContain('use   -n 3');
    expect(await hints(line)).not.toContain('--unsafe-n');
  }
});
