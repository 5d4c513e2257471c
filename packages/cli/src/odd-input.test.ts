import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { said } from '../test-support/said.ts';
import { errorCodes } from './error-codes.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab-odd-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};
const place = (...names: readonly string[]): string => {
  const path = join(folder, ...names);
  mkdirSync(path, { recursive: true });
  return path;
};
const headless = file('headless.trace.ndjson', '{"schema":"quorumlab.trace/1"}\n');
const cluster = place('cluster');
place('cluster', 'cluster.json');
const fault = (value: object): string => `run raft --fault '${JSON.stringify(value)}'`;

/** What people and scripts type that is nearly right: and what the sentence has to name. */
const rows: readonly (readonly [line: string, ...named: string[]])[] = [
  // Numbers with units, separators and other digits.
  ['run raft -n ３', '-n takes a whole number from 1 to 10000, not "３"'],
  ['run raft -n 3,000', 'not "3,000"'],
  ['run raft -n "3 "', 'not "3 "'],
  ['run raft -n=3', 'not "=3"'],
  ['run raft --n 3', "unknown option '--n'", 'Did you mean -n?'],
  ['run raft --count 5k', '--count takes a whole number', 'not "5k"'],
  ['run raft --count 1_000', 'not "1_000"'],
  ['run raft --count +5', 'not "+5"'],
  ['run raft --count 1000000000000', 'from 1 to 1000000000'],
  ['run raft --events 1e9', '--events takes a whole number'],
  ['run raft --until 5 s', 'too many arguments'],
  ['run raft --until 5,5s', '--until takes a time', 'not "5,5s"'],
  ['run raft --until 5s5ms', 'not "5s5ms"'],
  ['run raft --until ∞', 'not "∞"'],
  ['run raft --clock drift=1e9ppm', '--clock takes a drift from 0ppm to 100000ppm'],
  ['run raft --net psync:gst=-1s', 'not "-1s"'],
  ['run raft --crash 0@1s..', '--crash takes a time', 'not ""'],
  ['cluster submit --timeout 0s "get a"', '--timeout takes a time from 1ms on'],
  // Names that are not there, or only to a machine.
  ['run RAFT', 'There is no protocol "RAFT"', 'Did you mean raft'],
  ['run räft', 'Did you mean raft'],
  ['run __proto__', 'There is no protocol "__proto__"'],
  ['run raft --net toString', 'There is no network "toString"'],
  ['run raft --option constructor=1', 'There is no option of raft "constructor"'],
  ['run raft --option =5', 'write e.g. name=value'],
  ['run raft --expect OK', 'Did you mean ok?'],
  ['run -- --seed', 'There is no protocol "--seed"'],
  ['attack raft --mutant all --attack split', 'use   --mutant all   alone'],
  ["cluster init --protocol raft --name '☃'", '--name takes up to 64 letters'],
  // Values of no value.
  ["run raft --seed '   '", '--seed is empty'],
  ["run raft --seed '\u001b[31m'", '--seed takes a number or a word in one line'],
  ["cluster init --protocol raft --host ''", '--host is empty'],
  ['run raft --net psync:', '--net psync takes gst and delta'],
  ['run raft --unsafe-n=1', 'Did you mean --unsafe-n?'],
  ['run raft --json=yes', "unknown option '--json=yes'"],
  ['demo --seed 1 --seed 1', '--seed is given twice, as 1 and 1'],
  // JSON on the command line.
  ['run raft --fault null', '--fault takes a type of crash'],
  [fault({ type: 'explode', at: 5 }), '--fault takes a type of crash'],
  [fault({ type: 'crash', at: -5, node: 0 }), '--fault crash has no good "at"'],
  [fault({ type: 'crash', at: 5, node: '0' }), '--fault crash has no good "node"'],
  [fault({ type: 'split', at: 5, groups: [[0], 'x'] }), '--fault split has no good "groups"'],
  // Paths to something else.
  [`replay ${place('folder.trace.ndjson')}`, 'it is a folder; name a file in it'],
  [`replay ${headless}`, 'its first line names no version'],
  [`shrink ${headless}`, 'its first line names no version'],
  [`run raft --workload ${file('nul.ndjson', '\u0000\n')}`, 'line 1 of the workload is not JSON'],
  [`keys show ${folder}`, 'is not a file; give the path of a key file'],
  [`keys show ${file('long.key', 'a'.repeat(1000))}`, 'one line of 64 lower-case hex digits'],
  [`keys new ${folder}`, 'exists and was left as it is'],
  [`cluster status --folder ${cluster}`, 'cluster.json is not a file'],
  [`cluster down --folder ${headless}`, 'a part of this path is a file'],
  ['cluster init --protocol raft --host 999.1.1.1 --folder none', 'is no IP address'],
  ['cluster init --protocol raft --port 65535 --folder none', 'use 1024 to 65535'],
];

test('what is nearly right gets one sentence too, in words and as a document', async () => {
  for (const [line, ...named] of rows) {
    const { out, err, code } = await said(`--json ${line}`);
    const isTrace = named.some((each) => each.includes('its first line'));
    expect({ line, code, err }).toMatchObject({ code: isTrace ? 3 : 254 });
    const { schema, code: name, message, hint, exit } = JSON.parse(out);
    expect({ schema, exit }, line).toEqual({ schema: 'quorumlab.error/1', exit: code });
    expect(Object.keys(errorCodes), line).toContain(name);
    expect(hint, line).toMatch(/\S/);
    expect(err, line).toContain(`error ${name}: ${message}`);
    for (const each of named) expect(err, line).toContain(each);
    // One sentence, and hints below it: no stack, no undefined, nothing that moves a terminal.
    expect(message, line).toMatch(/^\S.*[.?]$/);
    expect(err, line).not.toMatch(/\n +at |undefined|\[object|NaN/);
    expect(err, line).not.toContain('\u001b');
  }
});

test('no value of an environment variable makes a command fail or speak otherwise', async () => {
  const usual = await said('list verdicts');
  for (const env of [
    { COLUMNS: 'wide' },
    { COLUMNS: '-5' },
    { COLUMNS: '1e99' },
    { COLUMNS: '0.5' },
    { FORCE_COLOR: 'banana', NO_COLOR: '1' },
    { TERM: '\u0000' },
    { CI: '' },
    { QUORUMLAB_COMMAND: '' },
    { TMPDIR: join(folder, 'nowhere') },
  ]) {
    const { out, err, code } = await said('list verdicts', env);
    expect({ env, err, code }).toEqual({ env, err: '', code: 0 });
    // Widths only break lines.
    expect(out.replace(/\s+/g, ' '), JSON.stringify(env)).toBe(usual.out.replace(/\s+/g, ' '));
  }
});
