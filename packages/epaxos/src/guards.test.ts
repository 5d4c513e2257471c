/** What changes nothing, because of who says it or because its time is over. */
import { decode, encode, firstClient, type Signature, seal } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { oneOfEach } from '../test/messages.ts';
import { type EpaxosMessage, epaxos } from './index.ts';

const fresh = (): Cluster => cluster(epaxos({ n: 3 }));
const stateOf = (group: Cluster, id: number) => group.nodes[id]?.machine.snapshot();

/** Replica 1 of three, in each situation in which something is there to be disturbed. */
const situations: readonly (readonly [string, () => Cluster])[] = [
  ['one that has heard nothing', fresh],
  [
    'a command leader',
    () => {
      const group = fresh();
      group.propose(1, 'a');
      return group;
    },
  ],
  [
    'one that recovers',
    () => {
      const group = fresh();
      group.propose(0, 'a');
      for (const each of group.packets.splice(0)) group.inject(each.from, each.to, each.message);
      group.packets.length = 0;
      group.recover(1);
      return group;
    },
  ],
  [
    'one that lost its disk',
    () => {
      const group = fresh();
      group.crash(1);
      group.restart(1, 'lost');
      return group;
    },
  ],
];

const unsigned = new Uint8Array(0) as Signature;

describe.each(situations)('%s', (_, make) => {
  test.each([1, 3, firstClient])('does not hear principal %i, who is no other member', (from) => {
    const group = make();
    group.packets.length = 0;
    const before = stateOf(group, 1);
    for (const message of [...oneOfEach(4, 0), ...oneOfEach(0, 1), ...oneOfEach(6, 1)])
      group.inject(from, 1, message);
    expect(group.packets).toEqual([]);
    expect(stateOf(group, 1)).toEqual(before);
  });

  test('what its guard refuses changes nothing', () => {
    for (const ballot of [0, 3, 4, 5, 6])
      for (const instance of [0, 1, 2, 3, 100_000])
        for (const message of oneOfEach(ballot, instance)) {
          const group = make();
          group.packets.length = 0;
          const sealed = seal<EpaxosMessage>(message, 0, unsigned);
          if (group.nodes[1]?.machine.admits?.(sealed, group.now) !== false) continue;
          const before = stateOf(group, 1);
          group.inject(0, 1, message);
          expect(group.packets, message.kind).toEqual([]);
          expect(stateOf(group, 1), message.kind).toEqual(before);
        }
  });
});

test('every message has an encoding that gives it back', () => {
  const { messages } = epaxos({ n: 3 });
  for (const message of oneOfEach(4, 7))
    expect(decode(messages, encode(messages, message))).toEqual(message);
});

test('a set of dependencies that nobody can have is not looked at', () => {
  const group = fresh();
  const [first] = oneOfEach(0, 0);
  const huge = Array.from({ length: 5 }, (_, i) => ({ from: i, count: 2 ** 17 }));
  group.inject(0, 1, { ...first, dependencies: huge } as EpaxosMessage);
  expect(group.packets).toEqual([]);
  expect(group.knows(1, 0)).toBe('nothing');
});
