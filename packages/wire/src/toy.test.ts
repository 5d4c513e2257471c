import { expect, test } from 'vitest';
import { toy, voteFor } from '../test/toy.ts';

test('the toy of these tests votes on one digest per view and slot', () => {
  expect([...toy.vows(voteFor(1, 'a'))][0]?.[0]).toBe([...toy.vows(voteFor(1, 'b'))][0]?.[0]);
});
