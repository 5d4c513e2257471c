/** What is asked before signatures are checked: what could come to something passes, once. */
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { make } from '../test/group.ts';
import {
  batchOf,
  certificate,
  certified,
  chainOf,
  checkpoint,
  hashOf,
  newView,
  on,
  proposal,
  status,
  strange,
  timeouts,
  vote,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import type { Link, Message } from './messages.ts';

const half = 250_000;
const timeout = (view: number, highView = 0) =>
  ({ kind: 'timeout', set: 1, view, highView }) as const;
const unsigned = [{ ...requestOf(1, 1), from: 2 }];

/** Whether `to` would look at the signatures of what `from` says. */
const passes = (network: Network, to: number, from: number, message: Message) =>
  network.seat(to).machine.admits?.(network.sign(message, from), network.now);

describe('a word', () => {
  it('passes whatever it says if it is the first of its member after a restart', () => {
    const network = make();
    network.inject(0, 2, proposal(on(network, null, 1)));
    network.stop(2);
    network.restart(2);
    const junk = checkpoint(5);
    expect([0, 1].map((from) => passes(network, 2, from, junk))).toEqual([true, true]);
    network.inject(0, 2, junk);
    expect([0, 1].map((from) => passes(network, 2, from, junk))).toEqual([false, true]);
  });

  it('of a replica to itself passes only where that is how it votes', () => {
    const network = make();
    for (const message of [
      status(),
      { kind: 'fetch-blocks', block: strange('a'), above: 0 },
    ] as const)
      expect(passes(network, 2, 2, message)).toBe(false);
    expect(passes(network, 2, 2, timeout(3))).toBe(true);
  });
});

describe('a proposal passes', () => {
  it('if it is of the leader of its view, with what proves that, and signed by clients', () => {
    const network = make();
    const [first, second] = chainOf(network, 1, 2) as [Link, Link];
    expect(passes(network, 2, 0, proposal(first))).toBe(true);
    expect(passes(network, 2, 0, proposal(second))).toBe(true);
    expect(passes(network, 2, 1, proposal(on(network, null, 4), timeouts(network, 3)))).toBe(true);
    for (const [from, message] of [
      [1, proposal(first)],
      [0, proposal(on(network, null, 2))],
      [0, proposal({ ...second, justify: certified(network, first, [0, 1]) })],
      [0, proposal({ ...second, justify: null })],
      [0, proposal(on(network, null, 1, unsigned))],
      [1, proposal(on(network, null, 4), timeouts(network, 7))],
    ] as const)
      expect(passes(network, 2, from, message)).toBe(false);
  });

  it('above what is committed', () => {
    const network = make();
    const links = chainOf(network, 1, 2, 3);
    for (const link of links) network.inject(0, 2, proposal(link));
    expect(network.state(2).committed.view).toBe(1);
    expect(links.map((link) => passes(network, 2, 0, proposal(link)))).toEqual([false, true, true]);
  });
});

describe('a vote passes', () => {
  it('once, to the leader of the next view, near it and above what is certified', () => {
    const network = make();
    const first = on(network, null, 1);
    const hash = hashOf(first.block);
    expect(passes(network, 0, 2, vote(1, hash, 0))).toBe(true);
    expect(passes(network, 1, 2, vote(1, hash, 0))).toBe(false);
    expect(passes(network, 1, 2, vote(3, hash, 0))).toBe(true);
    expect(passes(network, 0, 2, vote(1, hash, 1))).toBe(false);
    expect(passes(network, 2, 1, vote(11, hash, 0))).toBe(false);
    expect([7, 8, 9, 10].map((view) => passes(network, 2, 1, vote(view, hash, 0)))).toEqual(
      Array(4).fill(true),
    );
    expect(passes(network, 3, 1, vote(11, hash, 0))).toBe(true);
    expect(passes(network, 3, 1, vote(12, hash, 0))).toBe(false);
    network.inject(2, 0, vote(1, hash, 0));
    expect(passes(network, 0, 2, vote(1, hash, 0))).toBe(false);
    // Another one is proof against its signer.
    expect(passes(network, 0, 2, vote(1, strange('a'), 0))).toBe(true);
    network.inject(1, 0, newView(certified(network, first)));
    expect(passes(network, 0, 3, vote(1, hash, 0))).toBe(false);
    expect(passes(network, 0, 3, vote(2, hash, 1))).toBe(true);
  });
});

describe('a timeout passes', () => {
  it('if it ends a reign, not too far ahead, and its sender has not said as much', () => {
    const network = make();
    const ask = (message: Message) => passes(network, 2, 3, message);
    expect([timeout(3), timeout(43), timeout(47), timeout(2), timeout(3, 3)].map(ask)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    network.inject(3, 2, timeout(7));
    // It asks for help, and gets that once in half a period.
    expect([timeout(7), timeout(3), timeout(7, 1), timeout(11)].map(ask)).toEqual(
      Array(4).fill(true),
    );
    network.inject(3, 2, status());
    expect([timeout(7), timeout(3), timeout(7, 1), timeout(11)].map(ask)).toEqual([
      false,
      false,
      true,
      true,
    ]);
    network.now += half - 1;
    expect(ask(timeout(7))).toBe(false);
    network.now += 1;
    expect(ask(timeout(7))).toBe(true);
  });

  it('for a view that is over, only as a question', () => {
    const network = make();
    network.inject(0, 2, newView(null, timeouts(network, 7)));
    expect(passes(network, 2, 3, timeout(3))).toBe(true);
    network.inject(3, 2, timeout(3));
    expect(
      [timeout(3), timeout(3, 1), timeout(7)].map((each) => passes(network, 2, 3, each)),
    ).toEqual([false, false, false]);
    expect(passes(network, 2, 3, timeout(11))).toBe(true);
  });
});

describe('a certificate passes', () => {
  it('if it is whole, and higher than what is known', () => {
    const network = make();
    const [first, second] = chainOf(network, 1, 2) as [Link, Link];
    const ask = (message: Message) => passes(network, 2, 3, message);
    expect(ask(newView(certified(network, first)))).toBe(true);
    expect(ask(newView(certified(network, first, [0, 1])))).toBe(false);
    expect(ask(newView(null))).toBe(false);
    expect(ask(newView(null, timeouts(network, 3)))).toBe(true);
    expect(ask(newView(null, timeouts(network, 3, { 0: 0, 1: 0 })))).toBe(false);
    expect(ask(newView(certified(network, first, [0, 1]), timeouts(network, 3)))).toBe(false);
    network.inject(3, 2, newView(certified(network, first)));
    expect(ask(newView(certified(network, first)))).toBe(false);
    expect(ask(newView(certified(network, first), timeouts(network, 3)))).toBe(true);
    expect(ask(newView(certified(network, second)))).toBe(true);
    network.inject(3, 2, newView(null, timeouts(network, 3)));
    expect(ask(newView(null, timeouts(network, 3)))).toBe(false);
    expect(ask(newView(certified(network, first), timeouts(network, 3)))).toBe(false);
    expect(ask(newView(null, timeouts(network, 7)))).toBe(true);
    expect(ask(newView(certified(network, second), timeouts(network, 3)))).toBe(true);
  });

  it('of a checkpoint if f+1 have signed it, and words for it one by one', () => {
    const network = make();
    const whole = (height: number, signers: readonly number[]): Message => ({
      kind: 'stable-checkpoint',
      checkpoint: certificate(network, checkpoint(height), signers),
    });
    const ask = (message: Message) => passes(network, 2, 3, message);
    expect([whole(8, [0, 1]), whole(8, [0]), whole(5, [0, 1])].map(ask)).toEqual([
      true,
      false,
      false,
    ]);
    const other = checkpoint(8, { state: strange('d') });
    const moved = checkpoint(8, { block: strange('d') });
    expect([checkpoint(8), checkpoint(5), checkpoint(0)].map(ask)).toEqual([true, false, false]);
    network.inject(3, 2, checkpoint(8));
    expect([checkpoint(8), other, moved, checkpoint(12)].map(ask)).toEqual([
      false,
      true,
      true,
      true,
    ]);
    network.inject(3, 2, whole(8, [0, 1]));
    expect([whole(8, [0, 1]), checkpoint(8), checkpoint(4), checkpoint(12)].map(ask)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });
});

describe('a question, or its answer, passes', () => {
  it('as often as it is answered', () => {
    const network = make();
    network.inject(0, 2, proposal(on(network, null, 1)));
    const fetch = { kind: 'fetch-blocks', block: strange('a'), above: 0 } as const;
    expect(passes(network, 2, 3, status())).toBe(true);
    network.inject(3, 2, status());
    expect(passes(network, 2, 3, status())).toBe(false);
    expect(passes(network, 2, 1, status())).toBe(true);
    network.now += half;
    expect(passes(network, 2, 3, status())).toBe(true);
    // The window of this group is two checkpoints and eight blocks.
    for (let i = 0; i < 16; i++) {
      expect(passes(network, 2, 3, fetch)).toBe(true);
      network.inject(3, 2, fetch);
    }
    expect([1, 3].map((from) => passes(network, 2, from, fetch))).toEqual([true, false]);
  });

  it('if blocks are wanted, and the first is one of them with its certificate', () => {
    const network = make();
    const [first, second] = chainOf(network, 1, 2) as [Link, Link];
    const ask = (...blocks: readonly Link[]) => passes(network, 2, 3, { kind: 'blocks', blocks });
    expect(ask(second)).toBe(false);
    network.inject(3, 2, newView(certified(network, second)));
    expect(ask(second)).toBe(true);
    expect(ask(second, first)).toBe(true);
    expect(ask(first)).toBe(false);
    expect(ask()).toBe(false);
    expect(ask({ ...second, justify: certified(network, first, [0, 1]) })).toBe(false);
    const other = make();
    const bad = on(other, null, 1, unsigned);
    other.inject(3, 2, newView(certified(other, bad)));
    expect(passes(other, 2, 3, { kind: 'blocks', blocks: [bad] })).toBe(false);
  });

  it('if a relay has something new that its client has signed', () => {
    const network = make();
    const relay = (requests: typeof unsigned): Message => ({ kind: 'relay', requests });
    expect(passes(network, 2, 3, relay([...batchOf(1)]))).toBe(true);
    expect(passes(network, 2, 3, relay(unsigned))).toBe(false);
    network.inject(3, 2, relay([...batchOf(1)]));
    expect(passes(network, 2, 3, relay([...batchOf(1)]))).toBe(false);
    expect(passes(network, 2, 3, relay([...batchOf(1), ...batchOf(2)]))).toBe(true);
  });
});
