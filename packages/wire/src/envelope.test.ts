import { type Random, type Signature, type Signed, sameBytes, seal } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { asked, idealOf, randomOf, type ToyMessage, toy, toyDomain, voteFor } from '../test/toy.ts';
import type { Domain } from './domain.ts';
import { envelopes, isRefusal, type RefusalReason } from './envelope.ts';
import { idealAuthority } from './ideal-keyring.ts';

const codec = envelopes(toyDomain, toy.messages);
const signature = new Uint8Array(64).fill(5) as Signature;
const signed = seal<ToyMessage>(voteFor(3), 2, signature);
const frame = codec.encode(signed);

const reasonOf = (result: object): RefusalReason | 'taken' =>
  isRefusal(result) ? result.reason : 'taken';

test('a frame gives back the signed message', () => {
  expect(codec.decode(frame)).toEqual(signed);
});

test.each<[string, Partial<Domain>]>([
  ['cluster', { cluster: 'other' }],
  ['group', { group: 'other' }],
  ['epoch', { epoch: 4 }],
  ['protocol', { protocol: 'other' }],
  ['version', { version: 2 }],
])('a frame of another %s is refused before it is decoded', (_, change) => {
  const other = envelopes({ ...toyDomain, ...change }, toy.messages);
  expect(reasonOf(other.decode(frame))).toBe('wrong-domain');
});

test('what is wrong with a frame is named', () => {
  const cut = frame.slice(0, -1);
  const longer = Uint8Array.from([...frame, 0]);
  const unknown = frame.slice();
  // Version, domain, from, length and bytes of the signature come before the tag.
  unknown[1 + 8 + 1 + 1 + 64] = 200;
  const version = frame.slice();
  version[0] = 9;
  expect(reasonOf(codec.decode(new Uint8Array(0)))).toBe('malformed');
  expect(reasonOf(codec.decode(cut))).toBe('malformed');
  expect(reasonOf(codec.decode(longer))).toBe('malformed');
  expect(reasonOf(codec.decode(unknown))).toBe('unknown-kind');
  expect(reasonOf(codec.decode(version))).toBe('wrong-version');
  expect(reasonOf(codec.decode(frame, { maxFrameBytes: 10 }))).toBe('oversized');
  expect(reasonOf(codec.decode(frame, { maxBytesOf: () => 10 }))).toBe('oversized');
  expect(reasonOf(codec.decode(frame, { knows: (id) => id < 2 }))).toBe('not-a-member');
  expect(reasonOf(codec.decode(frame, { sender: 1 }))).toBe('not-the-sender');
  expect(reasonOf(codec.decode(frame, { sender: 2, knows: (id) => id < 4 }))).toBe('taken');
});

test('what is read of a frame at a glance is what its message says, and as well refused', () => {
  expect(codec.glance(frame)).toEqual({ kind: 'vote', from: 2 });
  for (const [bytes, limits] of [
    [frame, { maxFrameBytes: frame.length - 1 }],
    [frame, { maxBytesOf: () => 3 }],
    [frame, { knows: () => false }],
    [frame, { sender: 3 }],
    [frame.slice(0, 20), {}],
    [frame.slice(0, 75), {}],
    [new Uint8Array(), {}],
  ] as const)
    expect(codec.glance(bytes, limits)).toEqual(codec.decode(bytes, limits));
  // What the message itself says is not looked at.
  expect(isRefusal(codec.glance(frame.slice(0, -1)))).toBe(false);
});

test('limits are reached and not crossed', () => {
  expect(reasonOf(codec.decode(frame, { maxFrameBytes: frame.length }))).toBe('taken');
  expect(reasonOf(codec.decode(frame, { maxFrameBytes: frame.length - 1 }))).toBe('oversized');
  const size = frame.length - (1 + 8 + 1 + 1 + 64) - 1;
  expect(reasonOf(codec.decode(frame, { maxBytesOf: () => size }))).toBe('taken');
  expect(reasonOf(codec.decode(frame, { maxBytesOf: () => size - 1 }))).toBe('oversized');
  // A limit above that of the schema is none.
  expect(reasonOf(codec.decode(frame, { maxBytesOf: () => undefined }))).toBe('taken');
  for (const length of [0, 64, 65]) {
    const long = codec.encode({ ...signed, signature: new Uint8Array(length) as Signature });
    expect(reasonOf(codec.decode(long))).toBe(length > 64 ? 'malformed' : 'taken');
  }
  const nothing = frame.slice(0, 1 + 8 + 1 + 1 + 64);
  expect(codec.decode(nothing)).toEqual({ reason: 'malformed', detail: 'no message' });
});

test('frames do not disturb each other, however large one of them was', () => {
  const large = seal<ToyMessage>(
    { ...asked(1), operations: [new Uint8Array(65_000), new Uint8Array(65_000).fill(1)] },
    65_536,
    signature,
  );
  const [first, big, second] = [signed, large, signed].map((each) => codec.encode(each));
  expect(codec.decode(big as Uint8Array)).toEqual(large);
  expect([first, second]).toEqual([frame, frame]);
  expect(codec.decode(first as Uint8Array)).toEqual(signed);
});

test('a kind is refused above its own schema, however large the frame may be', () => {
  const vote = toy.messages.of('vote');
  const padded = new Uint8Array(frame.length + (vote?.maxBytes ?? 0));
  padded.set(frame);
  expect(reasonOf(codec.decode(padded))).toBe('oversized');
});

function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const out = Array.from(bytes);
  const changes = 1 + random.below(4);
  for (let i = 0; i < changes; i++) {
    const at = random.below(out.length + 1);
    const choice = random.below(4);
    if (choice === 0) out.splice(at, 1 + random.below(8));
    else if (choice === 1) out.splice(at, 0, random.below(256));
    else if (choice === 2) out[at] = random.below(256);
    else out[at] = [0, 1, 127, 128, 255][random.below(5)] as number;
  }
  return Uint8Array.from(out);
}

/** One of so many is enough where a test is run once for every mutant. */
const every = process.env.QUORUMLAB_SHORT_TESTS === '1' ? 200 : 1;

test('100,000 random and mutated frames: nothing thrown, what is taken has one encoding', () => {
  const keyring = idealOf(idealAuthority(), 1);
  let taken = 0;
  for (let seed = 0; seed < 100_000 / every; seed++) {
    const random = randomOf(seed);
    const good = codec.encode(keyring.sign(toy.messages.sample(random)));
    const header = good.slice(0, 9);
    const bytes =
      seed % 4 === 0
        ? Uint8Array.from([...header, ...noise(random)])
        : seed % 4 === 1
          ? noise(random)
          : Uint8Array.from([...header, ...mutated(good.subarray(9), random)]);
    const result = codec.decode(bytes);
    if (isRefusal(result)) continue;
    taken++;
    if (!sameBytes(codec.encode(result as Signed<ToyMessage>), bytes))
      expect.fail(`seed ${seed}: a frame has two encodings`);
  }
  expect(taken).toBeGreaterThan(1000 / every);
});

const noise = (random: Random): Uint8Array =>
  Uint8Array.from({ length: random.below(120) }, () => random.below(256));
