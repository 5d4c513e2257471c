/** The file operations of Node, on real files. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inFolder } from '../test/place.ts';
import { nodeFiles } from './files.ts';

const pattern = (size: number) => new Uint8Array(size).map((_, i) => (i * 31 + (i >> 8)) & 0xff);

test('a file is written and read at any place, in small pieces and in large ones', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'file');
    const file = await nodeFiles.open(path, 'create');
    const bytes = pattern(400_000);
    // Below, at and above what is written without a trip to another thread.
    for (const [from, to] of [
      [0, 3],
      [3, 131_075],
      [131_075, 400_000],
    ] as const)
      await file.write(bytes.subarray(from, to), from);
    await file.datasync();
    expect(await file.size()).toBe(400_000);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    for (const [from, size, there] of [
      [0, 5, 5],
      [131_000, 200_000, 200_000],
      [399_990, 20, 10],
      [400_000, 3, 0],
    ] as const)
      for (const read of [file.read, file.readNow]) {
        const target = new Uint8Array(size).fill(7);
        expect(await read(target, from)).toBe(there);
        const expected = new Uint8Array(size).fill(7);
        expected.set(bytes.subarray(from, from + there));
        expect(Buffer.compare(target, expected)).toBe(0);
      }
    await file.truncate(100);
    expect([await file.size(), statSync(path).size]).toEqual([100, 100]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await file.close();
    await expect(file.datasync()).rejects.toThrow();
  }));

test('a file is opened as it was asked for, and no other', () =>
  inFolder(async (folder) => {
    const at = (name: string): string => join(folder, name);
    await (await nodeFiles.open(at('file'), 'create')).close();
    await expect(nodeFiles.open(at('file'), 'create')).rejects.toMatchObject({ code: 'EEXIST' });
    for (const mode of ['read', 'update'] as const)
      await expect(nodeFiles.open(at('none'), mode)).rejects.toMatchObject({ code: 'ENOENT' });
    symlinkSync(at('file'), at('link'));
    for (const mode of ['read', 'update'] as const)
      await expect(nodeFiles.open(at('link'), mode)).rejects.toMatchObject({
        ...{ name: 'UnsafePathError', path: at('link') },
        message: expect.stringMatching(/it is a symbolic link/),
      });
    await expect(nodeFiles.open(at('link'), 'create')).rejects.toMatchObject({ code: 'EEXIST' });
    const update = await nodeFiles.open(at('file'), 'update');
    await update.write(Uint8Array.of(1, 2, 3), 0);
    await update.close();
    const read = await nodeFiles.open(at('file'), 'read');
    await expect(read.write(Uint8Array.of(4), 0)).rejects.toMatchObject({ code: 'EBADF' });
    await read.close();
    expect([...readFileSync(at('file'))]).toEqual([1, 2, 3]);
    await nodeFiles.rename(at('file'), at('other'));
    expect((await nodeFiles.list(folder)).toSorted()).toEqual(['link', 'other']);
    await nodeFiles.unlink(at('link'));
    expect(await nodeFiles.list(folder)).toEqual(['other']);
    await nodeFiles.syncFolder(folder);
    await expect(nodeFiles.syncFolder(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
  }));

test('what stands at a path is told, without following a link', () =>
  inFolder(async (folder) => {
    const at = (name: string): string => join(folder, name);
    writeFileSync(at('file'), '');
    symlinkSync(at('file'), at('link'));
    expect(await nodeFiles.kind(at('file'))).toBe('file');
    expect(await nodeFiles.kind(folder)).toBe('folder');
    expect(await nodeFiles.kind(at('link'))).toBe('link');
    expect(await nodeFiles.kind('/dev/null')).toBe('other');
    expect(await nodeFiles.kind(at('none'))).toBe('none');
    await expect(nodeFiles.kind(join(at('file'), 'below'))).rejects.toMatchObject({
      code: 'ENOTDIR',
    });
  }));

test('a folder is made for this user alone, with its parents, or must be a safe one', () =>
  inFolder(async (root) => {
    const deep = join(root, 'a', 'b', 'c');
    await nodeFiles.prepareFolder(deep);
    for (const each of [deep, join(root, 'a')]) expect(statSync(each).mode & 0o777).toBe(0o700);
    // It stays as it is.
    writeFileSync(join(deep, 'kept'), '');
    await nodeFiles.prepareFolder(deep);
    expect(await nodeFiles.list(deep)).toEqual(['kept']);
    const refused = (path: string, why: RegExp) =>
      expect(nodeFiles.prepareFolder(path)).rejects.toMatchObject({
        ...{ name: 'UnsafePathError', path, message: expect.stringMatching(why) },
      });
    symlinkSync(deep, join(root, 'link'));
    await refused(join(root, 'link'), /it is a symbolic link/);
    await refused(join(deep, 'kept'), /it is not a folder/);
    for (const mode of [0o720, 0o702, 0o777]) {
      chmodSync(deep, mode);
      await refused(deep, /other users may write in it; set its mode to 0700/);
    }
    for (const mode of [0o755, 0o750, 0o700]) {
      chmodSync(deep, mode);
      await nodeFiles.prepareFolder(deep);
    }
  }));

test.runIf(process.getuid?.() === 0)('a folder of another user is refused', () =>
  inFolder(async (root) => {
    const folder = join(root, 'theirs');
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, 12_345, 12_345);
    await expect(nodeFiles.prepareFolder(folder)).rejects.toMatchObject({
      ...{ name: 'UnsafePathError', message: expect.stringMatching(/it belongs to another user/) },
    });
  }),
);

test('what is to be done later is done, unless that was taken back', async () => {
  const done: string[] = [];
  const cancel = nodeFiles.later(0, () => done.push('taken back'));
  cancel();
  await new Promise<void>((resolve) => {
    nodeFiles.later(1, () => {
      done.push('later');
      resolve();
    });
    // What is to be done later keeps no process alive: something else does here.
    setTimeout(resolve, 1_000);
  });
  expect(done).toEqual(['later']);
});

test('salts are numbers of 32 bits, and differ', () => {
  const salts = Array.from({ length: 64 }, () => nodeFiles.salt());
  expect(new Set(salts).size).toBeGreaterThan(60);
  expect(salts.every((salt) => Number.isInteger(salt) && salt >= 0 && salt < 2 ** 32)).toBe(true);
  expect(Math.max(...salts)).toBeGreaterThan(2 ** 24);
});
