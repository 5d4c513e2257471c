import { encode, type Request, type Signed, type Tagged } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { protocolOf, requestsIn } from './index.ts';

/** `value` with `change` instead of every request in it. */
function withRequests(value: unknown, change: (each: Request) => Request): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((each) => withRequests(each, change));
  if (requestsIn(value, 1).length === 1) return change(value as Request);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, withRequests(each, change)]),
  );
}

let state = 7;
const random = { below: (limit: number) => (state = (state * 48_271) % 2_147_483_647) % limit };

const wishes: Readonly<Record<string, Pick<Request, 'operations' | 'configuration'>>> = {
  'an operation': { operations: [Uint8Array.of(1)] },
  'another operation': { operations: [Uint8Array.of(2)] },
  'an empty operation': { operations: [Uint8Array.of()] },
  'a change of the group': { operations: [], configuration: Uint8Array.of(1) },
  'another change of the group': { operations: [], configuration: Uint8Array.of(2) },
  'an empty request': { operations: [] },
};

for (const name of ['raft', 'zab', 'multi-paxos', 'flexible-paxos', 'basic-paxos'])
  test(`${name}: vows tell all requests apart, and lies about each of them can be encoded`, () => {
    const { messages, vows, conflict } = protocolOf(name).create({ n: 4, f: 1 });
    // A vow about a no-op says nothing about requests that stand beside it.
    const isVow = (message: Tagged): boolean =>
      [...(vows?.(message) ?? [])].some(([, what]) => !what.startsWith('no-op'));
    let told = 0;
    for (let i = 0; i < 20_000 && told < 20; i++) {
      // What the schema of a kind samples is a message of that kind.
      const sample = messages.sample(random) as Tagged;
      const [first] = requestsIn(sample);
      if (first === undefined || !isVow(sample)) continue;
      const said = new Set<string>();
      for (const wish of Object.values(wishes)) {
        const { client, sequence, acknowledged, from, signature } = first as Signed<Request>;
        const message = withRequests(sample, () => ({
          ...{ kind: 'request', client, sequence, acknowledged, from, signature, ...wish },
        })) as Tagged;
        const before = said.size;
        for (const [about, what] of vows?.(message) ?? []) said.add(`${about} ${what}`);
        expect(said.size, `${sample.kind}: ${JSON.stringify(wish)}`).toBeGreaterThan(before);
        const lie = conflict?.(message, i, []) ?? message;
        expect(encode(messages, lie).length).toBeGreaterThan(0);
      }
      told++;
    }
    expect(told).toBeGreaterThan(0);
  });
