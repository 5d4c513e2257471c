/** Whatever a stranger sends, a shard answers, and its state is the same when it was read back. */
import { decode, encode, type Random } from '@quorumlab/core';
import { random as seeded } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { keeperId } from '../test/asked.ts';
import { type ShardOperation, shard, shardOperation, shardResult } from './index.ts';

/** Small numbers and few keys, so that operations have to do with each other. */
function near<T>(value: T, random: Random): T {
  if (typeof value === 'number') return random.below(8) as T;
  if (typeof value === 'string' && value.length <= 1) return value;
  if (Array.isArray(value)) return value.map((each) => near(each, random)) as T;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      name === 'kind' ? each : near(each, random),
    ]),
  ) as T;
}

const make = () =>
  shard({ group: 0, ranges: [{ from: '', to: null }], keepers: [keeperId], patience: 1000 });

test('operations of strangers are answered, and leave a state that can be read back', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = seeded(seed);
    const machine = make();
    const kinds = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const any: ShardOperation = shardOperation.sample(random);
      const operation = encode(shardOperation, random.below(4) > 0 ? near(any, random) : any);
      const at = random.below(operation.length);
      if (random.below(20) === 0) operation[at] = random.below(256);
      const client = random.below(3) === 0 ? keeperId : random.below(8);
      kinds.add(decode(shardResult, machine.apply(operation, client)).kind);
      decode(shardResult, machine.query(operation));
    }
    const other = make();
    other.restore(machine.snapshot());
    expect(other.snapshot(), `seed ${seed}`).toEqual(machine.snapshot());
    expect(kinds.size).toBeGreaterThan(2);
  }
});
