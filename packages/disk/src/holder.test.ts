/** Who holds a folder, as it is told to those who come second. */
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inFolder } from '../test/place.ts';
import { lockFolder } from './lock.ts';

test('a lock is held once, names its holder, and is given back', () =>
  inFolder(async (folder) => {
    const unlock = await lockFolder(folder);
    expect(readFileSync(join(folder, 'lock.holder'), 'utf8')).toBe(`${process.pid}\n`);
    expect(statSync(join(folder, 'lock.holder')).mode & 0o777).toBe(0o600);
    const error = {
      ...{ name: 'FolderLockedError', folder, pid: process.pid },
      message: expect.stringMatching(new RegExp(`is in use by process ${process.pid}: stop that`)),
    };
    await expect(lockFolder(folder)).rejects.toMatchObject(error);
    unlock();
    const again = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toMatchObject(error);
    again();
  }));

test('a holder that is no living process is not named', () =>
  inFolder(async (root) => {
    // A process id that nobody has: above the largest that Linux gives.
    const names = ['', 'abc', '0', '-1', '1.5', `${2 ** 22 + 1}`, '1e400'];
    await Promise.all(
      names.map(async (name, i) => {
        const folder = join(root, `${i}`);
        mkdirSync(folder);
        const unlock = await lockFolder(folder);
        writeFileSync(join(folder, 'lock.holder'), name);
        await expect(lockFolder(folder), name).rejects.toMatchObject({
          ...{ pid: undefined, message: expect.stringMatching(/in use by another process: stop/) },
        });
        unlock();
      }),
    );
    // A shorter name replaces a longer one whole.
    const folder = join(root, `${names.length}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'lock.holder'), '1'.repeat(50));
    (await lockFolder(folder))();
    expect(readFileSync(join(folder, 'lock.holder'), 'utf8')).toBe(`${process.pid}\n`);
  }));

test('a name that comes a moment after the lock is waited for', () =>
  inFolder(async (folder) => {
    const unlock = await lockFolder(folder);
    writeFileSync(join(folder, 'lock.holder'), '');
    const second = lockFolder(folder);
    setTimeout(() => writeFileSync(join(folder, 'lock.holder'), `${process.pid}`), 30);
    await expect(second).rejects.toMatchObject({ pid: process.pid });
    unlock();
  }));

test('what cannot be locked, or written, is told from a folder that is held', () =>
  inFolder(async (root) => {
    await expect(lockFolder(join(root, 'none'))).rejects.not.toMatchObject({
      name: 'FolderLockedError',
    });
    for (const name of ['lock', 'lock.holder']) {
      const folder = join(root, name);
      mkdirSync(folder);
      symlinkSync('/dev/null', join(folder, name));
      await expect(lockFolder(folder)).rejects.toMatchObject({
        ...{ name: 'UnsafePathError', path: join(folder, name) },
        message: expect.stringMatching(/it is not a regular file/),
      });
    }
    const folder = join(root, 'text');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'lock'),
      'no database at all, and longer than its header is'.repeat(9),
    );
    await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'ERR_SQLITE_ERROR' });
  }));
