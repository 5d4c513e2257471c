import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ms } from '@quorumlab/core';
import { completeScenario, engine, runScenario } from '@quorumlab/harness';
import { traceBuffer, traceSchema } from '@quorumlab/sim';
import { afterAll, expect, test } from 'vitest';
import { Exit } from './errors.ts';
import { replayed } from './replayed.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'quorumlab-signals-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  readonly said: { out: string; err: string };
  /** The exit code, when all output is there. */
  readonly ended: Promise<number | null>;
}

function start(line: string): Started {
  const child = spawn(process.execPath, ['--conditions=source', main, ...line.split(' ')], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (part) => (said.out += String(part)));
  child.stderr.on('data', (part) => (said.err += String(part)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, said, ended };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

/** Searches show a bar as soon as some seeds have run, and would take hours. */
const long = '--seeds 1000000000 --jobs 1 --progress bar';

test('an interrupted search says what it knows, as text and as a document', async () => {
  const { child, said, ended } = start(`attack raft --attack split ${long}`);
  await until(() => said.err.includes('seeds'));
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  const [, runs] = /no violation in ([\d,]+) seeds;/.exec(said.out) as unknown as [string, string];
  expect(said.err).toContain(`stopped by SIGINT: no violation in ${runs} seeds of 1,000,000,000`);

  const other = start(`--json attack raft --attack split ${long}`);
  await until(() => other.said.err.includes('seeds'));
  other.child.kill('SIGTERM');
  expect(await other.ended).toBe(143);
  const document = JSON.parse(other.said.out);
  expect(document).toMatchObject({ schema: 'quorumlab.result/1', exit: 143 });
  expect(document.stopped).toMatch(/^stopped by SIGTERM: no violation in [\d,]+ seeds of/);
});

/** A run that would take days, and its trace, of which there is only the beginning. */
const endless = '--count 1000000000 --until 1000000s --events 1000000000000';
function beginningOfTrace(): string {
  const scenario = completeScenario({ protocol: 'raft', n: 3, count: 1e9, until: ms(1e9) });
  const file = join(folder, 'endless.trace.ndjson');
  const header = { schema: traceSchema, engine, protocolVersions: { raft: '1' }, scenario };
  writeFileSync(file, `${JSON.stringify(header)}\n`);
  return file;
}

const bar = '--progress bar';

test('an interrupted run says what is known, as text and as a document', async () => {
  const line = `run raft ${endless} --trace no.ndjson ${bar}`;
  const both = [start(line), start(`--json ${line}`)] as const;
  for (const { child, said } of both) {
    await until(() => said.err.includes('operations'));
    child.kill('SIGINT');
  }
  const [text, json] = both;
  expect(await text.ended, text.said.err).toBe(130);
  const known =
    /stopped by SIGINT: no violation in [\d,]+ events, [\d,]+ operations of 1,000,000,000/;
  expect(text.said.err).toMatch(known);
  // A trace that ends early is none of its scenario.
  expect(text.said.err).toContain('no.ndjson is not written');
  expect(text.said.out).toMatch(/answered before a signal ended it/);
  expect(await json.ended).toBe(130);
  const document = JSON.parse(json.said.out);
  expect(document).toMatchObject({ exit: 130, verdicts: [{ word: 'inconclusive' }] });
  expect(document.stopped).toMatch(known);
  expect(existsSync(join(folder, 'no.ndjson'))).toBe(false);
});

test.each([
  ['an explanation', `explain ${beginningOfTrace()}`, /n\d leads term 1/],
  ['a replay', `--json replay ${beginningOfTrace()}`, /"stopped":"stopped by SIGINT: no violation/],
  ['a table of quorums', 'quorums raft -n 40 -f 1 --seeds 4', /^ {2}1 +0 /m],
])('what an interrupted command has of %s is shown', async (_, line, known) => {
  const { child, said, ended } = start(`${line} ${bar}`);
  await until(() => / (operations|sizes) /.test(said.err));
  child.kill('SIGINT');
  expect(await ended, said.err).toBe(130);
  expect(said.out).toMatch(known);
  expect(said.err).toMatch(/stopped by SIGINT: (no violation in|\d+ sizes of 40)/);
});

test('a replay that was stopped says how far both are the same', async () => {
  const scenario = completeScenario({ protocol: 'raft', n: 3 });
  const buffer = traceBuffer();
  runScenario(scenario, { trace: buffer, proofs: true, story: true });
  const whole = await replayed(scenario, buffer.text(), new AbortController().signal);
  expect(whole).toMatchObject({ lines: buffer.lines.length, of: buffer.lines.length });
  const end = AbortSignal.abort(new Exit(130, 'QL129', 'stopped by SIGINT'));
  const { difference, lines, of, stop } = await replayed(scenario, buffer.text(), end);
  expect({ difference, of }).toEqual({ difference: undefined, of: whole.of });
  expect(lines).toBeGreaterThan(1);
  expect(lines).toBeLessThan(of);
  expect(stop?.message).toMatch(/^stopped by SIGINT: no violation in \d+ events/);
  // What differs already is told, whatever would come behind it.
  const edited = buffer.text().replace('{"i":3,', '{"i":3, ');
  expect((await replayed(scenario, edited, end)).difference?.line).toBeLessThan(lines);
});

test('an interrupted comparison shows the cells that it has', async () => {
  const { child, said, ended } = start(
    `compare raft pbft --attack none,equivocating-leader ${long} --traces traces`,
  );
  await until(() => said.err.includes('runs'));
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(said.err).toMatch(/stopped by SIGINT: [\d,]+ runs of 4,000,000,000/);
  expect(said.out).toMatch(/^ {2}(raft|pbft) +\d/m);
});

/** Processes of this cluster that are there. */
function processesOf(cluster: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${cluster}\0--self`);
      } catch {
        // It has ended in between.
        return false;
      }
    });
}

const hasProc = existsSync('/proc/self/cmdline');

test('an interrupted start of a cluster leaves no process, nor does a second signal', async () => {
  for (const signals of [1, 2]) {
    const cluster = join(folder, `cluster-${signals}`);
    const { child, said, ended } = start(`cluster up --protocol raft --folder ${cluster}`);
    await until(() => existsSync(join(cluster, 'n2', 'stderr')) || child.exitCode !== null);
    for (let i = 0; i < signals; i++) child.kill('SIGINT');
    expect(await ended, said.err).toBe(130);
    if (signals === 1) expect(said.err).toContain('every node that this has started is stopped');
    if (hasProc) await until(() => processesOf(cluster).length === 0);
  }
});
