/** What a group is made of, what is refused with which words, and what laboratories are told. */
import * as files from 'node:fs';
import {
  decode,
  decodeValidatorChange as decodeChange,
  encode,
  firstClient,
  SchemaError,
  type ValidatorStep as Step,
  toHex,
  type Validator,
  validatorSet,
} from '@quorumlab/core';
import { keeper, random, testDigest } from '@quorumlab/protocol-testing';
import { expect, it } from 'vitest';
import { oneOfEach } from '../test/messages.ts';
import { make } from '../test/network.ts';
import { entry } from './entry.ts';
import type { Group } from './group.ts';
import { encodeStep, encodeValidators, type TendermintOptions, tendermint } from './index.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
/** Whether `lines` are those on file. */
const expectRun = (name: string, lines: readonly string[]): void =>
  expect(keep(name, (sheet) => sheet.write(...lines))).not.toBe('');

/** What `does` gives, or why it refuses. */
function outcome(does: () => string): string {
  try {
    return does();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

/** A group in one line; of its first set what each weighs, and who proposes. */
function groupIn({
  group: made,
  client,
  snapshotEvery,
  snapshotsKept,
}: {
  readonly group?: unknown;
  readonly client: { readonly matching: number };
  readonly snapshotEvery?: number;
  readonly snapshotsKept?: number;
}): string {
  const group = made as Group;
  const { quorum, weak, matching, rotation, weights } = group.first;
  return [
    `f=${group.f} of ${group.members.length}`,
    `weights=${[...weights].map((each) => each.join(':')).join()} quorum=${quorum} weak=${weak}`,
    `matching=${matching}/${client.matching} turns=${rotation.join()}`,
    `times=${group.proposeTimeout},${group.voteTimeout},${group.timeoutDelta},${group.statusPeriod}`,
    `every=${group.checkpointEvery} window=${group.window} bytes=${group.intervalBytes}`,
    `batch=${group.maxBatch} snapshots=${snapshotEvery}/${snapshotsKept}`,
    `operators=${[0, 1, 7].filter((each) => group.isOperator(firstClient + each)).join()}`,
    `accountable=${group.accountable}`,
  ].join(' ');
}

it('a group follows from its options, or is refused with what to do', () => {
  const all: readonly Omit<TendermintOptions, 'digest'>[] = [
    { n: 1 },
    { n: 4 },
    { n: 5 },
    { n: 7, f: 1 },
    { n: 7, f: 2 },
    { n: 7, f: 3 },
    { n: 3, f: 1 },
    { n: 3, f: 1, unsafe: true },
    { n: 4, f: 2, weights: '1,1,1,1' },
    { n: 10, f: 3 },
    { n: 4, seats: 6 },
    { n: 4, seats: 3 },
    { n: 4, seats: 68 },
    { n: 4, seats: 69 },
    { n: 1000, seats: 1025, f: 1 },
    { n: 1000, seats: 1024, f: 1, initialMembers: '0,1,2,3' },
    { n: 4, quorum: 2 },
    { n: 4, quorum: 3 },
    { n: 4, quorum: 4 },
    { n: 4, quorum: 2, unsafe: true },
    { n: 4, weights: '2,2,2,2' },
    { n: 4, weights: '1,1,1,2' },
    { n: 4, f: 1, weights: '1,1,1,2' },
    { n: 5, weights: '3,1,1,1,1' },
    { n: 7, weights: '1,2,3,4,5,6,7' },
    { n: 3, weights: '50000,25000,25000' },
    { n: 3, weights: '50001,25000,25000' },
    { n: 1, weights: '100000' },
    { n: 1, weights: '100001' },
    { n: 2, weights: '1' },
    { n: 2, weights: '1,1.5' },
    { n: 5, initialMembers: '3,2,1,0' },
    { n: 5, initialMembers: [4, 3, 1, 0, 0] },
    { n: 12, initialMembers: '11,10,9,2' },
    { n: 5, initialMembers: '' },
    { n: 5, initialMembers: [] },
    { n: 5, initialMembers: '0,1,2,5' },
    { n: 5, initialMembers: '0,1,2,-1' },
    { n: 5, initialMembers: '0, 1 ,2,3' },
    { n: 5, initialMembers: '0,1,2,3x' },
    { n: 5, initialMembers: 'x0,1,2,3' },
    { n: 5, initialMembers: '0,1,2,3', weights: '1,1,1,1' },
    { n: 5, initialMembers: '0,1,2,3', weights: '1,1,1,1,1' },
    { n: 4, operators: `${firstClient + 7}` },
    { n: 4, operators: `${firstClient}, ${firstClient + 1}` },
    { n: 4, proposeTimeout: 1 },
    { n: 4, proposeTimeout: 7 },
    { n: 4, proposeTimeout: 0 },
    { n: 4, voteTimeout: 9, timeoutDelta: 5 },
    { n: 4, accountable: false },
    { n: 4, checkpointEvery: 10 },
    { n: 4, checkpointEvery: 10, window: 10 },
    { n: 4, checkpointEvery: 10, window: 9 },
    { n: 4, checkpointEvery: 10, window: 25, windowBytes: 1000 },
    { n: 4, maxBatch: 0 },
    { n: 4, maxBatch: 7 },
    { n: 0 },
    { n: 2.5 },
  ];
  expectRun(
    'options',
    all.map((each) => {
      const made = outcome(() => groupIn(tendermint({ ...each, digest: testDigest })));
      return `${JSON.stringify(each)}\n  ${made}`;
    }),
  );
});

it('what a client submits to change the group, and what nobody can submit', () => {
  const lists: readonly (readonly Validator[])[] = [
    [],
    [{ member: 0, weight: 1 }],
    [
      { member: 2, weight: 1 },
      { member: 0, weight: 100_000 },
    ],
    [
      { member: 1, weight: 1 },
      { member: 0, weight: 1 },
      { member: 1, weight: 2 },
    ],
    [{ member: 1023, weight: 1 }],
    [{ member: 1024, weight: 1 }],
    [{ member: -1, weight: 1 }],
    [{ member: 0.5, weight: 1 }],
    [{ member: 0, weight: 0 }],
    [{ member: 0, weight: 1.5 }],
    [{ member: 0, weight: 100_001 }],
  ];
  const steps: readonly Step[] = [
    { server: 0, becomes: 'none' },
    { server: 1, becomes: 'learner' },
    { server: 2, becomes: 'voter' },
    { server: 2, becomes: 'voter', weight: 100_000, about: Uint8Array.of(1, 2) },
    { server: 2, becomes: 'voter', weight: 0 },
    { server: 1024, becomes: 'voter' },
    { server: -1, becomes: 'voter' },
  ];
  const read = (bytes: Uint8Array): string => {
    const change = decodeChange(bytes);
    const parts = 'server' in change ? { ...change, about: toHex(change.about) } : change;
    return `${toHex(bytes)} is ${JSON.stringify(parts)}`;
  };
  expectRun('submitted', [
    ...lists.map((each) => outcome(() => read(encodeValidators(each)))),
    ...steps.map((each) => outcome(() => read(encodeStep(each)))),
    ...['00', '0003', '000001', '000004', '020001'].map((hex) =>
      outcome(() => read(Uint8Array.from(hex.match(/../g) ?? [], (each) => parseInt(each, 16)))),
    ),
  ]);
});

it('a set on a disk has a first height and validators, or is not read', () => {
  const set = (since: number, members: readonly number[]) => ({
    since,
    validators: members.map((member) => ({ member, weight: 1 })),
    asked: { client: firstClient, session: 2, sequence: 3 },
  });
  const whole = set(3, [0, 1]);
  expect(decode(validatorSet, encode(validatorSet, whole))).toEqual(whole);
  expect(decode(validatorSet, encode(validatorSet, { ...whole, asked: null })).asked).toBeNull();
  for (const wrong of [set(0, [0, 1]), set(3, [])])
    expect(() => decode(validatorSet, encode(validatorSet, wrong))).toThrow(SchemaError);
});

it('messages and rows come out of their bytes as they went in, in a group made just now', () => {
  const network = make({ checkpointEvery: 2 });
  const { protocol } = network;
  for (const message of oneOfEach(network)) {
    expect(decode(protocol.messages, encode(protocol.messages, message))).toEqual(message);
    expect(() =>
      decode(protocol.messages, encode(protocol.messages, message).slice(0, -1)),
    ).toThrow(SchemaError);
  }
  expect([protocol.passesOn, protocol.client.signed]).toEqual([['relay'], true]);
  expect([0, 1, 2].map((f) => protocol.claims.replicas(f))).toEqual([1, 4, 7]);
});

it('what people and laboratories are told, and the options that a seed draws for ever', () => {
  const { options, title, small } = entry;
  const drawn = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((seed) =>
    [true, false].map((narrow) => {
      const told = { n: 4, f: 1, told: {}, narrow };
      const values = entry.drawn?.(random(seed), seed % 2 === 0 ? 'lan' : 'wan', told) ?? {};
      expect(() => entry.right({ n: 4, f: 1, digest: testDigest, ...values })).not.toThrow();
      return `seed ${seed}${narrow ? ', narrow' : ''}: ${JSON.stringify(values)}`;
    }),
  );
  expectRun('entry', [
    title,
    ...Object.entries(options ?? {}).map(([name, told]) => `${name}: ${JSON.stringify(told)}`),
    `small: ${JSON.stringify(small)}`,
    ...drawn,
    `change: ${toHex(entry.change?.([2, 0, 1]) ?? new Uint8Array())}`,
    `member: ${toHex(entry.member?.(3, 'voter') ?? new Uint8Array())}`,
    `seat: ${toHex(entry.seat?.(3, Uint8Array.of(5)) ?? new Uint8Array())}`,
    `by hand: ${JSON.stringify(entry.byHand?.(3, 4))}`,
  ]);
});
