/** What a liar says instead: always something that its first word forbids. */
import { command } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { accept, oneOfEach } from '../test/messages.ts';
import { multiPaxos } from './index.ts';

const { conflict, vows } = multiPaxos({ n: 3 });

test('a broken vow is another value at the same place, of commands that clients asked for', () => {
  const [x, y, z] = ['x', 'y', 'z'].map(command) as [never, never, never];
  const message = accept(3, 7, [x, y]);
  const [[about, what] = []] = [...(vows?.(message) ?? [])];
  expect(about).toBe('accept/3/7');
  const said = new Set<unknown>();
  for (const known of [[y, z, x], [z], [], [x, y]])
    for (let fork = 0; fork < 4; fork++) {
      const lie = conflict?.(message, fork, known) ?? message;
      const [[same, other] = []] = [...(vows?.(lie) ?? [])];
      expect([same, other === what]).toEqual([about, false]);
      if (lie.kind === 'accept') said.add(lie.value[0]);
    }
  expect(said).toEqual(new Set([z, undefined]));
  const others = [0, 1, 2].map((fork) => conflict?.(message, fork, [z, command('w'), x]));
  expect(new Set(others.map((each) => each?.kind === 'accept' && each.value[0])).size).toBe(2);
});

test('there is no other no-op, and what is no proposal binds nobody', () => {
  const nothing = accept(3, 7, []);
  expect(conflict?.(nothing, 0, [command('z')])).toBe(nothing);
  for (const message of oneOfEach(3)) {
    if (message.kind === 'accept') continue;
    expect([...(vows?.(message) ?? [])]).toEqual([]);
    expect(conflict?.(message, 0, [command('z')])).toBe(message);
  }
});
