/** Mistakes of clients, and of replicas about clients. */
import { list, type Machine, request as requestField } from '@quorumlab/core';
import { completeScenario, protocolEntry, runScenario } from '@quorumlab/harness';
import { kv, type Serviced } from '@quorumlab/log';
import { multiPaxos } from '@quorumlab/multi-paxos';
import { type Pbft, pbft } from '@quorumlab/pbft';
import { digestOf } from '@quorumlab/wire';
import { expect, test } from 'vitest';
import { client, groupOf, request, signature } from '../support/serviced-group.ts';

/** PBFT whose clients believe as many equal replies as they are told to, or as they should. */
const believing = (matching?: number) =>
  protocolEntry<Pbft>({
    title: 'PBFT, and what its clients believe.',
    right(size) {
      const right = pbft(size);
      return matching === undefined ? right : { ...right, client: { ...right.client, matching } };
    },
  });

/** What comes of one lying replica under some seeds. */
const wordsWith = (matching?: number): readonly string[] =>
  Array.from({ length: 8 }, (_, i) => {
    const scenario = { protocol: 'pbft', attack: 'wrong-reply-to-client', seed: `${i + 1}` };
    const run = runScenario(completeScenario(scenario), { entry: believing(matching) });
    expect(run.fired, `seed ${i + 1}`).toBeGreaterThan(0);
    return run.violation === undefined ? run.word : `${run.word}: ${run.violation.rule}`;
  });

test('B-11: a client that believes the first reply is told what never happened', () => {
  expect(wordsWith(1)).toContain('invalid: reply');
});

test('a client that waits for f+1 equal replies is not', () => {
  expect(new Set(wordsWith())).toEqual(new Set(['ok']));
});

/** A leader that answers nobody: what it does is done, and its client does not hear of it. */
function leaderOf() {
  const group = groupOf(multiPaxos({ n: 3 }));
  group.timeout(0, 'election');
  return group;
}

test('A-49: a client that asks again under a new number has its operation run twice', () => {
  const group = leaderOf();
  group.hears(0, client, request(1, kv.append('log', 'paid;')));
  // No reply came. It asks another replica, which passes it on.
  group.hears(1, client, request(2, kv.append('log', 'paid;')));
  group.timeout(0, 'heartbeat');
  expect(group.values('log')[0]).toBe('paid;paid;');
});

test('under the number that it had, it runs once', () => {
  const group = leaderOf();
  group.hears(0, client, request(1, kv.append('log', 'paid;')));
  group.hears(1, client, request(1, kv.append('log', 'paid;')));
  group.timeout(0, 'heartbeat');
  expect(group.values('log')[0]).toBe('paid;');
});

/** Forgets after each step who has asked for what. */
function forgetful(right: Machine<Serviced<Pbft>>): Machine<Serviced<Pbft>> {
  return {
    ...right,
    step(input) {
      const output = right.step(input);
      const { stable, volatile } = right.snapshot();
      const sessions = { forgotten: 0, clients: [] };
      right.restore({
        stable,
        volatile: { ...volatile, service: { ...volatile.service, sessions } },
      });
      return output;
    },
  };
}

/** A primary orders what a client signed once, under two numbers; what the others then hold. */
function replayedTo(spoil?: typeof forgetful): readonly (string | undefined)[] {
  const group = groupOf(pbft({ n: 4 }), spoil, (from) => from === 0);
  const batch = [{ ...request(1, kv.append('log', 'pay 10;')), from: client, signature }];
  // D(m) is taken of the requests alone (§4.2).
  const digest = digestOf(list(requestField, 256), batch);
  for (const sequence of [1, 2])
    for (const id of [1, 2, 3])
      group.hears(id, 0, { kind: 'pre-prepare', epoch: 0, view: 0, sequence, digest, batch });
  return group.values('log').slice(1);
}

test('B-19: replicas that do not look whether a request has run let a primary repeat it', () => {
  expect(replayedTo(forgetful)).toEqual(Array(3).fill('pay 10;pay 10;'));
});

test('replicas that do run it once, however often it is ordered', () => {
  expect(replayedTo()).toEqual(Array(3).fill('pay 10;'));
});
