import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogOptions, OpenLog, RecordLog } from './types.ts';

/** One promise of RecordLog, to be run by any test runner: `test(name, run)`. */
export interface RecordLogCase {
  readonly name: string;
  /** Rejects if the promise is broken. Uses and removes its own temporary folder. */
  readonly run: () => Promise<void>;
}

interface Opened {
  readonly log: RecordLog;
  readonly batches: readonly Uint8Array[];
}

interface Place {
  readonly folder: string;
  /** All that were opened: a case whose promise is broken leaves its log as it is. */
  readonly opened: readonly RecordLog[];
  open(options?: Partial<LogOptions>): Promise<Opened>;
  /** Opens, closes, and returns what was there as text. */
  contents(): Promise<readonly string[]>;
}

const bytesOf = (content: string): Uint8Array => new TextEncoder().encode(content);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function placeAt(folder: string, openLog: OpenLog): Place {
  const opened: RecordLog[] = [];
  const open = async (options: Partial<LogOptions> = {}): Promise<Opened> => {
    const batches: Uint8Array[] = [];
    const replay = (batch: Uint8Array): void => void batches.push(batch);
    const log = await openLog(folder, { owner: 'suite', segmentBytes: 4096, replay, ...options });
    opened.push(log);
    return { log, batches };
  };
  const contents = async (): Promise<readonly string[]> => {
    const { log, batches } = await open();
    await log.close();
    return batches.map(textOf);
  };
  return { folder, opened, open, contents };
}

async function emptyLog(place: Place): Promise<void> {
  await rejects(place.open({ mustExist: true }), { name: 'MissingLogError' });
  const { log, batches } = await place.open();
  deepEqual(batches, []);
  await log.close();
  deepEqual((await place.contents()).length, 0);
}

async function roundTrip(place: Place): Promise<void> {
  const sizes = [0, 1, 7, 8, 470, 511, 512, 513, 4096, 70_000, 300_000];
  const batches = sizes.map((size) => new Uint8Array(size).map((_, i) => (i * 7 + size) & 0xff));
  batches.push(new Uint8Array(5_000));
  const { log } = await place.open();
  for (const batch of batches) await log.append(batch);
  ok(log.bytes >= 380_000, 'bytes counts the payloads');
  await log.close();
  const again = await place.open({ mustExist: true });
  deepEqual(
    again.batches.map((batch) => Buffer.from(batch).toString('hex')),
    batches.map((batch) => Buffer.from(batch).toString('hex')),
  );
  await again.log.append(bytesOf('more'));
  await again.log.close();
  const third = await place.open();
  equal(third.batches.length, batches.length + 1);
  await third.log.close();
}

async function concurrentOrder(place: Place): Promise<void> {
  const { log } = await place.open();
  const names = Array.from({ length: 300 }, (_, i) => `batch ${i}`);
  const order: number[] = [];
  await Promise.all(
    names.map((name, i) => log.append(bytesOf(name)).then(() => void order.push(i))),
  );
  deepEqual(
    order,
    names.map((_, i) => i),
  );
  await log.close();
  deepEqual(await place.contents(), names);
}

async function ownCopy(place: Place): Promise<void> {
  const { log } = await place.open();
  const buffer = bytesOf('first');
  const done = log.append(buffer);
  buffer.set(bytesOf('XXXXX'));
  await done;
  await log.close();
  deepEqual(await place.contents(), ['first']);
}

async function rewriting(place: Place): Promise<void> {
  const { log } = await place.open();
  for (let i = 0; i < 50; i++) await log.append(new Uint8Array(200));
  const before = log.bytes;
  const calls = [
    log.append(bytesOf('replaced too')),
    log.rewrite([bytesOf('state 1'), bytesOf('state 2')]),
    log.append(bytesOf('after')),
  ];
  await Promise.all(calls);
  ok(log.bytes < before, 'a rewrite gives space back');
  await log.close();
  deepEqual(await place.contents(), ['state 1', 'state 2', 'after']);
  const second = await place.open();
  await second.log.rewrite([]);
  await second.log.close();
  deepEqual(await place.contents(), []);
  const third = await place.open();
  const many = Array.from({ length: 9_000 }, (_, i) => `row ${i}`);
  await third.log.rewrite(many.map(bytesOf));
  await third.log.append(bytesOf('end'));
  await third.log.close();
  deepEqual(await place.contents(), [...many, 'end']);
}

async function failingState(place: Place): Promise<void> {
  const { log } = await place.open({ maxBatchBytes: 1000 });
  await log.append(bytesOf('old'));
  function* broken(): Generator<Uint8Array> {
    yield bytesOf('new');
    throw new RangeError('the caller is at fault');
  }
  await rejects(log.rewrite(broken()), { name: 'RangeError' });
  await rejects(log.rewrite([new Uint8Array(1001)]), { name: 'LogLimitError' });
  await log.append(bytesOf('still works'));
  await log.rewrite([bytesOf('old'), bytesOf('and compact')]);
  await log.close();
  deepEqual(await place.contents(), ['old', 'and compact']);
}

async function limits(place: Place): Promise<void> {
  const { log } = await place.open({ maxBatchBytes: 100, maxPendingBytes: 250 });
  await rejects(log.append(new Uint8Array(101)), { name: 'LogLimitError' });
  const calls = [1, 2, 3].map(() => log.append(new Uint8Array(100)));
  const results = await Promise.allSettled(calls);
  deepEqual(
    results.map((result) => result.status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
  await log.append(new Uint8Array(100));
  await log.close();
  equal((await place.contents()).length, 3);
}

async function closing(place: Place): Promise<void> {
  const { log } = await place.open();
  const pending = log.append(bytesOf('just before'));
  const closed = log.close();
  await rejects(log.append(bytesOf('too late')), { name: 'LogClosedError' });
  await rejects(log.rewrite([]), { name: 'LogClosedError' });
  await Promise.all([pending, closed, log.close()]);
  deepEqual(await place.contents(), ['just before']);
}

async function exclusive(place: Place): Promise<void> {
  const { log } = await place.open();
  await rejects(place.open(), { name: 'FolderLockedError', pid: process.pid });
  await log.append(bytesOf('not disturbed'));
  await log.close();
  deepEqual(await place.contents(), ['not disturbed']);
}

async function owners(place: Place): Promise<void> {
  const { log } = await place.open();
  await log.append(bytesOf('mine'));
  await log.close();
  await rejects(place.open({ owner: 'somebody else' }), { name: 'WrongOwnerError' });
  deepEqual(await place.contents(), ['mine']);
}

async function links(place: Place, openLog: OpenLog): Promise<void> {
  const real = join(place.folder, 'real');
  const link = join(place.folder, 'link');
  await mkdir(real, { recursive: true, mode: 0o700 });
  await symlink(real, link);
  await rejects(placeAt(link, openLog).open(), { name: 'UnsafePathError' });
}

/**
 * What every RecordLog must do, whatever it stores its bytes in; the crash and damage tests of
 * this package come on top. Give each case to the test runner of your choice:
 * `for (const { name, run } of testRecordLog(openLog)) test(name, run)`.
 */
export function testRecordLog(openLog: OpenLog): readonly RecordLogCase[] {
  const cases: Readonly<Record<string, (place: Place, openLog: OpenLog) => Promise<void>>> = {
    'starts empty, unless a log must exist': emptyLog,
    'gives back every batch, byte by byte, in order': roundTrip,
    'answers concurrent appends in order': concurrentOrder,
    'copies the batch at the call': ownCopy,
    'replaces everything before a rewrite and nothing after it': rewriting,
    'keeps the old batches if the new state cannot be read': failingState,
    'refuses what is too large and goes on': limits,
    'finishes pending appends at close and refuses later ones': closing,
    'lets one opener in at a time': exclusive,
    'refuses the log of another owner': owners,
    'refuses a folder that is a symbolic link': links,
  };
  return Object.entries(cases).map(([name, run]) => ({
    name,
    run: async () => {
      const root = await mkdtemp(join(tmpdir(), 'quorumlab-log-'));
      const place = placeAt(join(root, 'folder'), openLog);
      try {
        await run(place, openLog);
      } finally {
        for (const log of place.opened) await log.close().catch(() => undefined);
        await rm(root, { recursive: true, force: true });
      }
    },
  }));
}
