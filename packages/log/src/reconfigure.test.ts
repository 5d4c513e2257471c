import { decode, encode, firstClient } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { group } from '../test/group.ts';
import { kv } from './key-value-store.ts';
import { outcome } from './messages.ts';

const tell = (operation: Uint8Array, id: number) =>
  ({ type: 'submit', id, operation, readOnly: false, configuration: true }) as const;

test('a protocol that knows no changes refuses them in order, and nothing is run', () => {
  const g = group();
  g.ask(firstClient, kv.put('a', '1'));
  g.world.run(1e6);
  const before = g.world.applied.get(0)?.at(-1);
  g.world.tell(firstClient, tell(encode(outcome, 'grow'), 900));
  g.world.run(1e6);
  const answers = (g.world.outputs.get(firstClient) ?? []).flatMap((each) => each.answers);
  const answer = answers.find(({ id }) => id === 900);
  expect(answer?.result && decode(outcome, answer.result)).toContain('does not take this change');
  expect(g.state(0)).toBe(g.state(1));
  const after = g.world.applied.get(0)?.at(-1);
  expect(after).toMatchObject({ operations: [], slot: (before?.slot ?? 0) + 1 });
});

test('a change that is empty or too long is not sent', () => {
  const g = group();
  g.world.tell(firstClient, tell(new Uint8Array(0), 901));
  g.world.tell(firstClient, tell(new Uint8Array(4097), 902));
  const answers = (g.world.outputs.get(firstClient) ?? []).flatMap((each) => each.answers);
  expect(answers.map(({ error }) => error)).toEqual([
    'a change of the group has 1 to 4096 bytes, not 0',
    'a change of the group has 1 to 4096 bytes, not 4097',
  ]);
});
