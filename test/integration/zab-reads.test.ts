/**
 * What reads at an observer of Zab promise: one of its own state may be stale, and a linearizable
 * one, ZooKeeper's `sync` confirmed by a quorum, mends that.
 */
import { fromUtf8 } from '@quorumlab/core';
import { simulateService } from '@quorumlab/harness';
import { keyValueStore, kv } from '@quorumlab/log';
import { zab } from '@quorumlab/zab';
import { expect, test } from 'vitest';

const observer = 3;
const local = { client: observer, readOnly: true, local: true };
const linearizable = { client: observer, readOnly: true };

test('a local read at an observer is stale, and a sync mends it', () => {
  // Clients take their reads to the member of their number: client 3 asks the observer.
  const { simulation, submit, pass } = simulateService(
    zab({ n: 4, observers: 1, followerReads: true }),
    { stateMachine: keyValueStore, clients: 4 },
  );
  const read = (how: typeof linearizable): string | undefined => {
    const result = kv.result(submit(kv.get('key'), how));
    return result.kind === 'value' && result.value !== null ? fromUtf8(result.value) : undefined;
  };
  submit(kv.put('key', 'old'));
  pass(1_000_000);
  expect(simulation.seat(observer).status?.role).toBe('observer');
  expect(read(local)).toBe('old');

  // What is committed does not get through to it, and it does not know that it lags.
  const at = simulation.now;
  simulation.inject({ type: 'cut', at, from: [0, 1, 2], to: [observer], kinds: ['inform'] });
  submit(kv.put('key', 'new'));
  pass(100_000);
  expect(read(local)).toBe('old');
  // The observer waits for what the leader has named; its client gets tired, and asks another.
  expect(read(linearizable)).toBe('new');
  expect(read(local)).toBe('old');

  simulation.inject({ type: 'heal', at: simulation.now });
  expect(read(linearizable)).toBe('new');
  expect(read(local)).toBe('new');
});

test('an observer that is cut off looks for a leader, and nobody waits for it', () => {
  const { simulation, submit, pass } = simulateService(zab({ n: 4, observers: 1 }), {
    stateMachine: keyValueStore,
    clients: 4,
  });
  submit(kv.put('key', 'old'));
  pass(1_000_000);
  simulation.inject({ type: 'split', at: simulation.now, groups: [[0, 1, 2], [observer]] });
  submit(kv.put('key', 'new'));
  pass(5_000_000);
  expect(simulation.seat(observer).status?.role).toBe('looking');
  expect(kv.result(submit(kv.get('key'), { readOnly: true }))).toMatchObject({ kind: 'value' });
});
