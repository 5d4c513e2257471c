/** What changes nothing: because of who says it, of when, or because it has been said. */
import { decode, encode, firstClient } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { make } from '../test/group.ts';
import {
  batchOf,
  certificate,
  checkpoint,
  claim,
  digestOf,
  newView,
  oneOfEach,
  prePrepare,
  status,
  strange,
  viewChange,
  vote,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import { type PbftOptions, pbft } from './index.ts';
import type { Message } from './messages.ts';

const stateOf = (network: Network, self: number) => network.seat(self).machine.snapshot();
const batch = batchOf(1);
const digest = digestOf(batch);

/** All have heard from all, so that patience is no reason to listen any more. */
function met(more: Partial<PbftOptions> = {}): Network {
  const network = make(more);
  for (const from of [0, 1, 2, 3])
    for (const to of [0, 1, 2, 3]) if (from !== to) network.inject(from, to, status());
  network.drop();
  network.now += 10_000_000;
  return network;
}

/** Replica 1 of four, in each role in which something is there to be disturbed. */
const roles: readonly (readonly [string, () => Network])[] = [
  [
    'a backup',
    () => {
      const network = met();
      network.inject(0, 1, prePrepare(1, batchOf(7)));
      return network;
    },
  ],
  [
    'one that waits for the view of another',
    () => {
      const network = met();
      for (const from of [0, 3]) network.inject(from, 1, viewChange(2));
      expect(network.state(1)).toMatchObject({ view: 2, active: false });
      return network;
    },
  ],
  [
    'a primary',
    () => {
      const network = met();
      for (const from of [1, 2, 3]) network.inject(from, 1, viewChange(1));
      network.deliver(({ to }) => to === 1);
      network.input(1, { type: 'propose', command: requestOf(9, 1) });
      expect(network.state(1)).toMatchObject({ view: 1, active: true, next: 2 });
      return network;
    },
  ],
];

describe.each(roles)('%s', (_, role) => {
  it.each([4, firstClient])('does not hear principal %i, who is no member', (from) => {
    const network = role();
    network.drop();
    const before = stateOf(network, 1);
    // Two kinds prove themselves, whoever brings them.
    const proven = ['committed', 'batch'];
    for (const view of [0, 1, 2])
      for (const message of oneOfEach(network, view))
        if (!proven.includes(message.kind)) {
          const { sends, writes } = network.wouldAnswer(from, 1, message);
          expect([message.kind, sends, writes]).toEqual([message.kind, [], []]);
          network.inject(from, 1, message);
          expect(stateOf(network, 1)).toEqual(before);
        }
  });

  it('answers no question of its own', () => {
    const network = role();
    const asked: readonly Message[] = [
      status({ executed: 0 }),
      { kind: 'fetch-batch', sequence: 1, digest: digestOf(batchOf(7)) },
      { kind: 'fetch-proofs', claims: [claim(1, digest)] },
    ];
    for (const message of asked) {
      expect(network.wouldAnswer(1, 1, message).sends).toEqual([]);
      expect(network.seat(1).machine.admits?.(network.sign(message, 1), network.now)).toBe(false);
    }
  });
});

describe('what is asked before signatures are checked', () => {
  const admits = (network: Network, to: number, from: number, message: Message) =>
    network.seat(to).machine.admits?.(network.sign(message, from), network.now);

  it('passes whoever speaks for the first time until a quorum has been heard', () => {
    const network = make();
    const old = checkpoint(3);
    expect([0, 2, 3].map((from) => admits(network, 1, from, old))).toEqual([true, true, true]);
    network.inject(0, 1, old);
    expect([0, 2].map((from) => admits(network, 1, from, old))).toEqual([false, true]);
    network.inject(2, 1, old);
    expect([0, 2, 3].map((from) => admits(network, 1, from, old))).toEqual([false, false, false]);
  });

  it.each([
    ['a pre-prepare', 0, prePrepare(1, batch)],
    ['a Prepare', 2, vote('prepare', 1, digest)],
    ['a Commit', 2, vote('commit', 1, digest)],
    ['a Commit of the primary', 0, vote('commit', 1, digest)],
    ['a checkpoint', 2, checkpoint(4)],
    ['a view-change', 2, viewChange(1)],
    ['a report', 2, status()],
    ['a Commit of a later view', 2, vote('commit', 1, digest, 1)],
  ] as const)('passes once: %s', (_, from, message) => {
    const network = met();
    const before = stateOf(network, 1);
    expect(admits(network, 1, from, message)).toBe(true);
    network.inject(from, 1, message);
    expect(stateOf(network, 1)).not.toEqual(before);
    // What is kept for a later view is looked at again, because it may be another one.
    expect(admits(network, 1, from, message)).toBe(message.kind === 'commit' && message.view === 1);
  });

  it.each<[string, number, Message]>([
    ['a pre-prepare of no primary', 2, prePrepare(1, batch)],
    ['a Prepare of the primary', 0, vote('prepare', 1, digest)],
    ['a pre-prepare of number 0', 0, prePrepare(0, batch)],
    ['a checkpoint between two', 2, checkpoint(5)],
    ['a view-change for this view', 2, viewChange(0)],
    [
      'a view-change that no honest one sends',
      2,
      viewChange(1, { checkpoint: { sequence: 3, digest } }),
    ],
    ['a new-view of no primary', 2, newView(make(), 1)],
    ['a new-view for this view', 0, newView(make(), 0)],
    ['a new-view for later that no quorum wants', 1, newView(make(), 1, { viewChanges: [] })],
    ['a relay to a backup', 2, { kind: 'relay', requests: batch }],
    ['a batch that nobody wants', 2, { kind: 'batch', sequence: 1, batch }],
    ['proofs that nobody asked for', 2, { kind: 'proofs', proofs: [] }],
  ])('does not pass: %s', (_, from, message) => {
    const to = from === 1 ? 2 : 1;
    const network = met();
    expect(admits(network, to, from, message)).toBe(false);
    const before = stateOf(network, to);
    network.inject(from, to, message);
    expect(stateOf(network, to)).toEqual(before);
  });

  it('passes no certificate that is one short, or about what is known', () => {
    const network = met();
    const commit = vote('commit', 1, digest);
    for (const signers of [
      [0, 1],
      [0, 1, 2],
      [0, 1, 2, 3],
    ]) {
      const whole = signers.length >= 3;
      const committed = certificate(network, commit, signers);
      expect(admits(network, 1, 2, { kind: 'committed', commit: committed, batch })).toBe(whole);
      const stable = certificate(network, checkpoint(4), signers);
      expect(
        admits(network, 1, 2, {
          kind: 'stable-checkpoint',
          configuration: null,
          checkpoint: stable,
        }),
      ).toBe(whole);
    }
    const three = [0, 1, 2];
    network.inject(2, 1, { kind: 'committed', commit: certificate(network, commit, three), batch });
    const again = {
      kind: 'committed',
      commit: certificate(network, commit, three),
      batch,
    } as const;
    expect(admits(network, 1, 2, again)).toBe(false);
    const stable = certificate(network, checkpoint(4), three);
    network.inject(2, 1, { kind: 'stable-checkpoint', configuration: null, checkpoint: stable });
    expect(
      admits(network, 1, 2, { kind: 'stable-checkpoint', configuration: null, checkpoint: stable }),
    ).toBe(false);
    for (const message of [prePrepare(4, batch), vote('commit', 4, digest), checkpoint(4)] as const)
      expect(admits(network, 1, 0, message)).toBe(false);
    for (const message of [prePrepare(5, batch), vote('commit', 5, digest), checkpoint(8)] as const)
      expect(admits(network, 1, 0, message)).toBe(true);
  });

  it('passes a second pre-prepare if it is another one: that is a proof', () => {
    const network = met();
    network.inject(0, 1, prePrepare(1, batch));
    expect(admits(network, 1, 0, prePrepare(1, batchOf(2)))).toBe(true);
    expect(admits(network, 1, 2, vote('prepare', 1, digest))).toBe(true);
    network.inject(2, 1, vote('prepare', 1, digest));
    expect(admits(network, 1, 2, vote('prepare', 1, strange('a')))).toBe(true);
  });

  it('passes a relay with something new to the primary', () => {
    const network = met();
    network.input(0, { type: 'propose', command: requestOf(1, 1) });
    const relay = (requests: typeof batch): Message => ({ kind: 'relay', requests });
    expect(admits(network, 0, 2, relay(batch))).toBe(false);
    expect(admits(network, 0, 2, relay([...batch, ...batchOf(2)]))).toBe(true);
    network.deliver();
    expect(admits(network, 0, 2, relay(batch))).toBe(false);
  });
});

describe('messages', () => {
  it('come back from their bytes, each kind of them', () => {
    const network = make();
    const { messages } = pbft({ n: 4, digest: testDigest });
    for (const message of oneOfEach(network, 1))
      expect(decode(messages, encode(messages, message))).toEqual(message);
  });
});
