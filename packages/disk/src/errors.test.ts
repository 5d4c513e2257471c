/** What is wrong with a disk has a name, and what is asked of one has bounds. */
import { expect, test } from 'vitest';
import { DiskFailedError, DiskFullError, diskError, isFull, NoRoomError } from './errors.ts';
import { limitsOf } from './types.ts';

const failed = (code: string) => Object.assign(new Error(`${code}: it failed`), { code });

test('a disk and a quota that are full are one case, and every other failure is another', () => {
  for (const code of ['ENOSPC', 'EDQUOT']) {
    const cause = failed(code);
    expect(isFull(cause)).toBe(true);
    for (const thrown of [cause, new NoRoomError('/log', cause)]) {
      const named = diskError('append', thrown);
      expect(named).toBeInstanceOf(DiskFullError);
      expect(named.message).toContain(`is full (${code} at append)`);
      expect(named.cause).toBe(cause);
    }
  }
  for (const thrown of [failed('EIO'), new Error('no code'), 'a text', 7, null, undefined, {}]) {
    expect(isFull(thrown)).toBe(false);
    const named = diskError('append', thrown);
    expect(named.name).toBe('DiskFailedError');
    expect(named.message).toContain(thrown instanceof Error ? thrown.message : `(${thrown})`);
    expect(named.cause).toBe(thrown);
  }
});

test('what has its name already keeps it', () => {
  const first = new DiskFailedError('The disk failed at close.', failed('EIO'));
  expect(diskError('append', first)).toBe(first);
});

test('a batch may be as large as a back end can take, and as small as its own overhead', () => {
  const [least, most] = [64, 512 * 1024 * 1024];
  for (const maxBatchBytes of [least, least + 1, most])
    expect(limitsOf({ maxBatchBytes })).toMatchObject({ maxBatchBytes });
  for (const maxBatchBytes of [least - 1, most + 1, 100.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => limitsOf({ maxBatchBytes })).toThrow(`${maxBatchBytes}; use ${least} to ${most}`);
});
