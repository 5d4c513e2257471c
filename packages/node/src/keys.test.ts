import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { generateSeed, KeyFileError, publicKeyOf, readKeyFile, writeKeyFile } from './keys.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quorumlab-keys-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function faultOf(action: Promise<unknown>): Promise<KeyFileError> {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KeyFileError)) throw new Error('expected a KeyFileError');
  return error;
}

describe('key files', () => {
  test('a written key is read back, and only its owner can read it', async () => {
    const path = join(folder, 'node.key');
    const seed = generateSeed();
    await writeKeyFile(path, seed);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readKeyFile(path)).toEqual(seed);
    expect(await readFile(path, 'utf8')).toBe(`${Buffer.from(seed).toString('hex')}\n`);
  });

  test.each([0o644, 0o640, 0o604, 0o620, 0o601])(
    'mode %o is refused with the cure',
    async (mode) => {
      const path = join(folder, 'node.key');
      await writeKeyFile(path, generateSeed());
      await chmod(path, mode);
      const error = await faultOf(readKeyFile(path));
      expect(error.name).toBe('KeyFileError');
      expect(error.fault).toBe('permissions');
      expect(error.message).toContain(`chmod 600 ${path}`);
      await chmod(path, 0o600);
      await readKeyFile(path);
    },
  );

  test('a link to a key that others can read is refused too', async () => {
    const path = join(folder, 'real.key');
    await writeFile(path, `${'ab'.repeat(32)}\n`, { mode: 0o644 });
    await symlink(path, join(folder, 'link.key'));
    expect((await faultOf(readKeyFile(join(folder, 'link.key')))).fault).toBe('permissions');
  });

  test('an existing file is never overwritten', async () => {
    const path = join(folder, 'node.key');
    await writeFile(path, 'precious');
    expect((await faultOf(writeKeyFile(path, generateSeed()))).fault).toBe('exists');
    expect(await readFile(path, 'utf8')).toBe('precious');
  });

  test.each([
    ['too short', 'ab'.repeat(31)],
    ['too long', 'ab'.repeat(33)],
    ['two lines', `${'ab'.repeat(32)}\n\n`],
    ['not hex', `${'zz'.repeat(32)}\n`],
    ['empty', ''],
  ])('a file that is %s is refused without quoting it', async (_what, text) => {
    const path = join(folder, 'node.key');
    await writeFile(path, text, { mode: 0o600 });
    const error = await faultOf(readKeyFile(path));
    expect(error.fault).toBe('format');
    expect(error.message).not.toContain('abab');
  });

  test('a missing file and a folder are named', async () => {
    expect((await faultOf(readKeyFile(join(folder, 'none')))).fault).toBe('missing');
    expect((await faultOf(readKeyFile(folder))).fault).toBe('format');
    const short = writeKeyFile(join(folder, 'short'), new Uint8Array(31));
    expect((await faultOf(short)).fault).toBe('input');
  });
});

test('public keys agree with RFC 8032, section 7.1, test 1', () => {
  const seed = Buffer.from(
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'hex',
  );
  expect(Buffer.from(publicKeyOf(seed)).toString('hex')).toBe(
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  );
  expect(() => publicKeyOf(new Uint8Array(31))).toThrow(RangeError);
});
