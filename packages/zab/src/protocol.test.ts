import {
  decode,
  type Event,
  encode,
  type Machine,
  maxInteger,
  OptionsError,
  type Protocol,
  QuorumError,
  type Random,
  range,
  replica,
  request,
  seal,
  threshold,
} from '@quorumlab/core';
import { among, command, digestOfText, random, unsigned } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { cluster, mutant, zooKeeper } from '../test/cluster.ts';
import { oneOfEach, zxid } from '../test/messages.ts';
import { type Transaction, type Zab, type ZabMessage, zab } from './index.ts';
import { leastBytesPerMessage, schemas, transactionBytes } from './messages.ts';
import { mutants } from './mutants.ts';

const { transaction: field } = schemas({ maxBytesPerMessage: leastBytesPerMessage });
const fresh = () => zab({ n: 3 });

test('options that cannot work are refused with a sentence that says what to do', () => {
  expect(() => zab({ n: 2, f: 1 })).toThrow(
    '2 replicas cannot survive 1 crashes: the 1 left are no majority of 2, so use n = 3 or more, ' +
      'or f = 0 or less',
  );
  expect(() => zab({ n: 4, f: 2 })).toThrow(OptionsError);
  expect(zab({ n: 4, f: 2, unsafe: true }).f).toBe(2);
  expect(() => zab({ n: 0 })).toThrow('n is 0; use an integer of 1 or more');
  expect(() => zab({ n: 3, heartbeat: 160_000 })).toThrow('use a tenth of it');
  expect(zab({ n: 3, heartbeat: 150_000 }).f).toBe(1);
  expect(() => zab({ n: 3, maxPerMessage: 2_000 })).toThrow('1024 or less');
  expect(() => zab({ n: 3, maxBytesPerMessage: 1_000 })).toThrow(OptionsError);
  expect(() => zab({ n: 3, grace: -1 })).toThrow('grace is -1');
  expect(() => zab({ n: 3, quorum: threshold(range(3), 1) })).toThrow(QuorumError);
  expect(zab({ n: 3, quorum: threshold(range(3), 1), unsafe: true }).f).toBe(1);
  expect(zab({ n: 7 }).f).toBe(3);
});

test('hosts are told what is survived, how clients ask, and what limits the messages', () => {
  const { claims, client, limitedBy, messages } = fresh();
  expect(claims).toMatchObject({ faults: 'crash', order: 'total' });
  expect([0, 1, 2].map(claims.replicas)).toEqual([1, 3, 5]);
  expect(client).toEqual({ matching: 1, ask: 'leader', signed: false });
  expect(Object.keys(limitedBy ?? {})).toEqual(['diff', 'newleader', 'propose', 'inform']);
  expect(messages.maxBytes).toBe(1 + 28 + 1_048_576);
});

test('a wider quorum elects, establishes and commits', () => {
  const group = cluster(zooKeeper({ n: 3, quorum: threshold(range(3), 3) }));
  group.convene([1, 2]);
  expect(group.view(2).role).toBe('looking');
  group.convene([0, 1, 2]);
  group.propose(2, 'x');
  group.settle(among(1, 2));
  expect(group.view(2).committed).toBe(0);
});

test('no decodable message makes a handler throw, whoever sends it, whatever came before', () => {
  const protocol = fresh();
  const roles = new Set<string>();
  // The short form meets many variants of the code.
  const seeds = process.env.QUORUMLAB_SHORT_TESTS === '1' ? 20 : 400;
  for (let seed = 0; seed < seeds; seed++) {
    const chance = random(seed);
    const machine = replica(protocol, 0, { digest: () => digestOfText('') });
    begin(machine, seed % 4);
    roles.add(machine.status().role);
    let last: ZabMessage = protocol.messages.sample(chance);
    for (let i = 0; i < 60; i++) {
      last =
        chance.below(3) > 0 ? protocol.messages.mutate(last, chance) : sampled(protocol, chance);
      const received = decode(protocol.messages, encode(protocol.messages, last));
      const now = 1_000_000 + i * 20_000;
      const clock = { earliest: now, latest: now };
      machine.step({ now, clock, event: anyEvent(received, chance) });
      roles.add(machine.status().role);
    }
  }
  const some = ['follower', 'joining', 'leader', 'looking', 'prospective leader'];
  expect([...roles].sort()).toEqual(some);
});

/** Stage 1 makes replica 0 of 3 a prospective leader, 2 a leader, 3 a follower of 2. */
function begin(machine: Machine<Zab>, stage: number): void {
  const now = 900_000;
  const step = (event: Event<Zab>): void =>
    void machine.step({ now, clock: { earliest: now, latest: now }, event });
  const hear = (from: number, message: ZabMessage): void =>
    step({ type: 'message', message: seal<ZabMessage>(message, from, unsigned) });
  step({ type: 'timeout', timer: 'election' });
  if (stage === 0) return;
  const leader = stage === 3 ? 2 : 0;
  const vote = { round: 1, leader, currentEpoch: stage === 3 ? 1 : 0, zxid: zxid(0, 0) };
  for (const from of [1, 2]) hear(from, { kind: 'notification', state: 'looking', ...vote });
  step({ type: 'timeout', timer: 'grace' });
  const none = { currentEpoch: 0, lastZxid: zxid(0, 0), held: zxid(0, 0), beat: 0 };
  if (stage === 3) {
    hear(2, { kind: 'newepoch', epoch: 1, beat: 0 });
    hear(2, { kind: 'newleader', epoch: 1, previous: zxid(0, 0), transactions: [] });
    hear(2, { kind: 'commit-ld', epoch: 1, zxid: zxid(0, 0) });
  } else
    for (const from of [1, 2]) {
      hear(from, { kind: 'cepoch', acceptedEpoch: 0, acceptedFrom: null });
      hear(from, { kind: 'ack-e', epoch: 1, leader: 0, ...none });
      hear(0, { kind: 'ack-e', epoch: 1, leader: 0, ...none });
      if (stage === 2) hear(from, { kind: 'ack-ld', epoch: 1, zxid: zxid(0, 0), beat: 0 });
      if (stage === 2) hear(0, { kind: 'ack-ld', epoch: 1, zxid: zxid(0, 0), beat: 0 });
    }
  for (const text of ['x', 'y']) step({ type: 'propose', command: command(text) });
}

const senders = [0, 1, 2, 3, 65_535, 65_536, maxInteger];
const timers = ['election', 'grace', 'join', 'ping', 'quorum', 'rejoin'] as const;

function anyEvent(message: ZabMessage, chance: Random): Event<Zab> {
  const choice = chance.below(12);
  if (choice < 2) return { type: 'timeout', timer: timers[chance.below(6)] as Zab['Timer'] };
  if (choice === 2) return { type: 'read', id: chance.below(100) };
  if (choice === 3) return { type: 'propose', command: command('z') };
  const from = senders[chance.below(senders.length)] as number;
  return { type: 'message', message: seal<ZabMessage>(message, from, unsigned) };
}

/** A sample; every other one with numbers that meet those of a replica that has hardly begun. */
function sampled(protocol: Protocol<Zab>, chance: Random): ZabMessage {
  const message = protocol.messages.sample(chance);
  return chance.below(2) === 0 ? message : (shrunk(message, chance) as ZabMessage);
}

function shrunk(value: object, chance: Random): object {
  const small = Object.entries(value).map(([name, each]): [string, unknown] => {
    if (typeof each === 'number') return [name, chance.below(4)];
    const isZxid = typeof each === 'object' && each !== null && 'counter' in each;
    return [name, isZxid ? shrunk(each, chance) : each];
  });
  return Object.fromEntries(small);
}

test.each(oneOfEach(7))('a message comes back from its bytes: $kind', (message) => {
  const { messages } = fresh();
  expect(decode(messages, encode(messages, message))).toEqual(message);
});

test('every message and every stored row comes back from its bytes', () => {
  const protocol = fresh();
  const chance = random(1);
  for (let i = 0; i < 300; i++) {
    const message = protocol.messages.sample(chance);
    expect(decode(protocol.messages, encode(protocol.messages, message))).toEqual(message);
    const row = protocol.stored.history.sample(chance);
    expect(decode(protocol.stored.history, encode(protocol.stored.history, row))).toEqual(row);
  }
});

const far = 2 ** 40;
test.each<[string, ZabMessage]>([
  ['a new epoch', { kind: 'newepoch', epoch: far, beat: 0 }],
  ['one that was promised', { kind: 'cepoch', acceptedEpoch: far, acceptedFrom: null }],
  [
    'that of a transaction',
    {
      kind: 'diff',
      ...{ epoch: 1, previous: zxid(0, 0) },
      transactions: [{ epoch: far, command: null }],
    },
  ],
])('what one member says of epochs that nobody reaches is not heard: %s', (_, message) => {
  const group = cluster(fresh());
  const before = group.nodes[1]?.machine.snapshot();
  group.inject(0, 1, message);
  expect(group.nodes[1]?.machine.snapshot()).toEqual(before);
  expect(group.nodes[1]?.machine.status().trouble).toMatch(
    /^Member 0 speaks of epoch 1099511627776/,
  );
});

test('the size of a transaction is never underestimated, and any request fits', () => {
  const chance = random(2);
  const commands = Array.from({ length: 200 }, () => request.sample(chance));
  const most = Array.from({ length: 8 }, () => new Uint8Array(65_000));
  commands.push({ ...request.sample(chance), operations: most });
  for (const each of commands) {
    const row: Transaction = {
      epoch: maxInteger,
      command: { ...each, from: 65_536, signature: unsigned },
    };
    expect(encode(field, row).length).toBeLessThanOrEqual(transactionBytes(row.command));
  }
  expect(field.maxBytes).toBeLessThan(655_360);
});

test('wrong variants take the options of the right one', () => {
  for (const name of Object.keys(mutants) as (keyof typeof mutants)[])
    expect(mutant(name, { n: 5 }).members).toHaveLength(5);
});
