import { expect, test } from 'vitest';
import { Backlog } from './backlog.ts';

/** A time that is always over, and one that never is. */
const over = 0;
const never = Number.POSITIVE_INFINITY;

test('a slice does one piece at least, and all slices do all pieces in their order', () => {
  const backlog = new Backlog();
  const done: number[] = [];
  for (let i = 0; i < 5; i++) backlog.add(() => done.push(i));
  for (let i = 1; i <= 3; i++) {
    backlog.run(over);
    expect(done).toHaveLength(i);
    expect(backlog.waits).toBe(true);
  }
  backlog.add(() => done.push(5));
  backlog.run(never);
  expect(done).toEqual([0, 1, 2, 3, 4, 5]);
  expect(backlog.waits).toBe(false);
});

test('what a piece adds comes after what waits, and a piece runs no other inside itself', () => {
  const backlog = new Backlog();
  const done: string[] = [];
  backlog.add(() => {
    done.push('first begins');
    backlog.add(() => done.push('third'));
    backlog.run(never);
    done.push('first ends');
  });
  backlog.add(() => done.push('second'));
  backlog.run(never);
  expect(done).toEqual(['first begins', 'first ends', 'second', 'third']);
});

test('what a piece throws comes out; after a piece that clears it nothing is left', () => {
  const backlog = new Backlog();
  backlog.add(() => {
    throw new RangeError('broken');
  });
  backlog.add(() => backlog.clear());
  backlog.add(() => {
    throw new RangeError('not to be run');
  });
  expect(() => backlog.run(never)).toThrow('broken');
  backlog.run(never);
  expect(backlog.waits).toBe(false);
});
