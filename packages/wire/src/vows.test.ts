import type { Signed } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { idealOf, said, type ToyMessage, toy, voteFor } from '../test/toy.ts';
import { boundedMap } from './bounded.ts';
import { idealAuthority } from './ideal-keyring.ts';
import { detector, type Proof, VowBrokenError, vowGuard } from './vows.ts';

const authority = idealAuthority();
const keyrings = toy.members.map((id) => idealOf(authority, id));
const by = (id: number, seq: number, what: string): Signed<ToyMessage> =>
  said(keyrings[id] as (typeof keyrings)[0], voteFor(seq, what));

test('two votes of one member on one thing are told once; all else is innocent', () => {
  const watch = detector(toy);
  expect(watch.observe(by(0, 1, 'a'))).toBeUndefined();
  expect(watch.observe(by(0, 1, 'a'))).toBeUndefined();
  expect(watch.observe(by(1, 1, 'b'))).toBeUndefined();
  expect(watch.observe(by(0, 2, 'b'))).toBeUndefined();
  const proof = watch.observe(by(0, 1, 'b'));
  expect(proof).toMatchObject({ signer: 0, about: 'vote/0/1' });
  expect(proof?.first).toMatchObject(voteFor(1, 'a'));
  expect(proof?.second).toMatchObject(voteFor(1, 'b'));
  expect(watch.observe(by(0, 1, 'c'))).toBeUndefined();
});

test('a lie inside the evidence of an honest message is found', () => {
  const watch = detector(toy);
  watch.observe(by(2, 1, 'a'));
  watch.observe(by(3, 1, 'a'));
  const seals = [2, 3].map((from) => ({ from, signature: by(from, 1, 'b').signature }));
  const commit = keyrings[0]?.sign({
    kind: 'commit',
    seq: 1,
    votes: { body: voteFor(1, 'b'), seals },
  });
  const report = keyrings[1]?.sign({ kind: 'change', view: 1, reports: [commit as never] });
  const also: Proof<ToyMessage>[] = [];
  expect(watch.observe(report as Signed<ToyMessage>, (each) => also.push(each))?.signer).toBe(2);
  expect(also.map(({ signer }) => signer)).toEqual([3]);
});

test('a million vows of one member neither fill the memory nor push out another member', () => {
  const watch = detector(toy, { maxVowsPerSigner: 1000 });
  watch.observe(by(1, 7, 'a'));
  const { signature } = by(0, 0, 'a');
  const digest = voteFor(0).digest;
  let highest = 0;
  const vows = process.env.QUORUMLAB_SHORT_TESTS === '1' ? 5000 : 1_000_000;
  for (let seq = 0; seq < vows; seq++) {
    watch.observe({ kind: 'vote', view: 0, seq, digest, from: 0, signature } as Signed<ToyMessage>);
    if (seq % 1000 === 0) highest = Math.max(highest, watch.size);
  }
  expect(highest).toBeLessThanOrEqual(1001);
  expect(watch.observe(by(1, 7, 'b'))).toMatchObject({ signer: 1 });
});

test('a detector looks as deep as keyrings do, and no deeper', () => {
  // Each message carries the next one inside.
  const nested = {
    ...toy,
    evidence: (from: ToyMessage) => ('inner' in from ? [from.inner as never] : []),
  };
  const found = (depth: number) => {
    const watch = detector<ToyMessage>(nested);
    watch.observe(by(0, 1, 'a'));
    let message: object = by(0, 1, 'b');
    for (let i = 0; i < depth; i++) message = { ...by(1, i, 'a'), inner: message };
    return watch.observe(message as Signed<ToyMessage>)?.signer;
  };
  expect([found(0), found(1), found(8), found(9)]).toEqual([0, 0, 0, undefined]);
});

test('protocols without vows or evidence, and kinds that they do not know, convict nobody', () => {
  const { vows: _, evidence: __, ...silent } = toy;
  for (const [protocol, kind] of [
    [silent, 'vote'],
    [toy, 'veto'],
  ] as const) {
    const watch = detector<ToyMessage>(protocol);
    const say = (what: string) => watch.observe({ ...by(0, 1, what), kind } as Signed<ToyMessage>);
    expect([say('a'), say('b'), watch.size]).toEqual([undefined, undefined, 0]);
    const guarded = vowGuard<ToyMessage>(
      { ...idealOf(authority, 0), sign: (message) => message as never },
      protocol,
    );
    for (const what of ['a', 'b'])
      expect(() => guarded.sign({ ...voteFor(1, what), kind } as never)).not.toThrow();
  }
});

test('strangers fill nothing', () => {
  const watch = detector(toy);
  for (let id = 4; id < 1000; id++) watch.observe({ ...by(0, 1, 'a'), from: id });
  expect(watch.size).toBe(0);
});

test('a guarded keyring signs a statement again, and never against its word', () => {
  const guarded = vowGuard(idealOf(authority, 0), toy, { maxVows: 100 });
  guarded.sign(voteFor(1, 'a'));
  guarded.sign(voteFor(1, 'a'));
  expect(guarded.counters.signed).toBe(2);
  expect(() => guarded.sign(voteFor(1, 'b'))).toThrow(VowBrokenError);
  expect(() => guarded.sign(voteFor(1, 'b'))).toThrow(/vote\/0\/1/);
  expect(guarded.counters.signed).toBe(2);
  expect(guarded.check(guarded.sign(voteFor(2, 'b')))).toBe(true);
});

test('a guard forgets its oldest words and nothing else, and is otherwise the keyring', () => {
  const inner = idealOf(authority, 0);
  const guarded = vowGuard(inner, toy, { maxVows: 10 });
  for (let seq = 0; seq < 12; seq++) guarded.sign(voteFor(seq, 'a'));
  expect(() => guarded.sign(voteFor(11, 'b'))).toThrow(VowBrokenError);
  expect(() => guarded.sign(voteFor(0, 'b'))).not.toThrow();
  expect([guarded.self, guarded.name, guarded.counters]).toEqual([0, 'ideal', inner.counters]);
});

test('a bounded map keeps what is used and forgets what is not', () => {
  const map = boundedMap<number, number>(100);
  map.set(-1, 7);
  for (let i = 0; i < 10_000; i++) {
    map.set(i, i);
    expect(map.get(-1)).toBe(7);
    expect(map.size).toBeLessThanOrEqual(100);
  }
  expect(map.get(0)).toBeUndefined();
  expect(map.get(9_999)).toBe(9_999);
  const small = boundedMap<string, number>(4);
  for (const [i, key] of [...'abab'].entries()) small.set(key, i);
  // What is there already is replaced, and pushes nothing out.
  expect([small.size, small.get('a'), small.get('b')]).toEqual([2, 2, 3]);
  small.set('c', 4);
  expect([small.size, small.get('a'), small.get('c')]).toEqual([3, 2, 4]);
  const one = boundedMap<string, number>(1);
  for (const key of 'abc') one.set(key, 1);
  expect([one.get('c'), one.get('a')]).toEqual([1, undefined]);
});
