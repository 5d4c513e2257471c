/** Rule 14: in which order a replica executes what it is told, whatever comes first. */
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { proposal } from '../test/messages.ts';
import { epaxos, type InstanceId } from './index.ts';

/** Each instance with those it depends on. */
type Graph = Readonly<Record<InstanceId, readonly InstanceId[]>>;

function told(graph: Graph, order: readonly InstanceId[], group = fresh()): Cluster {
  for (const id of order)
    group.inject(2, 1, {
      kind: 'commit',
      ballot: 0,
      ...proposal(
        id,
        `${id}`,
        [...(graph[id] ?? [])].map((from) => ({ from, count: 1 })),
      ),
    });
  return group;
}

const fresh = (): Cluster => cluster(epaxos({ n: 3 }));
const decidedBy = (group: Cluster): string => (group.nodes[1]?.decided ?? []).join(' ');

/** All orders of a few. */
function* orders(ids: readonly InstanceId[]): Iterable<readonly InstanceId[]> {
  if (ids.length === 0) yield [];
  for (const first of ids)
    for (const rest of orders(ids.filter((each) => each !== first))) yield [first, ...rest];
}

describe('in whatever order commits come, what follows from the graph is executed the same', () => {
  test.each<[string, Graph, string]>([
    ['a chain, from its end', { 0: [3], 3: [6], 6: [2], 2: [] }, '2 6 3 0'],
    ['a cycle, by numbers', { 5: [0], 0: [8], 8: [2], 2: [5] }, '0 2 5 8'],
    ['a cycle before what depends on it', { 0: [5], 5: [8], 8: [5] }, '5 8 0'],
    ['two cycles, one after the other', { 0: [3, 5], 3: [0], 5: [2], 2: [5] }, '2 5 0 3'],
    ['a cycle that is entered in its midst', { 0: [5], 5: [8], 8: [2], 2: [5] }, '2 5 8 0'],
    ['a cycle within a cycle', { 9: [2], 2: [5], 5: [2, 8], 8: [9] }, '2 5 8 9'],
    ['a way around', { 9: [2, 5], 2: [8], 5: [8], 8: [9] }, '2 5 8 9'],
    ['one that is both below and beside', { 9: [2, 8], 2: [8], 8: [5], 5: [2] }, '2 5 8 9'],
  ])('%s', (_, graph, expected) => {
    for (const order of orders(Object.keys(graph).map(Number)))
      expect(decidedBy(told(graph, order)), `${order}`).toBe(expected);
  });
});

test('what is missing holds back what depends on it, however far away, and nothing else', () => {
  const group = told({ 0: [3], 3: [6], 5: [] }, [0, 3, 5]);
  expect(decidedBy(group)).toBe('5');
  expect([...group.view(1).blocked]).toEqual([[6, new Set([3, 0])]]);
  told({ 9: [0], 12: [7] }, [9, 12], group);
  expect(decidedBy(group)).toBe('5');
  told({ 6: [5] }, [6], group);
  expect(decidedBy(group)).toBe('5 6 3 0 9');
  expect([...group.view(1).blocked.keys()]).toEqual([7]);
});

test('what came to nothing holds back nothing, and is not executed', () => {
  const group = told({ 0: [3] }, [0]);
  group.inject(2, 1, {
    kind: 'commit',
    ballot: 3,
    ...proposal(3, '', [{ from: 6, count: 1 }]),
    value: { kind: 'no-op', commands: [] },
  });
  expect(decidedBy(group)).toBe('0');
  told({ 9: [3] }, [9], group);
  expect(decidedBy(group)).toBe('0 9');
  expect([...group.view(1).executed]).toEqual([0, 9]);
});
