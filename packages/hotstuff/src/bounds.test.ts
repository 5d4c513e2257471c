/** Bad input: named errors, or dropped and counted before anything changes. */
import {
  decode,
  encode,
  maxWaitingOfClient,
  OptionsError,
  SchemaError,
  seal,
} from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { genesisHash } from './blocks.ts';
import {
  hotstuff,
  type HotStuffMessage as Message,
  type QuorumCertificate,
  type Timeout,
  type Vote,
} from './index.ts';

const group = (more: object = {}) => hotstuff({ n: 4, digest: testDigest, ...more });
const request = requestOf(0, 0);

describe('groups that cannot work are refused', () => {
  it.each([
    ['too few replicas', { n: 3, f: 1 }],
    ['no replicas', { n: 0 }],
    ['a fraction of a view', { reign: 4.5 }],
    ['a reign too short to commit in', { reign: 3 }],
    ['three-chains with rotating leaders at n = 4', { rules: 'chained', leaders: 'round-robin' }],
    ['a window that ends before the checkpoint', { checkpointEvery: 10, window: 10 }],
    ['a wait that outlasts the timeout', { requestTimeout: 1000, delta: 600 }],
    ['quorums that share only a liar', { quorum: 2 }],
    ['quorums that a silent replica prevents', { quorum: 4 }],
    ['quorums of more than all', { quorum: 5, unsafe: true }],
    ['rules that do not exist', { rules: 'simple' }],
  ])('%s', (_, options) => {
    expect(() => group(options)).toThrow(OptionsError);
  });

  it('rotating leaders are fine where enough of them are alive in a row', () => {
    expect(group({ leaders: 'round-robin' }).f).toBe(1);
    expect(group({ n: 5, f: 1, rules: 'chained', leaders: 'round-robin' }).f).toBe(1);
  });
});

describe('a full window', () => {
  it('that waits for a slow checkpoint does not count against the leader', () => {
    const network = new Network(group({ checkpointEvery: 4, window: 8, maxBatch: 1 }));
    const requests = Array.from({ length: 12 }, (_, i) => requestOf(0, i));
    for (const self of network.protocol.members)
      for (const command of requests) network.input(self, { type: 'propose', command });
    const slow = ({ message }: { readonly message: Message }): boolean =>
      message.kind !== 'checkpoint' && message.kind !== 'stable-checkpoint';
    network.deliver(slow);
    // Ten times the request timeout.
    for (const until = network.now + 10_000_000; network.tick(until); ) network.deliver(slow);
    expect(network.executed.size).toBe(8);
    network.run(900_000, () => network.executed.size === requests.length);
    expect(network.executed.size).toBe(requests.length);
    expect(network.sent.has('timeout')).toBe(false);
    // Once there is room again, silence counts.
    network.stop(0);
    for (const self of [1, 2, 3])
      network.input(self, { type: 'propose', command: requestOf(0, 12) });
    network.run(5_000_000, () => network.executed.size === requests.length + 1);
    expect(network.sent.has('timeout')).toBe(true);
    expect(network.executed.size).toBe(requests.length + 1);
  });
});

it('blocks with little room between checkpoints are followed by empty ones', () => {
  const network = new Network(
    group({ checkpointEvery: 4, window: 8, maxBatch: 1, windowBytes: 400 }),
  );
  for (let i = 0; i < 9; i++) network.input(0, { type: 'propose', command: requestOf(i, 0) });
  network.run(900_000, () => network.executed.size === 9);
  expect(network.executed.size).toBe(9);
  const sizes = [0, 1, 2, 3, 4, 5, 6, 7].map((at) => network.seat(3).decisions.get(at)?.length);
  expect(sizes).toEqual([1, 1, 0, 0, 1, 1, 0, 0]);
});

it('a flood keeps nobody waiting', () => {
  const network = new Network(group({ maxBatch: 8 }));
  for (let i = 0; i < 8 * maxWaitingOfClient; i += 8) {
    const requests = Array.from({ length: 8 }, (_, at) => requestOf(1, i + at));
    network.post(3, 0, { kind: 'relay', requests });
  }
  network.deliver(({ message }) => message.kind === 'relay');
  network.input(0, { type: 'propose', command: request });
  const { height } = network.state(0).committed;
  network.deliver();
  const first = [1, 2, 3].flatMap((each) => network.seat(1).decisions.get(height + each - 1) ?? []);
  expect(first).toContainEqual(request);
  expect(network.executed.size).toBe(maxWaitingOfClient + 1);
});

/** A network in which view 1 is certified, and that certificate. */
function certifiedOnce() {
  const network = new Network(group());
  network.input(0, { type: 'propose', command: request });
  network.deliver(({ message }) => message.kind !== 'proposal' || message.block.view < 2);
  const found = network.flights.find(({ message }) => message.kind === 'proposal');
  const message = found?.message as { readonly justify: QuorumCertificate };
  network.drop();
  return { network, justify: message.justify };
}

describe('certificates', () => {
  const { justify } = certifiedOnce();
  const { body, seals } = justify;
  const one = seals[0] as (typeof seals)[number];
  const wrong: readonly (readonly [string, QuorumCertificate])[] = [
    ['one signature short', { body, seals: seals.slice(1) }],
    ['none', { body, seals: [] }],
    ['a signer three times', { body, seals: [one, one, one] }],
    ['an unknown signer', { body, seals: [...seals.slice(1), { ...one, from: 4 }] }],
    ['a client', { body, seals: [...seals.slice(1), { ...one, from: 65_536 }] }],
  ];

  it.each(wrong)('%s: nothing changes', (_, bad) => {
    const { network } = certifiedOnce();
    const before = JSON.stringify([...Object.entries(network.state(2))]);
    const message = { kind: 'new-view', justify: bad, timeouts: null } as const;
    network.input(2, { type: 'message', message: seal(message, 1, one.signature) });
    const block = { set: 1, view: 2, height: 2, parent: body.block, batch: [] };
    const proposal = { kind: 'proposal', block, justify: bad, timeouts: null } as const;
    network.input(2, { type: 'message', message: seal(proposal, 0, one.signature) });
    expect(JSON.stringify([...Object.entries(network.state(2))])).toBe(before);
  });

  it('the right one moves a replica on', () => {
    const { network } = certifiedOnce();
    const message = { kind: 'new-view', justify, timeouts: null } as const;
    network.input(2, { type: 'message', message: seal(message, 1, one.signature) });
    expect(network.state(2).view).toBe(2);
  });

  it('no encoding has a signer twice, out of order, or beyond the group', () => {
    const { messages } = group();
    for (const [, bad] of wrong.slice(2))
      expect(() => encode(messages, { kind: 'new-view', justify: bad, timeouts: null })).toThrow(
        SchemaError,
      );
    const bytes = encode(messages, { kind: 'new-view', justify, timeouts: null });
    // The bitmap of four members is one byte: a fifth member, and a bitmap cut off.
    const at = bytes.length - 1 - seals.length * ((one.signature as Uint8Array).length + 1) - 1;
    const fifth = Uint8Array.from(bytes);
    fifth[at] = (fifth[at] as number) | 16;
    expect(() => decode(messages, fifth)).toThrow(SchemaError);
    expect(() => decode(messages, bytes.slice(0, at))).toThrow(SchemaError);
  });
});

describe('memory', () => {
  it('a million votes and timeouts for views to come leave nothing', () => {
    const network = new Network(group({ reign: 4 }));
    const { signature } = requestOf(0, 0);
    const { machine } = network.seat(0);
    const clock = { earliest: 0, latest: 0 };
    const receive = (message: Vote | Timeout): void => {
      const event = { type: 'message', message: seal<Message>(message, 3, signature) } as const;
      machine.step({ now: 0, clock, event });
    };
    for (let view = 1; view <= 1_000_000; view++) {
      receive({ kind: 'vote', set: 1, view, block: genesisHash, justifyView: 0 });
      if (view % 4 === 3) receive({ kind: 'timeout', set: 1, view, highView: 0 });
    }
    const { votes, timeoutVotes, dropped, tree, waiting } = network.state(0);
    expect(votes.size).toBeLessThanOrEqual(11);
    expect(timeoutVotes.size).toBeLessThanOrEqual(1);
    expect(tree.size + waiting.size).toBe(1);
    // Votes go to the leader of the next view, so three quarters were never for replica 0.
    expect(dropped).toBeGreaterThan(200_000);
  });

  it('votes for all the views that timeouts have ended leave nothing', () => {
    const reign = 4;
    const network = new Network(group({ reign }));
    const { signature } = requestOf(0, 0);
    const { machine } = network.seat(0);
    const clock = { earliest: 0, latest: 0 };
    const receive = (message: Message): void => {
      const event = { type: 'message', message: seal<Message>(message, 3, signature) } as const;
      machine.step({ now: 0, clock, event });
    };
    // Replica 0 leads one reign in four; each time it does, the liar votes for all views so far.
    for (let view = 4 * reign; view <= 400 * reign; view += 4 * reign) {
      const failed: Timeout = { kind: 'timeout', set: 1, view: view - 1, highView: 0 };
      const timeouts = [1, 2, 3].map((from) => seal<Timeout>(failed, from, signature));
      receive({ kind: 'new-view', justify: null, timeouts });
      expect(network.state(0).view).toBe(view);
      for (let each = 1; each <= view + reign; each++)
        receive({ kind: 'vote', set: 1, view: each, block: genesisHash, justifyView: 0 });
    }
    expect(network.state(0).votes.size).toBeLessThanOrEqual(21);
  });
});
