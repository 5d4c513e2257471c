/** Servers that were not made with their group: what the log says of them. */
import { describe, expect, test } from 'vitest';
import { ask, calm, change, start } from '../test/changing.ts';
import { encodeSeat } from './index.ts';

const about = Uint8Array.of(1, 2, 3);
const made = { n: 3, seats: 6, initialMembers: [0, 1, 2] };
const rosterOf = (group: ReturnType<typeof start>, id: number) =>
  group.nodes[id]?.machine.roster?.();

describe('a server that comes later', () => {
  test('is told to all by the log, gets all of it, and votes once it is promoted', () => {
    const group = start(made);
    for (const text of ['a', 'b', 'c', 'd']) group.propose(0, text);
    group.settle();
    ask(group, 0, encodeSeat(3, about));
    group.settle();
    calm(group, 0, 1, 2, 3);
    for (const id of [0, 1, 2, 3])
      expect(rosterOf(group, id)).toMatchObject({
        voters: [0, 1, 2],
        learners: [3],
        seats: [{ member: 3, about }],
        settled: true,
      });
    change(group, 0, { voters: [3] });
    group.settle();
    calm(group, 0, 1, 2, 3);
    expect(rosterOf(group, 3)?.voters).toEqual([0, 1, 2, 3]);
    change(group, 0, { leaving: [3] });
    group.settle();
    calm(group, 0, 1, 2, 3);
    // It hears that it has left, and what is known of it stays: its number is its own for good.
    for (const id of [0, 3])
      expect(rosterOf(group, id)).toMatchObject({ left: [3], seats: [{ member: 3, about }] });
  });

  test('keeps its number for good, and others are named that nobody knows', () => {
    const group = start(made);
    const refusedBy = (bytes: Uint8Array): string => {
      ask(group, 0, bytes);
      group.settle();
      return [...group.view(0).log.values()].at(-1)?.refusal ?? '';
    };
    expect(refusedBy(encodeSeat(1, about))).toContain('server 1 was made with the group');
    expect(refusedBy(encodeSeat(6, about))).toContain('room for the servers 0 to 5');
    expect(refusedBy(encodeSeat(4, about))).toBe('');
    calm(group, 0, 1, 2, 4);
    expect(refusedBy(encodeSeat(4, Uint8Array.of(9)))).toContain('a number is never given twice');
    expect(refusedBy(encodeSeat(4, about))).toContain('the group is that already');
    change(group, 0, { voters: [5] });
    group.settle();
    expect([...group.view(0).log.values()].at(-1)?.refusal).toContain('server 5 is not one of');
  });

  test('makes others refuse to tell who lost its disk what it may have promised', () => {
    const group = start(made);
    ask(group, 0, encodeSeat(3, about));
    group.settle();
    calm(group, 0, 1, 2, 3);
    group.inject(1, 0, { kind: 'rejoin', nonce: 7, lastIndex: 0 });
    group.settle();
    expect(group.lines.has('rejoin-2')).toBe(false);
  });
});
