import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLog, openSqliteLog } from './index.ts';

const child = fileURLToPath(new URL('./lock-child.ts', import.meta.url));
let root = '';
let children: ChildProcess[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quorumlab-lock-'));
  children = [];
});

afterEach(async () => {
  for (const one of children) one.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
});

/** Starts a process that opens the folder and appends "0", "1", ... for ever, printing each. */
function start(backend: string, folder: string) {
  const process_ = spawn(process.execPath, ['--conditions=source', child, backend, folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(process_);
  let output = '';
  let errors = '';
  const exited = new Promise<void>((resolve) => process_.once('close', () => resolve()));
  process_.stderr.on('data', (data) => {
    errors += String(data);
  });
  const printed = (count: number): Promise<void> =>
    new Promise((resolve, reject) => {
      process_.stdout.on('data', (data) => {
        output += String(data);
        if (output.split('\n').length > count) resolve();
      });
      void exited.then(() => reject(new Error(`the child ended: ${output} ${errors}`)));
    });
  return { process: process_, printed, exited, output: () => output };
}

describe.each([
  ['files', openLog],
  ['sqlite', openSqliteLog],
] as const)('%s', (backend, open) => {
  const folder = (): string => join(root, 'log');
  const options = (batches: string[]) => ({
    owner: 'lock',
    replay: (batch: Uint8Array) => void batches.push(new TextDecoder().decode(batch)),
  });

  test('a second process is refused; SIGKILL loses nothing and leaves no stale lock', async () => {
    let total = 0;
    for (let round = 0; round < 2; round++) {
      const holder = start(backend, folder());
      await holder.printed(40);
      await expect(open(folder(), options([]))).rejects.toMatchObject({
        name: 'FolderLockedError',
        pid: holder.process.pid,
      });
      holder.process.kill('SIGKILL');
      await holder.exited;
      const batches: string[] = [];
      const log = await open(folder(), options(batches));
      const lines = holder.output().trimEnd().split('\n');
      // A last line that was cut off by the kill was acknowledged too, but says less.
      total += holder.output().endsWith('\n') ? lines.length : lines.length - 1;
      expect(batches.length).toBeGreaterThanOrEqual(total);
      expect(batches).toEqual(batches.map((_, i) => String(i)));
      total = batches.length;
      await log.close();
    }
  });
});

test('files and folder are closed to other users', async () => {
  const folder = join(root, 'deep', 'log');
  const log = await openLog(folder, { owner: 'modes', replay: () => {} });
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  for (const name of await readdir(folder)) {
    if (name.endsWith('.log')) expect((await stat(join(folder, name))).mode & 0o077).toBe(0);
  }
  await log.close();
  await chmod(folder, 0o777);
  const open = openLog(folder, { owner: 'modes', replay: () => {} });
  await expect(open).rejects.toMatchObject({ name: 'UnsafePathError' });
});

test('links, folders and files in the wrong place are refused and left alone', async () => {
  const folder = join(root, 'log');
  const target = join(root, 'target');
  const options = { owner: 'links', replay: () => {} };
  await mkdir(folder, { mode: 0o700 });
  await writeFile(target, 'precious');
  for (const name of ['0000000000000001.log', 'lock', 'lock.holder']) {
    await rm(join(folder, name), { force: true });
    await symlink(target, join(folder, name));
    await expect(openLog(folder, options)).rejects.toMatchObject({ name: 'UnsafePathError' });
    await rm(join(folder, name));
  }
  await mkdir(join(folder, '0000000000000001.log'));
  await expect(openLog(folder, options)).rejects.toMatchObject({ name: 'UnsafePathError' });
  await expect(openLog(target, options)).rejects.toMatchObject({ name: 'UnsafePathError' });
  expect((await stat(target)).size).toBe('precious'.length);
});
