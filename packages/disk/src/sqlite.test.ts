/** The log in SQLite: what is refused, on databases that were changed by other hands. */
import { cpSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { toHex } from '@quorumlab/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { textOf, utf8 } from '../test/opened.ts';
import { inFolder, newFolder, readSlots, removeFolder } from '../test/place.ts';
import { flushedOf, ownerHash } from '../test/twin.ts';
import { openSqliteLog } from './sqlite.ts';
import type { LogOptions } from './types.ts';

async function open(folder: string, options: Partial<LogOptions> = {}) {
  const batches: string[] = [];
  const replay = (batch: Uint8Array): void => void batches.push(textOf(batch));
  const log = await openSqliteLog(folder, { owner: 'twin', replay, ...options });
  return { log, batches };
}

/** What the log in `folder` holds. */
async function read(folder: string): Promise<readonly string[]> {
  const { log, batches } = await open(folder);
  await log.close();
  return batches;
}

const three = ['one', 'two', 'three'];
/** Opens the log in `folder`, appends, and closes it. */
async function append(folder: string, batch: string): Promise<void> {
  const { log } = await open(folder);
  await log.append(utf8(batch));
  await log.close();
}

const databaseIn = (folder: string): string => join(folder, 'log.sqlite');

/** A folder with a log of three batches, which is copied: to write one takes flushes. */
let template: string;
beforeAll(async () => {
  template = newFolder();
  const { log } = await open(template);
  for (const batch of three) await log.append(utf8(batch));
  await log.close();
});
afterAll(() => removeFolder(template));

/** Calls `use` with a folder in which that log is. */
const inWritten = (use: (folder: string) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    cpSync(template, folder, { recursive: true });
    await use(folder);
  });

function change(folder: string, statement: string): void {
  const database = new DatabaseSync(databaseIn(folder));
  database.exec(statement);
  database.close();
}

const damaged = (record: number, why: RegExp) => ({
  ...{ name: 'DamagedLogError', offset: 0, record, message: expect.stringMatching(why) },
});

test.each<[string, string, object]>([
  ['its first row', 'DELETE FROM batches WHERE number = 1', damaged(1, /a row is missing/)],
  ['a row', 'DELETE FROM batches WHERE number = 2', damaged(2, /a row is missing/)],
  ['its last row', 'DELETE FROM batches WHERE number = 3', damaged(3, /proves records up to 3/)],
  ['all rows', 'DELETE FROM batches', damaged(1, /proves records up to 3/)],
  [
    'a row that was',
    "UPDATE batches SET bytes = x'00' WHERE number = 2",
    damaged(2, /was changed/),
  ],
  ['its link', 'UPDATE batches SET link = 5 WHERE number = 3', damaged(3, /a row was changed/)],
  ['whose it is', 'DELETE FROM about', damaged(0, /it does not say whose it is/)],
  ['its tables', 'DROP TABLE batches; DROP TABLE about', damaged(0, /it is missing or empty/)],
])('a database that has lost %s is refused, and left as it is', async (_, statement, error) => {
  await inWritten(async (folder) => {
    change(folder, statement);
    for (let i = 0; i < 2; i++)
      await expect(open(folder)).rejects.toMatchObject({ ...error, file: databaseIn(folder) });
  });
});

test('a database of another version, owner or program is refused', () =>
  inWritten(async (folder) => {
    change(folder, 'UPDATE about SET version = 3');
    await expect(open(folder)).rejects.toMatchObject({ name: 'UnknownFormatError', version: 3 });
    change(folder, 'UPDATE about SET version = 2, owner = zeroblob(32)');
    await expect(open(folder)).rejects.toMatchObject({ name: 'WrongOwnerError' });
    const shorter = toHex(ownerHash('twin').subarray(0, 31));
    change(folder, `UPDATE about SET owner = x'${shorter}'`);
    await expect(open(folder)).rejects.toMatchObject({ name: 'WrongOwnerError' });
    await expect(open(folder, { owner: 'other' })).rejects.toMatchObject({
      ...{ name: 'WrongOwnerError', file: join(folder, 'flushed.bin') },
    });
    writeFileSync(databaseIn(folder), 'no database at all'.repeat(100));
    await expect(open(folder)).rejects.toMatchObject(damaged(0, /SQLite says: /));
  }));

test('a log is started once, and not where one must be', () =>
  inFolder(async (folder) => {
    const missing = { name: 'MissingLogError', folder };
    await expect(open(folder, { mustExist: true })).rejects.toMatchObject(missing);
    // As a process leaves it that was killed before the tables were there.
    new DatabaseSync(databaseIn(folder)).close();
    writeFileSync(databaseIn(folder), '');
    writeFileSync(join(folder, 'flushed.bin'), flushedOf({}, {}));
    await expect(open(folder, { mustExist: true })).rejects.toMatchObject(missing);
    await append(folder, 'one');
    const { log, batches } = await open(folder, { mustExist: true });
    await log.close();
    expect(batches).toEqual(['one']);
  }));

test('a second place that was begun and not finished is begun again', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'flushed.tmp'), 'half');
    await append(folder, 'one');
    expect(readdirSync(folder)).not.toContain('flushed.tmp');
    expect(await read(folder)).toEqual(['one']);
  }));

test('a database whose second place is gone, or is of another copy, is refused', () =>
  inWritten(async (folder) => {
    const flushed = join(folder, 'flushed.bin');
    const other = { turn: 9, sequence: 1, record: 2, link: 5 };
    writeFileSync(flushed, flushedOf(other, other));
    await expect(open(folder)).rejects.toMatchObject(damaged(2, /beside another copy of the log/));
    rmSync(flushed);
    await expect(open(folder)).rejects.toMatchObject({ ...damaged(0, /./), file: flushed });
    await expect(open(folder)).rejects.toThrow(/only it knows where the log ended/);
    rmSync(databaseIn(folder));
    writeFileSync(flushed, flushedOf(other, other));
    await expect(open(folder)).rejects.toMatchObject(damaged(0, /missing or empty, and flushed/));
  }));

test('files of the database that are links are refused', () =>
  inFolder(async (root) => {
    for (const suffix of ['', '-wal', '-shm']) {
      const folder = join(root, `at${suffix}`);
      cpSync(template, folder, { recursive: true });
      const path = `${databaseIn(folder)}${suffix}`;
      rmSync(path, { force: true });
      symlinkSync(join(root, 'elsewhere'), path);
      await expect(open(folder)).rejects.toMatchObject({
        ...{ name: 'UnsafePathError', path },
        message: expect.stringMatching(/a log file must be a regular file/),
      });
    }
    expect(readdirSync(root)).not.toContain('elsewhere');
  }));

test('a commit that SQLite refuses ends the log, and leaves nothing of its group', () =>
  inWritten(async (folder) => {
    // Other hands have put this in, to make a write fail.
    const when = "BEFORE INSERT ON batches WHEN NEW.bytes = x'626164'";
    change(folder, `CREATE TRIGGER fail ${when} BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    const { log } = await open(folder);
    const before = log.bytes;
    await log.append(utf8('four'));
    expect(log.bytes).toBe(before + 4);
    const failed = {
      ...{ name: 'DiskFailedError', message: expect.stringMatching(/SQLite failed \(refused\)/) },
    };
    const calls = [log.append(utf8('good')), log.append(utf8('bad'))];
    for (const result of await Promise.allSettled(calls))
      expect(result).toMatchObject({ status: 'rejected', reason: failed });
    expect(log.bytes).toBe(before + 4);
    await expect(log.append(utf8('late'))).rejects.toMatchObject(failed);
    await log.close();
    expect(await read(folder)).toEqual([...three, 'four']);
    const second = (await open(folder)).log;
    await expect(second.rewrite([utf8('good'), utf8('bad')])).rejects.toMatchObject(failed);
    expect(second.bytes).toBe(before + 4);
    await second.close();
    expect(await read(folder)).toEqual([...three, 'four']);
  }));

test('numbers go on over a rewrite, whose links begin anew', () =>
  inWritten(async (folder) => {
    const { log } = await open(folder);
    expect(log.bytes).toBe(11);
    await log.rewrite([utf8('state'), utf8('more')]);
    expect(log.bytes).toBe(9);
    await log.append(utf8('end'));
    await log.close();
    const database = new DatabaseSync(databaseIn(folder));
    const rows = database.prepare('SELECT number FROM batches ORDER BY number').all();
    const first = database.prepare('SELECT first FROM about').get();
    database.close();
    expect(rows.map(({ number }) => number)).toEqual([4, 5, 6]);
    expect(first).toMatchObject({ first: 4 });
    expect(await read(folder)).toEqual(['state', 'more', 'end']);
    change(folder, 'DELETE FROM batches WHERE number = 6');
    await expect(open(folder)).rejects.toMatchObject(damaged(6, /proves records up to 6/));
  }));

test.each(['flushed', 'proven'] as const)('what is %s is all there after a kill', (acknowledge) =>
  inFolder(async (folder) => {
    const { log } = await open(folder, { acknowledge });
    const second = () => readSlots(folder);
    await log.append(utf8('one'));
    // Each batch is said once, or twice if both slots must prove it.
    const [before] = second();
    await log.append(utf8('two'));
    expect(second()[0]! - before!).toBe(acknowledge === 'proven' ? 2 : 1);
    await log.close();
    expect(await read(folder)).toEqual(['one', 'two']);
  }),
);
