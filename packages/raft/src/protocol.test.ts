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
import { command, digestOfText, random, unsigned } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { cluster } from '../test/cluster.ts';
import { append, oneOfEach } from '../test/messages.ts';
import { type Entry, type Raft, type RaftMessage, raft } from './index.ts';
import { entryBytes, leastBytesPerAppend, schemas } from './messages.ts';

const { entry: entryField } = schemas({ maxBytesPerAppend: leastBytesPerAppend });

const fresh = () => raft({ n: 3 });
const entryOf = (term: number): Entry => ({ term, command: null });
const installOf = (lastIndex: number) =>
  ({ kind: 'install-snapshot', term: 1, lastIndex, digest: digestOfText('state') }) as const;
const recalledBy = (nonce: number) =>
  ({ kind: 'rejoin-reply', nonce, term: 1, lastIndex: 0, lastTerm: 0, ownTerm: 0 }) as const;

test('options that cannot work are refused with a sentence that says what to do', () => {
  expect(() => raft({ n: 2, f: 1 })).toThrow(
    '2 replicas cannot survive 1 crashes: the 1 left are no majority of 2, so use n = 3 or more, ' +
      'or f = 0 or less',
  );
  expect(() => raft({ n: 4, f: 2 })).toThrow(OptionsError);
  expect(raft({ n: 4, f: 2, unsafe: true }).f).toBe(2);
  expect(() => raft({ n: 0 })).toThrow('n is 0; use an integer of 1 or more');
  expect(() => raft({ n: 3, heartbeat: 400_000 })).toThrow('use a tenth of it');
  expect(() => raft({ n: 3, heartbeat: 160_000 })).toThrow('use a tenth of it');
  expect(() => raft({ n: 3, maxEntriesPerAppend: 2_000 })).toThrow('use 1024 or less');
  expect(() => raft({ n: 3, quorum: threshold(range(3), 1) })).toThrow(QuorumError);
  expect(() => raft({ n: 3, f: -1 })).toThrow('f is -1; use an integer of 0 or more');
  expect(raft({ n: 7 }).f).toBe(3);
});

test('what just works is not refused, and what is forced does not have to', () => {
  expect(raft({ n: 3, heartbeat: 150_000 }).f).toBe(1);
  expect(raft({ n: 3, maxEntriesPerAppend: 1024 }).f).toBe(1);
  expect(raft({ n: 3, quorum: threshold(range(3), 1), unsafe: true }).f).toBe(1);
});

test('hosts are told what is survived, how clients ask, and what limits the messages', () => {
  const { claims, client, limitedBy } = fresh();
  expect(claims).toMatchObject({ faults: 'crash', order: 'total' });
  expect([0, 1, 2].map(claims.replicas)).toEqual([1, 3, 5]);
  expect(client).toEqual({ matching: 1, ask: 'leader', signed: false });
  expect(limitedBy).toEqual({ 'append-entries': 'maxBytesPerAppend' });
});

test('a wider quorum decides elections and commits', () => {
  const group = cluster(raft({ n: 3, quorum: threshold(range(3), 3) }));
  group.elect(0, ({ from, to }) => from !== 2 && to !== 2);
  expect(group.view(0).role).toBe('pre-candidate');
  group.elect(0);
  group.propose(0, 'x');
  group.settle(({ from, to }) => from !== 2 && to !== 2);
  expect(group.view(0).commitIndex).toBe(1);
});

test('no decodable message makes a handler throw, whoever sends it, whatever came before', () => {
  const protocol = fresh();
  const roles = new Set<string>();
  // The short form meets many variants of the code.
  const seeds = process.env.QUORUMLAB_SHORT_TESTS === '1' ? 20 : 400;
  for (let seed = 0; seed < seeds; seed++) {
    const chance = random(seed);
    const machine = replica(protocol, 0, { digest: () => digestOfText('') });
    begin(machine, seed % 3);
    roles.add(machine.status().role);
    let last: RaftMessage = protocol.messages.sample(chance);
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
  expect([...roles].sort()).toEqual(['candidate', 'follower', 'leader', 'pre-candidate']);
});

/** Stage 1 makes replica 0 of 3 a candidate, stage 2 a leader with three entries in its log. */
function begin(machine: Machine<Raft>, stage: number): void {
  if (stage === 0) return;
  const step = (event: Event<Raft>): void =>
    void machine.step({ now: 0, clock: { earliest: 0, latest: 0 }, event });
  step({ type: 'timeout', timer: 'election' });
  const answers: RaftMessage[] = [
    { kind: 'pre-vote-reply', term: 1, granted: true },
    { kind: 'vote', term: 1, candidate: 0, granted: true },
  ];
  for (const message of answers.slice(0, stage))
    for (const from of [1, 2])
      step({ type: 'message', message: seal<RaftMessage>(message, from, unsigned) });
  for (const text of ['x', 'y']) step({ type: 'propose', command: command(text) });
}

const senders = [0, 1, 2, 3, 65_535, 65_536, maxInteger];

function anyEvent(message: RaftMessage, chance: Random): Event<Raft> {
  const choice = chance.below(12);
  if (choice === 0) return { type: 'timeout', timer: 'election' };
  if (choice === 1) return { type: 'timeout', timer: 'heartbeat' };
  if (choice === 2) return { type: 'read', id: chance.below(100) };
  if (choice === 3) return { type: 'propose', command: command('z') };
  const from = senders[chance.below(senders.length)] as number;
  return { type: 'message', message: seal<RaftMessage>(message, from, unsigned) };
}

/** A sample; every other one with numbers that meet those of a replica that has hardly begun. */
function sampled(protocol: Protocol<Raft>, chance: Random): RaftMessage {
  const message = protocol.messages.sample(chance);
  if (chance.below(2) === 0) return message;
  const small = Object.entries(message).map(([name, value]) => [
    name,
    typeof value === 'number' ? chance.below(4) : value,
  ]);
  return Object.fromEntries(small) as RaftMessage;
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
    const row = protocol.stored.log.sample(chance);
    expect(decode(protocol.stored.log, encode(protocol.stored.log, row))).toEqual(row);
  }
});

test('a message is bounded by what one append may carry', () => {
  expect(fresh().messages.maxBytes).toBe(1 + 42 + 1_048_576);
});

test.each<[string, RaftMessage]>([
  ['a term', { kind: 'vote', term: 2 ** 40, candidate: 1, granted: false }],
  ['the term of its last entry', append({ term: 1, entries: [1, 2 ** 40].map(entryOf) })],
  ['the last term of a snapshot', { ...installOf(5), lastTerm: 2 ** 40 }],
  ['the last term of another log', { ...recalledBy(1), lastTerm: 2 ** 40 }],
  ['terms set aside', { ...recalledBy(1), ownTerm: 2 ** 40 }],
])('what one member says of terms that nobody reaches is not heard: %s', (_, message) => {
  const group = cluster(fresh());
  group.crash(1);
  group.restart(1, message.kind === 'rejoin-reply' ? 'lost' : 'kept');
  const before = group.nodes[1]?.machine.snapshot();
  group.inject(0, 1, message);
  expect(group.nodes[1]?.machine.snapshot()).toEqual(before);
  expect(group.nodes[1]?.machine.status().trouble).toMatch(
    /^Member 0 speaks of term 1099511627776/,
  );
});

test('the size of an entry is never underestimated, and any request fits into one append', () => {
  const chance = random(2);
  const commands = Array.from({ length: 200 }, () => request.sample(chance));
  const most = Array.from({ length: 8 }, () => new Uint8Array(65_000));
  commands.push({ ...request.sample(chance), operations: most });
  for (const each of commands) {
    const row: Entry = {
      term: maxInteger,
      command: { ...each, from: 65_536, signature: unsigned },
    };
    expect(encode(entryField, row).length).toBeLessThanOrEqual(entryBytes(row.command));
  }
  expect(entryField.maxBytes).toBeLessThan(655_360);
});

test('vows: an entry and a vote bind their signer, and conflict breaks just that', () => {
  const protocol = fresh();
  const vowsOf = (message: RaftMessage): (readonly [string, string])[] => [
    ...(protocol.vows?.(message) ?? []),
  ];
  const x = command('x');
  const append: RaftMessage = {
    kind: 'append-entries',
    term: 2,
    prevIndex: 4,
    prevTerm: 1,
    leaderCommit: 0,
    round: 0,
    entries: [
      { term: 1, command: command('old') },
      { term: 2, command: null },
      { term: 2, command: x },
    ],
  };
  expect(vowsOf(append)).toEqual([
    ['entry/2/6', 'no-op'],
    ['entry/2/7', `65536/${x.sequence}/0/78`],
  ]);
  for (const known of [[], [x], [x, command('y')]])
    for (const fork of [0, 1, 2]) {
      const lie = protocol.conflict?.(append, fork, known) ?? append;
      expect(vowsOf(lie).map(([about]) => about)).toEqual(['entry/2/6', 'entry/2/7']);
      expect(vowsOf(lie)[0]).toEqual(vowsOf(append)[0]);
      expect(vowsOf(lie)[1]).not.toEqual(vowsOf(append)[1]);
    }
  const vote: RaftMessage = { kind: 'vote', term: 3, candidate: 1, granted: true };
  expect(vowsOf(vote)).toEqual([['vote/3', '1']]);
  expect(vowsOf({ ...vote, granted: false })).toEqual([]);
  for (const fork of [0, 1, 2, 3])
    expect(protocol.conflict?.(vote, fork, [])).not.toMatchObject({ candidate: 1 });
  const heartbeat: RaftMessage = { ...append, entries: [] };
  expect(protocol.conflict?.(heartbeat, 0, [x])).toBe(heartbeat);
});
