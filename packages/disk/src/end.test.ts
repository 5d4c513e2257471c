/**
 * The end of the log: whatever happens to the newest of its files, what was acknowledged is there,
 * or opening says that it is not.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DamagedLogError } from './errors.ts';
import { flushedName } from './flushed.ts';
import { openLog } from './log.ts';
import { openSqliteLog } from './sqlite.ts';
import { crashImages, type DiskImage, type FaultyFiles, faultyFiles } from './testing.ts';
import type { LogOptions, OpenLog } from './types.ts';

const writer = fileURLToPath(new URL('./end-child.ts', import.meta.url));
const folder = '/log';
const mark = join(folder, flushedName);
const isLong = process.env.QUORUMLAB_LONG_TESTS === '1';
/** Every cut in the long form; three in each eight bytes otherwise. */
const cutStep = isLong ? 1 : 3;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const openOn = (files: FaultyFiles, options: Partial<LogOptions> = {}) => {
  const batches: string[] = [];
  const replay = (batch: Uint8Array): void => void batches.push(new TextDecoder().decode(batch));
  const sizes = { segmentBytes: 700, preallocateBytes: 64 };
  return openLog(folder, { owner: 'end', files, ...sizes, ...options, replay }).then((log) => ({
    log,
    batches,
  }));
};

/** Appends batches `first`, `first + 1`, ... one after the other. */
async function append(
  log: { append(batch: Uint8Array): Promise<void> },
  first: number,
  to: number,
) {
  for (let i = first; i < to; i++) await log.append(bytesOf(`${i}`));
}

/** How many batches are read from an image; undefined: it is refused as damaged. */
async function readable(image: DiskImage): Promise<number | undefined> {
  const files = faultyFiles(image);
  try {
    const { batches } = await openOn(files);
    expect(batches).toEqual(batches.map((_, i) => `${i}`));
    return batches.length;
  } catch (error) {
    if (!(error instanceof DamagedLogError)) throw error;
    expect(files.journal).toEqual([]);
    return undefined;
  }
}

const newest = (image: DiskImage): string =>
  [...image.keys()]
    .filter((path) => path.endsWith('.log'))
    .sort()
    .at(-1)!;

const cut = (image: DiskImage, path: string, at: number): DiskImage =>
  new Map([...image, [path, image.get(path)!.slice(0, at)]]);

const zeroed = (image: DiskImage, path: string, from: number): DiskImage =>
  new Map([...image, [path, image.get(path)!.slice().fill(0, from)]]);

const without = (image: DiskImage, path: string): DiskImage =>
  new Map([...image].filter(([each]) => each !== path));

/** Everything that can take the end of the newest segment away. */
function* losses(image: DiskImage): Generator<readonly [what: string, image: DiskImage]> {
  const path = newest(image);
  const bytes = image.get(path)!;
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  yield [`without ${path}`, without(image, path)];
  for (let at = 0; at < end; at += cutStep) yield [`${path} cut at ${at}`, cut(image, path, at)];
  for (let at = 0; at < end; at += 11) yield [`${path} zero from ${at}`, zeroed(image, path, at)];
}

async function written(count: number, options: Partial<LogOptions> = {}) {
  const files = faultyFiles();
  const { log } = await openOn(files, options);
  await append(log, 0, count);
  return { files, log };
}

test('after a kill and after a clean close every loss at the end is an error', async () => {
  const { files, log } = await written(50);
  const killed = files.image();
  await log.close();
  const closed = files.image();
  const again = await openOn(files);
  await append(again.log, 50, 55);
  // What the clean close said is older than this log, and no less true.
  for (const [image, count] of [
    [killed, 50],
    [closed, 50],
    [files.image(), 55],
  ] as const) {
    expect(await readable(image)).toBe(count);
    for (const [what, lost] of losses(image)) expect(await readable(lost), what).toBeUndefined();
  }
});

test('every rotation and every rewrite is followed by that proof', async () => {
  const { files, log } = await written(3);
  for (let round = 0; round < 3; round++) {
    await log.rewrite([bytesOf('0'), bytesOf('1')]);
    expect(await readable(without(files.image(), newest(files.image())))).toBeUndefined();
    await append(log, 2, 40);
    const image = files.image();
    for (const path of image.keys()) expect(await readable(without(image, path))).toBeUndefined();
  }
  await log.rewrite([]);
  await log.close();
  expect(await readable(files.image())).toBe(0);
  expect(await readable(without(files.image(), newest(files.image())))).toBeUndefined();
});

/** What power loss at a moment, then every loss at the end, leaves of what was acknowledged. */
async function leastLeft(options: Partial<LogOptions>) {
  const { files, log } = await written(40, options);
  const times: { readonly count: number; readonly proven: number; readonly left: number }[] = [];
  let proven = 0;
  for (let count = 41; count <= 47; count++) {
    const before = files.journal.length;
    await append(log, count - 1, count);
    const after = files.journal
      .slice(before)
      .findLastIndex((each) => each.kind === 'datasync' && each.path.endsWith(flushedName));
    // A flush of the second place covers what had been acknowledged when it began.
    if (after >= 0) proven = count - 1;
    let left = count;
    // Of what was not flushed nothing is kept; only damage takes what was.
    const [sure] = crashImages(files, files.journal.length);
    expect(await readable(sure!.image)).toBe(count);
    for (const [, lost] of losses(sure!.image))
      left = Math.min(left, (await readable(lost)) ?? count);
    times.push({ count, proven, left });
  }
  return times;
}

test('after a loss of power damage is an error up to what had been proven', async () => {
  for (const { left, proven } of await leastLeft({})) expect(left).toBeGreaterThanOrEqual(proven);
});

test('... and up to all that was acknowledged, if each batch is to be proven', async () => {
  const all = await leastLeft({ acknowledge: 'proven' });
  for (const { left, count } of all) expect(left).toBe(count);
});

test('a second place that is missing, spoilt or of another log is an error', async () => {
  const { files, log } = await written(30);
  const early = files.image();
  await append(log, 30, 60);
  const image = files.image();
  expect(await readable(without(image, mark))).toBeUndefined();
  expect(await readable(new Map([...image, [mark, new Uint8Array(1024)]]))).toBeUndefined();
  expect(await readable(cut(image, mark, 40))).toBeUndefined();
  // It proves less, but nothing that is wrong.
  expect(await readable(new Map([...image, [mark, early.get(mark)!]]))).toBe(60);
  // A log copied back from a backup, beside the second place of today.
  expect(await readable(new Map([...early, [mark, image.get(mark)!]]))).toBeUndefined();
  // Nothing inside a folder that was copied back whole says that it is old.
  expect(await readable(early)).toBe(30);
  const other = faultyFiles(early);
  const { log: second } = await openOn(other);
  for (let i = 30; i < 59; i++) await second.append(bytesOf(`other ${i}`));
  expect(await readable(new Map([...image, [mark, other.image().get(mark)!]]))).toBeUndefined();
});

test('a slot of the second place that is lost leaves the other', async () => {
  const { files, log } = await written(30);
  await log.close();
  for (const at of [0, 512])
    for (let i = 0; i < 64; i++) {
      const bytes = files.image().get(mark)!.slice();
      bytes[at + i]! ^= 0x40;
      const image = new Map([...files.image(), [mark, bytes]]);
      expect(await readable(image)).toBe(30);
      // After a clean close both say the same.
      expect(await readable(cut(image, newest(image), 100))).toBeUndefined();
    }
});

/** How many batches a folder holds that a process left; undefined: it is refused as damaged. */
async function readFolder(open: OpenLog, from: string, change: (folder: string) => Promise<void>) {
  const copy = await mkdtemp(join(tmpdir(), 'quorumlab-end-'));
  try {
    await cp(from, join(copy, 'log'), { recursive: true });
    await change(join(copy, 'log'));
    let count = 0;
    const replay = (): void => void count++;
    const log = await open(join(copy, 'log'), { owner: 'end', replay });
    await log.close();
    return count;
  } catch (error) {
    if (!(error instanceof DamagedLogError)) throw error;
    return undefined;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

test('node:sqlite: what is cut from its own log, or any file missing, is an error', async () => {
  const root = await mkdtemp(join(tmpdir(), 'quorumlab-end-'));
  const log = await openSqliteLog(join(root, 'log'), { owner: 'end', replay: () => {} });
  await append(log, 0, 20);
  const killed = join(root, 'killed');
  await cp(join(root, 'log'), killed, { recursive: true });
  const read = (change: (folder: string) => Promise<void>) =>
    readFolder(openSqliteLog, killed, change);
  expect(await read(async () => {})).toBe(20);
  const wal = (folder: string) => join(folder, 'log.sqlite-wal');
  const { size } = await stat(wal(killed));
  for (let i = 0; i < 8; i++)
    expect(await read((copy) => truncate(wal(copy), Math.floor((size * i) / 8)))).toBeUndefined();
  const zero = async (copy: string) => {
    const bytes = await readFile(wal(copy));
    await writeFile(wal(copy), bytes.fill(0, size / 2));
  };
  expect(await read(zero)).toBeUndefined();
  for (const name of ['log.sqlite', 'log.sqlite-wal', flushedName])
    expect(await read((copy) => rm(join(copy, name))), name).toBeUndefined();
  await log.rewrite([]);
  await log.close();
  const closed = (change: (folder: string) => Promise<void>) =>
    readFolder(openSqliteLog, join(root, 'log'), change);
  expect(await closed(async () => {})).toBe(0);
  for (const name of ['log.sqlite', flushedName])
    expect(await closed((copy) => rm(join(copy, name))), name).toBeUndefined();
  expect(await closed((copy) => truncate(join(copy, 'log.sqlite'), 0))).toBeUndefined();
  await rm(root, { recursive: true, force: true });
});

/** Runs a process that appends, kills it, and tells how many batches it had acknowledged. */
async function killedWriter(backEnd: string, at: string): Promise<number> {
  const flags = ['--conditions=source', writer, backEnd, at];
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((done) => child.once('close', done));
  let said = '';
  for await (const piece of child.stdout.setEncoding('utf8')) {
    said += piece;
    if (said.length > 1_000) child.kill('SIGKILL');
  }
  await ended;
  return said.slice(0, said.lastIndexOf('\n')).split('\n').length;
}

test.runIf(isLong)(
  'a killed process: each cut of the newest file is an error',
  async () => {
    for (const [backEnd, open] of [
      ['files', openLog],
      ['sqlite', openSqliteLog],
    ] as const) {
      const root = await mkdtemp(join(tmpdir(), 'quorumlab-end-'));
      const at = join(root, 'log');
      const acknowledged = await killedWriter(backEnd, at);
      const whole = await readFolder(open, at, async () => {});
      expect(whole).toBeGreaterThanOrEqual(acknowledged);
      const names = (await readdir(at)).filter((each) => /^\d+\.log$/.test(each));
      const name = backEnd === 'sqlite' ? 'log.sqlite-wal' : names.sort().at(-1)!;
      const bytes = await readFile(join(at, name));
      const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
      const step = Math.ceil(end / 400);
      for (let cutAt = 0; cutAt < end; cutAt += step) {
        const cut = await readFolder(open, at, (copy) => truncate(join(copy, name), cutAt));
        // What was being written when it was killed was not acknowledged, and may go.
        expect(cut ?? acknowledged, `${name} cut at ${cutAt}`).toBeGreaterThanOrEqual(acknowledged);
        const zeros = await readFolder(open, at, (copy) =>
          writeFile(join(copy, name), Buffer.from(bytes).fill(0, cutAt)),
        );
        expect(zeros ?? acknowledged, `${name} zero from ${cutAt}`).toBeGreaterThanOrEqual(
          acknowledged,
        );
      }
      expect(await readFolder(open, at, (copy) => rm(join(copy, name)))).toBeUndefined();
      await rm(root, { recursive: true, force: true });
    }
  },
  300_000,
);
