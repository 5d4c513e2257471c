import type { VerdictWord } from '@quorumlab/checker';
import { encode, range } from '@quorumlab/core';
import { type KeyValueResult, keyValueResult, kv } from '@quorumlab/log';
import { expect, test } from 'vitest';
import {
  completeScenario,
  expectation,
  protocolOf,
  type Reads,
  readsOf,
  runScenario,
  type Scenario,
  weakReads,
} from './index.ts';
import { subjectsOf, swarmWorld } from './swarm/swarm.ts';

const runOf = (given: Partial<Scenario> & Pick<Scenario, 'protocol'>) =>
  runScenario(completeScenario(given));

test('a protocol that cannot give such reads says why, and which it can give', () => {
  const said = (protocol: string, reads: Reads): string => {
    try {
      return runOf({ protocol, reads }).word;
    } catch (error) {
      return String(error);
    }
  };
  expect(said('zab', 'lease')).toMatch(
    /zab has no leases.*--reads lease\.\n.*--reads quorum {2}or/s,
  );
  expect(said('pbft', 'stale')).toMatch(/a replica of pbft may lie.*\n {2}use {3}--reads quorum$/s);
  expect(readsOf(protocolOf('raft'))).toEqual(['quorum', 'lease', 'local', 'stale']);
  expect(readsOf(protocolOf('epaxos'))).toEqual(['quorum', 'local', 'stale']);
  expect(readsOf(protocolOf('hotstuff'))).toEqual(['quorum']);
  expect(() => runOf({ protocol: 'raft', reads: 'stale', options: { reads: 'lease' } })).toThrow(
    /--reads stale and --option reads=lease contradict/,
  );
});

test('a run with a kind of reads says what was judged', () => {
  const { word, scenario, expected, claim } = runOf({ protocol: 'raft', reads: 'stale' });
  const row = { ...scenario, word, expected, ...claim };
  expect([word, scenario.workload]).toEqual(['ok', 'b']);
  expect(expectation(row)).toMatch(/Judged as stale reads: writes are linearizable, and a read/);
});

test.each(['raft', 'multi-paxos', 'zab', 'epaxos'])(
  '%s keeps what local and stale reads promise, in random worlds',
  { timeout: 120_000 },
  (protocol) => {
    const [subject] = subjectsOf(protocol);
    if (subject === undefined) throw new Error('there is nothing to run');
    for (const seed of range(4)) {
      const { scenario } = swarmWorld(subject, seed + 1);
      const { options: { reads: _, ...options } = {}, ...rest } = scenario;
      for (const reads of ['local', 'stale'] as const) {
        const { word, violation } = runScenario({ ...rest, options, reads, workload: 'a' });
        expect([word, violation?.sentence], `${reads}, seed ${seed + 1}`).toEqual([
          'ok',
          undefined,
        ]);
      }
    }
  },
);

/** What somebody does with the key `x`: writes a value, or reads one that `client` is given. */
type Act =
  | readonly ['put', string]
  | readonly ['read', client: number, value: string | null]
  | readonly ['restart'];

const encoded = (result: KeyValueResult): Uint8Array => encode(keyValueResult, result);

function judged(reads: 'local' | 'stale', acts: readonly Act[]): VerdictWord {
  const check = weakReads({ reads, order: 'total', patience: 500 });
  let at = 0;
  for (const [id, [kind, ...rest]] of acts.entries()) {
    at += 1;
    if (kind === 'restart') check.started?.(at, 0);
    if (kind === 'put')
      check.applied?.(at, 0, {
        ...{ slot: id, client: 9, sequence: id, fresh: true, state: 0 },
        operations: [kv.put('x', `${rest[0]}`)],
        results: [encoded({ kind: 'stored' })],
      });
    if (kind !== 'read') continue;
    const [client, text] = rest as [number, string | null];
    check.invoked?.(at, client, id, kv.get('x'));
    const found = text === null ? null : new TextEncoder().encode(text);
    check.returned?.(at, client, id, encoded({ kind: 'value', value: found }));
  }
  return check.violation?.word ?? 'ok';
}

test('a read of what never was is invalid, and local reads do not go back', () => {
  const ann: Act = ['put', 'Ann'];
  const bob: Act = ['put', 'Bob'];
  for (const reads of ['local', 'stale'] as const) {
    expect(judged(reads, [ann, ['read', 1, 'Bob'], bob])).toBe('invalid');
    expect(judged(reads, [ann, bob, ['read', 1, null], ['read', 1, 'Ann']])).toBe('ok');
  }
  const back: readonly Act[] = [ann, bob, ['read', 1, 'Bob'], ['read', 1, 'Ann']];
  expect(judged('stale', back)).toBe('ok');
  expect(judged('local', back)).toBe('stale-read');
  // Another client has another replica; and who starts again may have to learn what it knew.
  expect(judged('local', [ann, bob, ['read', 1, 'Bob'], ['read', 2, 'Ann']])).toBe('ok');
  expect(judged('local', [ann, bob, ['read', 1, 'Bob'], ['restart'], ['read', 1, 'Ann']])).toBe(
    'ok',
  );
});
