/** What a replica of Basic Paxos refuses before it steps, and that it would come to nothing. */
import { type Machine, seal } from '@quorumlab/core';
import { unsigned } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { Group, value } from '../test/group.ts';
import { type BasicPaxos, type BasicPaxosMessage, basicPaxos } from './index.ts';

const x = value('x');

/** Whether replica 0 admits it; what it does not admit changes nothing and says nothing. */
function isAdmitted(group: Group, from: number, message: BasicPaxosMessage): boolean {
  const machine = group.node(0).machine as Machine<BasicPaxos>;
  if (machine.admits?.(seal<BasicPaxosMessage>(message, from, unsigned), group.now) !== false)
    return true;
  const before = machine.snapshot();
  const said = group.packets.length;
  group.inject(from, 0, message);
  expect(machine.snapshot()).toEqual(before);
  expect(group.packets).toHaveLength(said);
  return false;
}

test('who asks what was chosen is told twice in the time after which it asks again', () => {
  const group = new Group(basicPaxos({ n: 3 }));
  expect(isAdmitted(group, 1, { kind: 'ask' })).toBe(false);
  group.propose(0, 'x');
  group.settle();
  let told = 0;
  for (let i = 0; i < 100; i++) {
    group.now += 500;
    const message: BasicPaxosMessage =
      i % 2 === 0 ? { kind: 'ask' } : { kind: 'prepare', ballot: 10 };
    if (!isAdmitted(group, 1, message)) continue;
    group.inject(1, 0, message);
    told++;
  }
  expect(told).toBe(2);
});

test('promises, refusals and votes are heard while they are asked for', () => {
  const group = new Group(basicPaxos({ n: 5 }));
  const promise = (ballot: number): BasicPaxosMessage => ({
    kind: 'promise',
    ballot,
    accepted: null,
  });
  expect(isAdmitted(group, 1, promise(5))).toBe(false);
  group.propose(0, 'x');
  const { ballot } = group.view(0);
  expect(isAdmitted(group, 1, promise(ballot + 5))).toBe(false);
  expect(isAdmitted(group, 1, { kind: 'nack', ballot, promised: ballot })).toBe(false);
  expect(isAdmitted(group, 1, promise(ballot))).toBe(true);
  group.inject(1, 0, promise(ballot));
  expect(isAdmitted(group, 1, promise(ballot))).toBe(false);
  group.settle();
  expect(group.node(0).decided).toBe('x');
  for (const late of [
    promise(ballot),
    { kind: 'accepted', ballot, value: x },
    { kind: 'nack', ballot, promised: ballot + 1 },
    { kind: 'decided', value: x },
  ] as const)
    expect(isAdmitted(group, 2, late)).toBe(false);
});

test('only the owner of a ballot is heard', () => {
  const group = new Group(basicPaxos({ n: 3 }));
  const heard = [0, 1, 2].filter((from) => isAdmitted(group, from, { kind: 'prepare', ballot: 7 }));
  expect(heard).toEqual([1]);
  expect(isAdmitted(group, 2, { kind: 'accept', ballot: 7, value: x })).toBe(false);
});
