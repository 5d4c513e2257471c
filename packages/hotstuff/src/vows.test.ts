/** What signing a message promises, what breaks that, and what a host is told. */
import { decode, encode } from '@quorumlab/core';
import { testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import {
  batchOf,
  certificate,
  checkpoint,
  hashOf,
  newView,
  on,
  oneOfEach,
  proposal,
  strange,
  timeouts,
  vote,
} from '../test/messages.ts';
import { Network } from '../test/network.ts';
import { hotstuff } from './index.ts';
import type { Link, Message, Proposal } from './messages.ts';

const make = () => hotstuff({ n: 4, digest: testDigest, reign: 4 });
const protocol = make();
const network = new Network(protocol);
const vowsOf = (message: Message) => [...(protocol.vows?.(message) ?? [])];
const lie = (message: Message, fork = 0, known = batchOf(7)): Message =>
  protocol.conflict?.(message, fork, known) ?? message;
const first = on(network, null, 1, [...batchOf(1), ...batchOf(2)]);
const timeout = (view: number, highView: number) =>
  ({ kind: 'timeout', set: 1, view, highView }) as const;

describe('a vow', () => {
  it.each<[Message, string, string]>([
    [proposal(first), 'proposal/1', hashOf(first.block)],
    [vote(3, strange('a'), 2), 'vote/3', strange('a')],
    [timeout(7, 5), 'timeout/7', '5'],
    [checkpoint(8), 'checkpoint/8', `${strange('b')} ${strange('c')}`],
  ])('of %o is about its place', (message, about, what) => {
    expect(vowsOf(message)).toEqual([[about, what]]);
    for (let fork = 0; fork < 4; fork++) {
      const [[same, other] = []] = vowsOf(lie(message, fork));
      expect([same, other === what]).toEqual([about, false]);
    }
  });

  it('of a timeout denies the highest certificate, or claims one, and stays possible', () => {
    expect([timeout(7, 5), timeout(7, 0), timeout(1, 0)].map((each) => lie(each))).toEqual([
      timeout(7, 4),
      timeout(7, 1),
      timeout(1, 0),
    ]);
  });

  it('of a vote or a checkpoint is broken in fifteen ways', () => {
    for (const message of [vote(3, strange('f'), 2), checkpoint(8)]) {
      const forks = Array.from({ length: 15 }, (_, fork) => vowsOf(lie(message, fork)).join());
      expect(new Set([...forks, vowsOf(message).join()]).size).toBe(16);
    }
  });

  it('of a block is broken by another block in the same place', () => {
    const lies = [0, 1, 2, 3].map((fork) => (lie(proposal(first), fork) as Proposal).block.batch);
    expect(lies).toEqual([
      batchOf(7),
      [...first.block.batch].reverse(),
      first.block.batch.slice(1),
      [],
    ]);
    const one: Link = { ...first, block: { ...first.block, batch: batchOf(1) } };
    expect((lie(proposal(one), 0, batchOf(1)) as Proposal).block.batch).toEqual([]);
    const none: Link = { ...first, block: { ...first.block, batch: [] } };
    expect((lie(proposal(none)) as Proposal).block.batch).toEqual(batchOf(7));
    const same = proposal(none);
    expect(lie(same, 0, [])).toBe(same);
  });

  it('is made by no message that only hands on what others said', () => {
    const silent = oneOfEach(network).filter((each) => vowsOf(each).length === 0);
    for (const message of silent) expect(lie(message)).toBe(message);
    expect(silent).toHaveLength(7);
  });
});

describe('a message', () => {
  it('comes back from its bytes, each kind of them', () => {
    const { messages } = make();
    for (const message of oneOfEach(network))
      expect(decode(messages, encode(messages, message))).toEqual(message);
  });

  it('gives the host all that is signed inside it', () => {
    const evidence = (message: Message) => [...(protocol.evidence?.(message) ?? [])];
    const second = on(network, first, 2);
    const tc = timeouts(network, 3);
    const stable = certificate(network, checkpoint(4));
    expect(evidence(proposal(first))).toEqual(first.block.batch);
    expect(evidence(proposal(second, tc))).toEqual([second.justify, ...second.block.batch, ...tc]);
    expect(evidence(newView(null))).toEqual([]);
    expect(evidence(newView(second.justify, tc))).toEqual([second.justify, ...tc]);
    expect(evidence({ kind: 'relay', requests: batchOf(3) })).toEqual(batchOf(3));
    expect(evidence({ kind: 'stable-checkpoint', checkpoint: stable })).toEqual([stable]);
    expect(evidence({ kind: 'blocks', blocks: [second, first] })).toEqual([
      second.justify,
      ...second.block.batch,
      ...first.block.batch,
    ]);
    for (const message of oneOfEach(network))
      if (['vote', 'timeout', 'checkpoint', 'status', 'fetch-blocks'].includes(message.kind))
        expect(evidence(message)).toEqual([]);
  });
});

describe('a group', () => {
  it('tells hosts what it survives, how clients ask, and what limits it', () => {
    const made = hotstuff({ n: 7, digest: testDigest, checkpointEvery: 8, window: 20 });
    expect([0, 1, 2].map(made.claims.replicas)).toEqual([1, 4, 7]);
    expect(made.claims).toMatchObject({ faults: 'byzantine', order: 'total' });
    expect(made.client).toEqual({ matching: 3, ask: 'any', signed: true });
    expect([made.f, made.snapshotEvery, made.snapshotsKept]).toEqual([2, 8, 6]);
    const kinds = ['proposal', 'relay', 'blocks', 'epoch-change'];
    expect(made.limitedBy).toEqual(Object.fromEntries(kinds.map((kind) => [kind, 'maxBatch'])));
  });

  it.each([
    [{ n: 4, f: -1 }, 'f is -1; use an integer of 0 or more'],
    [{ n: 4, reign: 3 }, 'a reign of 3 views is too short to commit in; use 4 or more'],
    [{ n: 4, checkpointEvery: 8, window: 11 }, 'make window at least 12'],
    [{ n: 4, requestTimeout: 99, delta: 50 }, 'make requestTimeout at least twice delta'],
    [{ n: 3, f: 1 }, 'Use n = 4 or more'],
    [{ n: 7, f: 2, rules: 'chained', leaders: 'round-robin' } as const, 'n = 9 or more'],
  ])('that cannot be is refused with what to do: %o', (options, why) => {
    expect(() => hotstuff({ digest: testDigest, ...options })).toThrow(why);
  });

  it('may be as small as is allowed', () => {
    for (const options of [
      { reign: 4 },
      { checkpointEvery: 8, window: 12 },
      { requestTimeout: 100, delta: 50 },
      { f: 0, rules: 'chained', leaders: 'round-robin' } as const,
      { quorum: 3 },
      { reign: 3, unsafe: true },
      { n: 3, f: 1, unsafe: true },
      { n: 1, leaders: 'round-robin', rules: 'chained' } as const,
    ])
      expect(hotstuff({ n: 4, digest: testDigest, ...options }).name).toBe('hotstuff');
  });

  it('survives as many as it can, and lets a leader wait an eighth of the timeout', () => {
    const faults = [1, 2, 3, 4, 5, 6, 7].map((n) => hotstuff({ n, digest: testDigest }).f);
    expect(faults).toEqual([0, 0, 0, 1, 1, 1, 2]);
    const some = new Network(hotstuff({ n: 4, digest: testDigest, reign: 4, rules: 'hotstuff-2' }));
    const { timers } = some.wouldAnswer(0, 1, newView(null, timeouts(some, 3)));
    expect(timers).toContainEqual({ type: 'set', timer: 'propose', after: 125_000 });
  });

  it('shows who leads, and who has left the view', () => {
    const some = new Network(make());
    const told = (self: number) => some.seat(self).machine.status();
    expect([0, 1].map(told)).toEqual([
      { leader: 0, term: 1, role: 'leader' },
      { leader: 0, term: 1, role: 'replica' },
    ]);
    for (const from of [0, 3]) some.inject(from, 1, timeout(3, 0));
    expect(told(1)).toEqual({ leader: 0, term: 1, role: 'view change' });
    expect(told(0).role).toBe('leader');
  });
});
