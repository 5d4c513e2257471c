import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

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

  const other = start(`--json attack raft --attack split --seeds 1000000000 --jobs 1`);
  // Nothing can be seen of it but that its thread is there and works.
  await until(() => isBusy(other.child));
  other.child.kill('SIGTERM');
  expect(await other.ended).toBe(143);
  const document = JSON.parse(other.said.out);
  expect(document).toMatchObject({ schema: 'quorumlab.result/1', exit: 143 });
  expect(document.stopped).toMatch(/^stopped by SIGTERM: no violation in [\d,]+ seeds of/);
});

/** Whether a process has used half a second of a processor; where that cannot be seen, at once. */
function isBusy({ pid }: ChildProcess): boolean {
  if (!existsSync('/proc/self/stat')) return true;
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]) > 100;
}

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
