/** How much a replica takes, opens and keeps: each bound is met, and one byte or entry more. */
import { type Request, replica, type Signed, seal, toUtf8 } from '@quorumlab/core';
import { command, ScriptedHost, testDigest, unsigned } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, type Packet } from '../test/cluster.ts';
import { type Epaxos, type EpaxosMessage, epaxos, type InstanceId, type Value } from './index.ts';

const MiB = 2 ** 20;
/** What a request counts beside a large operation: itself, a small operation, and a length. */
const requestBytes = 128 + 64 + 3;
/** What an instance counts beside its requests. */
const instanceBytes = 16;

/** A request that counts `bytes`. What is in it nobody looks at. */
const requestOf = (bytes: number): Signed<Request> => ({
  ...command(''),
  operations: [toUtf8('x'), new Uint8Array(bytes - requestBytes)],
});

/** A value that counts `bytes`. */
const valueWith = (bytes: number): Value => ({
  kind: 'commands',
  commands: [requestOf(bytes - instanceBytes)],
});

const openedBy = (group: Cluster, id: number): Packet[] =>
  group.packets.filter(
    ({ from, to, message }) => from === id && to === (id + 1) % 3 && message.kind === 'pre-accept',
  );
const sizes = (group: Cluster): number[] =>
  openedBy(group, 0).map(({ message }) =>
    message.kind === 'pre-accept' ? message.value.commands.length : 0,
  );

/** All that was opened is committed; what waited is opened then. */
function commitAll(group: Cluster): void {
  for (const { message } of openedBy(group, 0))
    if (message.kind === 'pre-accept') commit(group, 0, message.instance, message.value);
}

const commit = (group: Cluster, to: number, instance: InstanceId, value: Value): void =>
  group.inject((to + 1) % 3, to, {
    kind: 'commit',
    ballot: 0,
    instance,
    checkpoints: 0,
    value,
    dependencies: [],
  });

describe('what waits for an instance', () => {
  test('no more commands than maxWaiting, those in own instances included', () => {
    const group = cluster(epaxos({ n: 3, maxWaiting: 2, pipeline: 1, maxCommandsPerInstance: 1 }));
    const requests = [command('a'), command('b'), command('c')];
    for (const each of requests) group.request(0, each);
    expect(group.view(0).places.size).toBe(2);
    expect(group.nodes[0]?.machine.wants?.(requests[2] as Signed<Request>)).toBe(false);
    commitAll(group);
    expect(group.nodes[0]?.machine.wants?.(requests[2] as Signed<Request>)).toBe(true);
    group.request(0, requests[2] as Signed<Request>);
    expect(group.view(0).places.size).toBe(2);
  });

  test('no more than 64 MiB, those in own instances not included', () => {
    const group = cluster(epaxos({ n: 3, pipeline: 1 }));
    group.request(0, requestOf(1_000));
    expect(group.view(0).waitingBytes).toBe(0);
    group.request(0, requestOf(40 * MiB));
    expect(group.view(0).waitingBytes).toBe(40 * MiB);
    const most = 24 * MiB;
    expect(group.nodes[0]?.machine.wants?.(requestOf(most + 1))).toBe(false);
    group.request(0, requestOf(most + 1));
    expect(group.view(0).waiting).toHaveLength(1);
    group.request(0, requestOf(most));
    expect([group.view(0).waiting.length, group.view(0).waitingBytes]).toEqual([2, 64 * MiB]);
    commitAll(group);
    expect(group.view(0).waitingBytes).toBe(most);
  });

  test('what comes back counts again', () => {
    const group = cluster(epaxos({ n: 3, pipeline: 1 }));
    group.request(0, requestOf(1_000));
    group.request(0, requestOf(3_000));
    commit(group, 0, 0, { kind: 'no-op', commands: [] });
    const [, again] = openedBy(group, 0);
    expect(again?.message).toMatchObject({ instance: 3, value: { commands: [{}, {}] } });
    expect(group.view(0).waitingBytes).toBe(0);
    commit(group, 0, 3, { kind: 'no-op', commands: [] });
    group.request(0, requestOf(5_000));
    expect(group.view(0).waitingBytes).toBe(5_000);
  });
});

describe('what one instance holds', () => {
  const fills = (options: object, ...bytes: readonly number[]): number[] => {
    const group = cluster(epaxos({ n: 3, pipeline: 1, ...options }));
    group.request(0, requestOf(1_000));
    for (const each of bytes) group.request(0, requestOf(each));
    commitAll(group);
    return sizes(group).slice(1);
  };

  test('no more commands than maxCommandsPerInstance', () => {
    const small = Array<number>(5).fill(1_000);
    expect(fills({ maxCommandsPerInstance: 5 }, ...small)).toEqual([5]);
    expect(fills({ maxCommandsPerInstance: 4 }, ...small)).toEqual([4]);
  });

  test('no more than maxBytesPerInstance, unless it is one request', () => {
    const frame = 64;
    expect(fills({}, MiB - frame - 1_000, 1_000)).toEqual([2]);
    expect(fills({}, MiB - frame - 1_000, 1_001)).toEqual([1]);
    expect(fills({ maxBytesPerInstance: 600_000 }, 300_000, 300_000 - frame)).toEqual([2]);
    expect(fills({ maxBytesPerInstance: 600_000 }, 300_000, 300_001 - frame)).toEqual([1]);
    expect(fills({}, 2 * MiB, 1_000)).toEqual([1]);
  });
});

describe('what a command leader opens', () => {
  test('own instances up to its share of 64 MiB, each at least one', () => {
    const share = Math.floor((64 * MiB) / 3);
    const opens = (bytes: number): number => {
      const group = cluster(epaxos({ n: 3 }));
      commit(group, 0, 1, valueWith(10 * MiB));
      group.request(0, requestOf(bytes - instanceBytes));
      group.request(0, requestOf(1_000));
      return openedBy(group, 0).length;
    };
    expect([opens(share - 1), opens(share)]).toEqual([2, 1]);
  });

  test('commands in the window but for its last 16 instances, which are for checkpoints', () => {
    const group = cluster(epaxos({ n: 3, snapshotEvery: 1 }));
    const { window } = epaxos({ n: 3, snapshotEvery: 1 }).group as { readonly window: number };
    for (let i = 0; i < window; i++) {
      group.propose(0, `${i}`);
      for (const { message } of openedBy(group, 0))
        if (message.kind === 'pre-accept' && message.value.kind === 'commands')
          commit(group, 0, message.instance, message.value);
      group.packets.length = 0;
    }
    const { nextOwn, waiting, own } = group.view(0);
    expect(nextOwn).toBe((window - 16) * 3);
    expect(waiting).toHaveLength(16 + 1);
    expect([...own.values()].map(({ kind }) => kind)).toEqual(['checkpoint']);
  });

  test('one checkpoint at a time, of which it has as many as are left in the window', () => {
    const group = cluster(epaxos({ n: 3, snapshotEvery: 1 }));
    commit(group, 0, 1, valueWith(1_000));
    let opened = 0;
    for (;;) {
      const [id] = group.view(0).own.keys();
      if (id === undefined) break;
      opened++;
      commit(group, 0, id, { kind: 'no-op', commands: [] });
    }
    expect(opened).toBe(2 * 1 + 128);
  });
});

describe('what a replica keeps of values that are not dropped', () => {
  const proposal = { checkpoints: 0, value: valueWith(1_000), dependencies: [] };
  const takes = (bytes: number, message: EpaxosMessage): boolean => {
    const group = cluster(epaxos({ n: 3 }));
    const large = { ...proposal, value: valueWith(bytes) };
    group.inject(0, 1, { kind: 'accept', ballot: 0, instance: 3, ...large });
    if (message.kind === 'validate')
      group.inject(0, 1, { kind: 'recover', ballot: 3, instance: 6, checkpoints: 0 });
    group.packets.length = 0;
    const sealed = seal<EpaxosMessage>(message, 0, unsigned);
    const isAdmitted = group.nodes[1]?.machine.admits?.(sealed, 0);
    group.inject(0, 1, message);
    const isKept = group.view(1).values.has(6);
    expect(isAdmitted).toBe(isKept);
    return isKept;
  };

  test.each<[number, EpaxosMessage]>([
    [128, { kind: 'pre-accept', instance: 6, ...proposal }],
    [256, { kind: 'accept', ballot: 0, instance: 6, ...proposal }],
    [256, { kind: 'commit', ballot: 0, instance: 6, ...proposal }],
    [256, { kind: 'validate', ballot: 3, instance: 6, ...proposal }],
  ])('%i MiB leave no room for another: $kind', (most, message) => {
    expect([takes(most * MiB - 1, message), takes(most * MiB, message)]).toEqual([true, false]);
  });
});

describe('which commands are ordered', () => {
  /** Replica 0 of three, of an application in which only operations of one name interfere. */
  function host(): ScriptedHost<Epaxos> {
    const protocol = epaxos({ n: 3 });
    const nameOf = ({ operations: [first] }: Request): number | undefined => first?.[0];
    const recipe = {
      make: (stable: Epaxos['Stable']) =>
        replica(protocol, 0, {
          digest: testDigest,
          stable,
          interferes: (one, other) => nameOf(one) === nameOf(other),
        }),
      blank: () => protocol.stable(),
    };
    return new ScriptedHost<Epaxos>(0, recipe, { now: 0 });
  }
  const many = (name: string, count: number): Signed<Request> => ({
    ...command(''),
    operations: Array(count).fill(toUtf8(name)),
  });
  const dependencies = (host: ScriptedHost<Epaxos>, request: Signed<Request>): unknown => {
    const { sends } = host.run({ type: 'propose', command: request });
    const [{ message } = {}] = sends;
    return message?.kind === 'pre-accept' && message.dependencies;
  };

  test('those that interfere', () => {
    const leader = host();
    expect(dependencies(leader, command('a'))).toEqual([]);
    expect(dependencies(leader, command('b'))).toEqual([]);
    expect(dependencies(leader, command('a'))).toEqual([{ from: 0, count: 1 }]);
    expect(dependencies(leader, command('c'))).toEqual([]);
    expect(dependencies(leader, command('b'))).toEqual([{ from: 3, count: 1 }]);
  });

  test('and those of so many operations that nobody compares them: more than 256 pairs', () => {
    const leader = host();
    expect(dependencies(leader, many('a', 16))).toEqual([]);
    expect(dependencies(leader, many('b', 16))).toEqual([]);
    expect(dependencies(leader, many('c', 17))).toEqual([{ from: 0, count: 2 }]);
    expect(dependencies(leader, many('d', 0))).toEqual([]);
    expect(dependencies(leader, many('e', 257))).toEqual([{ from: 0, count: 4 }]);
  });

  test('all with a checkpoint, none with a no-op', () => {
    const leader = host();
    expect(dependencies(leader, command('a'))).toEqual([]);
    const tell = (instance: InstanceId, value: Value, ballot = 0): void =>
      void leader.run({
        type: 'message',
        message: seal(
          { kind: 'accept', ballot, instance, checkpoints: 0, value, dependencies: [] },
          1,
          unsigned,
        ),
      });
    tell(1, { kind: 'checkpoint', commands: [] });
    tell(4, { kind: 'no-op', commands: [] });
    expect(dependencies(leader, command('b'))).toEqual([{ from: 1, count: 1 }]);
  });
});
