/** What counts and what binds: each seen in what one message comes to at one replica. */
import { firstClient, maxInteger, OptionsError } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { Group, value } from '../test/group.ts';
import { type BasicPaxosMessage, basicPaxos } from './index.ts';

const x = value('x');
const fresh = (n = 3): Group => new Group(basicPaxos({ n }));
const stateOf = (group: Group, id: number) => group.node(id).machine?.snapshot();
const statusOf = (group: Group, id: number) => group.node(id).machine?.status();

/** What `message` of `from` makes replica `id` say, and to whom. */
function said(group: Group, id: number, from: number, message: BasicPaxosMessage): unknown[] {
  group.lose();
  group.inject(from, id, message);
  return group.packets.filter(({ to }) => to !== id).map((each) => [each.to, each.message]);
}

/** One message of each kind; ballots 3, 4 and 5 belong to 0, 1 and 2 of three. */
const oneOfEach = (ballot: number): readonly BasicPaxosMessage[] => [
  { kind: 'prepare', ballot },
  { kind: 'promise', ballot, accepted: null },
  { kind: 'promise', ballot, accepted: { ballot: 1, value: x } },
  { kind: 'accept', ballot, value: x },
  { kind: 'accepted', ballot, value: x },
  { kind: 'nack', ballot, promised: ballot + 7 },
  { kind: 'ask' },
  { kind: 'decided', value: x },
];

describe('who is no member is not heard', () => {
  test.each([3, firstClient])('principal %i', (from) => {
    const group = fresh();
    group.inject(0, 1, { kind: 'accept', ballot: 3, value: value('a') });
    group.propose(1, 'mine');
    const before = stateOf(group, 1);
    for (const ballot of [3, 4, 6, 7])
      for (const message of oneOfEach(ballot)) {
        expect(said(group, 1, from, message)).toEqual([]);
        expect(stateOf(group, 1)).toEqual(before);
      }
    const knows = fresh();
    knows.inject(0, 1, { kind: 'decided', value: x });
    for (const message of oneOfEach(3)) expect(said(knows, 1, from, message)).toEqual([]);
  });
});

describe('an acceptor', () => {
  test('tells whoever owns an older ballot, and nobody else, and promises the same again', () => {
    const group = fresh();
    const promise = [[1, { kind: 'promise', ballot: 4, accepted: null }]];
    for (const _ of [1, 2])
      expect(said(group, 2, 1, { kind: 'prepare', ballot: 4 })).toEqual(promise);
    const nack = { kind: 'nack', ballot: 3, promised: 4 };
    for (const message of [oneOfEach(3)[0], oneOfEach(3)[3]] as BasicPaxosMessage[]) {
      expect(said(group, 2, 0, message)).toEqual([[0, nack]]);
      expect(said(group, 2, 1, message)).toEqual([]);
    }
    expect(group.node(2).disk).toMatchObject({ promised: 4, accepted: null });
  });

  test('accepts in a ballot that it has not promised to give up, which is a promise', () => {
    const group = fresh();
    const accept: BasicPaxosMessage = { kind: 'accept', ballot: 4, value: x };
    const accepted = { kind: 'accepted', ballot: 4, value: x };
    expect(said(group, 2, 1, accept)).toEqual([0, 1].map((to) => [to, accepted]));
    expect(group.node(2).disk).toMatchObject({ promised: 4, accepted: { ballot: 4, value: x } });
    expect(said(group, 2, 1, accept)).toHaveLength(2);
    expect(said(group, 2, 1, { ...accept, value: value('y') })).toEqual([]);
    // Phase 1 of the ballot is over; the next one is told what is accepted.
    expect(said(group, 2, 1, { kind: 'prepare', ballot: 4 })).toEqual([]);
    expect(said(group, 2, 0, { kind: 'prepare', ballot: 6 })).toEqual([
      [0, { kind: 'promise', ballot: 6, accepted: { ballot: 4, value: x } }],
    ]);
  });
});

describe('a proposer', () => {
  test.each([
    [[1, 3], 'b'],
    [[3, 1], 'a'],
    [[2, 2], 'a'],
  ])('takes over the value of the highest ballot of %j', (ballots, chosen) => {
    const group = fresh(5);
    group.propose(0, 'own');
    group.lose();
    const [one, two] = ballots.map((ballot, i) => ({ ballot, value: value('ab'[i] ?? '') }));
    group.inject(1, 0, { kind: 'promise', ballot: 5, accepted: one ?? null });
    group.inject(2, 0, { kind: 'promise', ballot: 5, accepted: two ?? null });
    group.inject(3, 0, { kind: 'promise', ballot: 5, accepted: null });
    const accepts = group.packets.filter(({ message }) => message.kind === 'accept');
    expect(accepts.map(({ message }) => message)).toEqual(
      Array(5).fill({ kind: 'accept', ballot: 5, value: value(chosen) }),
    );
  });

  test('counts each acceptor once, in its ballot, and while it asks', () => {
    const group = fresh(5);
    const promise = (ballot: number): BasicPaxosMessage => ({
      kind: 'promise',
      ballot,
      accepted: null,
    });
    for (const from of [0, 1, 2]) group.inject(from, 0, promise(5));
    group.propose(0, 'own');
    group.lose();
    for (const [from, ballot] of [
      [1, 5],
      [1, 5],
      [2, 10],
      [2, 0],
    ] as const)
      group.inject(from, 0, promise(ballot));
    group.inject(2, 0, promise(5));
    expect(group.packets).toEqual([]);
    group.inject(3, 0, promise(5));
    expect(group.packets).toHaveLength(5);
    expect(statusOf(group, 0)).toEqual({ leader: 0, term: 5, role: 'proposer' });
    group.inject(4, 0, promise(5));
    expect(group.packets).toHaveLength(5);
  });

  test('gives up a ballot that is refused by a higher one, and uses a higher one next', () => {
    const group = fresh();
    group.propose(1, 'own');
    const nack = (ballot: number, promised: number): BasicPaxosMessage => ({
      kind: 'nack',
      ballot,
      promised,
    });
    const before = stateOf(group, 1);
    for (const late of [nack(1, 9), nack(4, 4), nack(4, 3), nack(7, 9)]) group.inject(2, 1, late);
    expect(stateOf(group, 1)).toEqual(before);
    group.inject(2, 1, nack(4, 20));
    expect(stateOf(group, 1)?.volatile).toMatchObject({ phase: 'waiting', failures: 1, heard: 20 });
    expect(group.node(1).timers.get('retry')).toEqual([100_000, 200_000]);
    group.lose();
    group.timeout(1, 'retry');
    expect(group.packets.map(({ message }) => message)).toContainEqual({
      kind: 'prepare',
      ballot: 22,
    });
    // What the refusal counted the timer does not count again; silence it does.
    expect(stateOf(group, 1)?.volatile.failures).toBe(1);
    group.timeout(1, 'retry');
    expect(stateOf(group, 1)?.volatile.failures).toBe(2);
    expect(group.node(1).timers.get('retry')).toEqual([200_000, 400_000]);
  });

  test('wants one thing at a time, and nothing any more when something is decided', () => {
    const group = fresh();
    group.propose(0, 'first');
    group.propose(0, 'second');
    expect(stateOf(group, 0)?.volatile.wish).toEqual(value('first'));
    expect(group.packets).toHaveLength(3);
    group.settle();
    expect(group.node(0).decided).toBe('first');
    expect(stateOf(group, 0)?.volatile).toMatchObject({
      phase: 'idle',
      wish: null,
      promises: new Map(),
      votes: new Map(),
    });
    expect([...group.node(0).timers.keys()]).toEqual([]);
    group.propose(0, 'third');
    group.step(0, { type: 'timeout', timer: 'ask' });
    group.step(0, { type: 'timeout', timer: 'retry' });
    expect(group.packets).toEqual([]);
  });

  test('does nothing upon a timer of an attempt that is over', () => {
    const group = fresh();
    group.step(0, { type: 'timeout', timer: 'retry' });
    expect([group.packets, stateOf(group, 0)?.volatile.failures]).toEqual([[], 0]);
  });

  test('uses the last number of the wire, and none after it', () => {
    const owner = maxInteger % 3;
    for (const [heard, isUsed] of [
      [maxInteger - 3, true],
      [maxInteger, false],
    ] as const) {
      const group = fresh();
      group.propose(owner, 'x');
      const ballot = stateOf(group, owner)?.stable.ballot ?? 0;
      const others = [0, 1, 2].filter((each) => each !== owner);
      for (const from of [...others, ...others])
        group.inject(from, owner, { kind: 'nack', ballot, promised: heard });
      group.lose();
      group.timeout(owner, 'retry');
      expect(group.packets.length > 0).toBe(isUsed);
      if (isUsed) expect(group.node(owner).disk.ballot).toBe(maxInteger);
    }
  });
});

describe('a learner', () => {
  const vote = (ballot: number, text: string): BasicPaxosMessage => ({
    kind: 'accepted',
    ballot,
    value: value(text),
  });

  test('learns what a quorum has accepted in one ballot, whatever each accepted before', () => {
    const group = fresh(5);
    for (const [from, message] of [
      [1, vote(3, 'a')],
      [2, vote(4, 'a')],
      [3, vote(4, 'b')],
      [1, vote(4, 'a')],
      [1, vote(3, 'a')],
      [1, vote(4, 'a')],
    ] as const)
      group.inject(from, 0, message);
    expect(group.node(0).decided).toBeUndefined();
    group.inject(4, 0, vote(4, 'a'));
    expect(group.node(0)).toMatchObject({ decided: 'a', disk: { decided: value('a') } });
  });

  test('keeps to what it has learnt', () => {
    const group = fresh();
    group.inject(1, 0, { kind: 'decided', value: value('a') });
    group.inject(2, 0, { kind: 'decided', value: value('b') });
    for (const from of [1, 2]) group.inject(from, 0, vote(9, 'b'));
    expect(group.node(0)).toMatchObject({ decided: 'a', disk: { decided: value('a') } });
  });

  test('tells who asks what it has accepted, or what is decided', () => {
    const group = fresh();
    expect(said(group, 2, 1, { kind: 'ask' })).toEqual([]);
    group.inject(1, 2, { kind: 'accept', ballot: 4, value: x });
    expect(said(group, 2, 1, { kind: 'ask' })).toEqual([[1, vote(4, 'x')]]);
    group.inject(1, 2, { kind: 'decided', value: x });
    const decided = [[0, { kind: 'decided', value: x }]];
    expect(said(group, 2, 0, { kind: 'ask' })).toEqual(decided);
    group.now += 1_000_000;
    expect(said(group, 2, 0, { kind: 'prepare', ballot: 6 })).toEqual(decided);
  });

  test('asks after a while by itself, less and less often', () => {
    const group = fresh();
    expect(group.node(0).timers.get('ask')).toEqual([500_000, 1_000_000]);
    const pauses: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      group.timeout(0, 'ask');
      pauses.push(group.node(0).timers.get('ask'));
    }
    expect(pauses.map((each) => (each as number[])[0])).toEqual([
      100_000, 200_000, 400_000, 500_000, 500_000, 500_000,
    ]);
  });
});

test('reads are bounded, and each is answered by the attempt that began after it', () => {
  const group = fresh();
  for (let id = 0; id < 65_540; id++) group.step(0, { type: 'read', id });
  const { reading, readsWaiting } = stateOf(group, 0)?.volatile ?? {};
  expect([reading?.length, readsWaiting?.length]).toEqual([1, 65_535]);
  group.step(1, { type: 'read', id: 7 });
  group.settle();
  group.inject(1, 0, { kind: 'decided', value: x });
  expect(group.node(0).reads.length).toBe(65_536);
  group.step(0, { type: 'read', id: 8 });
  expect(group.node(0).reads.at(-1)).toEqual({ id: 8, upTo: 0 });
});

describe('a group', () => {
  test('tells hosts what it survives and who is nearest to lead it', () => {
    const { claims, client, f } = basicPaxos({ n: 5 });
    expect([0, 1, 2].map(claims.replicas)).toEqual([1, 3, 5]);
    expect(claims).toMatchObject({ faults: 'crash', order: 'total' });
    expect(client).toEqual({ matching: 1, ask: 'any', signed: false });
    expect([f, basicPaxos({ n: 5, f: 1 }).f, basicPaxos({ n: 4 }).f]).toEqual([2, 1, 1]);
    const group = fresh();
    expect(statusOf(group, 0)).toEqual({ term: 0, role: 'acceptor' });
    group.inject(1, 0, { kind: 'prepare', ballot: 4 });
    expect(statusOf(group, 0)).toEqual({ leader: 1, term: 4, role: 'acceptor' });
    group.restart(2, 'lost');
    expect(statusOf(group, 2)).toMatchObject({ role: 'learner' });
  });

  test.each([
    [{ n: 3, f: -1 }, 'f is -1; use an integer of 0 or more'],
    [{ n: 3, retry: 0 }, 'retry is 0; use an integer of 1 or more'],
    [{ n: 3, retry: 10, maxRetry: 9 }, 'maxRetry is 9; use an integer of 10 or more'],
    [
      { n: 4, f: 2 },
      '4 replicas cannot survive 2 crashes: the 2 left are no majority of 4, ' +
        'so use n = 5 or more, or f = 1 or less',
    ],
  ])('that cannot be is refused: %j', (options, why) => {
    expect(() => basicPaxos(options)).toThrow(OptionsError);
    expect(() => basicPaxos(options)).toThrow(why);
  });

  test('may be as small, and as impatient, as is allowed', () => {
    expect(basicPaxos({ n: 1, f: 0, retry: 1, maxRetry: 1 }).f).toBe(0);
  });

  test('does not hear one member of ballots that nobody reaches', () => {
    const far = 2 ** 40 + 2;
    for (const message of [
      { kind: 'prepare', ballot: far },
      { kind: 'nack', ballot: 4, promised: far },
      { kind: 'promise', ballot: 4, accepted: { ballot: far, value: x } },
    ] as const) {
      const group = fresh();
      group.propose(1, 'own');
      const before = stateOf(group, 1);
      group.inject(2, 1, message);
      expect(stateOf(group, 1)).toEqual(before);
      expect(statusOf(group, 1)?.trouble).toContain(`Member 2 speaks of ballot ${far}`);
    }
  });
});

describe('a vow', () => {
  const { vows, conflict } = basicPaxos({ n: 3 });
  const known = [value('y'), value('z')];
  const vowsOf = (message: BasicPaxosMessage) => [...(vows?.(message) ?? [])];
  const identity = vowsOf({ kind: 'decided', value: x })[0]?.[1];

  test.each<[BasicPaxosMessage, string]>([
    [{ kind: 'accept', ballot: 4, value: x }, 'accept/4'],
    [{ kind: 'accepted', ballot: 4, value: x }, 'accepted/4'],
    [{ kind: 'decided', value: x }, 'decided'],
  ])('of %j is broken by any other value', (message, about) => {
    expect(vowsOf(message)).toEqual([[about, identity]]);
    const lies = [0, 1, 2].flatMap((fork) =>
      [known, [x, ...known], [x], []].map((some) => conflict?.(message, fork, some) ?? message),
    );
    for (const lie of lies) {
      const [[same, what] = []] = vowsOf(lie);
      expect([same, what === identity]).toEqual([about, false]);
    }
    expect(new Set(lies.map((lie) => vowsOf(lie)[0]?.[1])).size).toBe(3);
  });

  test('of a promise is broken by hiding what was accepted, or by inventing something', () => {
    const none: BasicPaxosMessage = { kind: 'promise', ballot: 4, accepted: null };
    const some: BasicPaxosMessage = { ...none, accepted: { ballot: 3, value: x } };
    expect(vowsOf(none)).toEqual([['promise/4', 'nothing']]);
    expect(vowsOf(some)).toEqual([['promise/4', `3/${identity}`]]);
    expect(conflict?.(some, 0, known)).toEqual(none);
    const invented = [0, 1, 2].map((fork) => conflict?.(none, fork, known));
    expect(invented).toEqual(
      [0, 1, 0].map((i) => ({ ...none, accepted: { ballot: 3, value: known[i] } })),
    );
    expect(conflict?.(none, 0, [])).toBe(none);
    const first = { ...none, ballot: 0 };
    expect(conflict?.(first, 0, known)).toBe(first);
  });

  test('is made by no question and no refusal', () => {
    for (const message of [
      { kind: 'prepare', ballot: 4 },
      { kind: 'nack', ballot: 4, promised: 5 },
      { kind: 'ask' },
    ] as const) {
      expect(vowsOf(message)).toEqual([]);
      expect(conflict?.(message, 0, known)).toBe(message);
    }
  });
});
