/** What signing a message promises, what breaks that, and what a host checks inside a message. */
import { OptionsError } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import {
  batchOf,
  certificate,
  checkpoint,
  claim,
  digestOf,
  newView,
  oneOfEach,
  prePrepare,
  strange,
  viewChange,
  vote,
} from '../test/messages.ts';
import { Network } from '../test/network.ts';
import { pbft } from './index.ts';
import type { Message, NewView, PrePrepare } from './messages.ts';

const protocol = pbft({ n: 4, digest: testDigest });
const network = new Network(protocol);
const vowsOf = (message: Message) => [...(protocol.vows?.(message) ?? [])];
const lie = (message: Message, fork = 0, known = batchOf(7)): Message =>
  protocol.conflict?.(message, fork, known) ?? message;
const broken = (message: Message, other: Message): boolean => {
  const said = new Map(vowsOf(message));
  return vowsOf(other).some(([about, what]) => said.has(about) && said.get(about) !== what);
};
const digest = digestOf(batchOf(1));

describe('a vow', () => {
  const report = viewChange(2, {
    checkpoint: { sequence: 128, digest: strange('c') },
    prepared: [claim(129, digest, 1)],
  });
  const view = newView(network, 3, { orders: [{ sequence: 5, digest }] });

  it.each<[Message, readonly (readonly [string, string])[]]>([
    [prePrepare(3, batchOf(1), 2), [['pre-prepare/2/3', digest]]],
    [vote('prepare', 3, digest, 2), [['prepare/2/3', digest]]],
    [vote('commit', 3, digest, 2), [['commit/2/3', digest]]],
    [checkpoint(4), [['checkpoint/4', strange('c')]]],
    [viewChange(2), [['view-change/2', '0']]],
    [report, [['view-change/2', `128:${strange('c')} 129:1:${digest}`]]],
    [
      view,
      [
        ['new-view/3', '1,2,3'],
        ['pre-prepare/3/5', digest],
      ],
    ],
  ])('of %o is about its place', (message, vows) => {
    expect(vowsOf(message)).toEqual(vows);
  });

  it.each<Message>([
    prePrepare(3, batchOf(1), 2),
    prePrepare(3, [...batchOf(1), ...batchOf(2)]),
    prePrepare(3, []),
    vote('prepare', 3, digest, 2),
    vote('commit', 3, strange('f'), 2),
    checkpoint(4),
    viewChange(2),
    viewChange(2, { checkpoint: { sequence: 128, digest } }),
    report,
    view,
    newView(network, 3, {
      orders: [
        { sequence: 1, digest },
        { sequence: 2, digest },
      ],
    }),
  ])('is broken in each of several ways, that of %o', (message) => {
    for (let fork = 0; fork < 4; fork++) expect(broken(message, lie(message, fork))).toBe(true);
    const { kind } = message;
    if (kind === 'prepare' || kind === 'commit' || kind === 'checkpoint')
      expect(new Set([0, 1, 2, 14].map((fork) => vowsOf(lie(message, fork)).join())).size).toBe(4);
  });

  it('of a new view that orders nothing is broken by ordering something', () => {
    const orders = (fork: number) => (lie(newView(network, 3), fork) as NewView).orders;
    expect(orders(0)).toMatchObject([{ sequence: 1 }]);
    expect(orders(1)).not.toEqual(orders(0));
  });

  it('is made by no message that only hands on what others said', () => {
    for (const message of oneOfEach(network, 1)) {
      if (vowsOf(message).length > 0) continue;
      expect(lie(message)).toBe(message);
    }
    expect(oneOfEach(network, 1).filter((each) => vowsOf(each).length > 0)).toHaveLength(6);
  });

  it('of a batch is broken by another batch with its right digest', () => {
    const message = prePrepare(3, [...batchOf(1), ...batchOf(2)]);
    const lies = [0, 1, 2, 3].map((fork) => lie(message, fork) as PrePrepare);
    for (const each of lies) expect(each.digest).toBe(digestOf(each.batch));
    expect(new Set(lies.map((each) => each.digest)).size).toBe(4);
    expect(lies.map(({ batch }) => batch.length)).toEqual([1, 2, 1, 0]);
    // Without anything to digest with, the digest alone is another one.
    const blind = pbft({ n: 4 }).conflict?.(message, 0, batchOf(7)) as PrePrepare;
    expect([blind.batch, blind.digest === message.digest]).toEqual([message.batch, false]);
    // A request that stands in the batch is no other one.
    const same = lie(prePrepare(3, batchOf(1)), 0, batchOf(1)) as PrePrepare;
    expect(same.batch).toEqual([]);
    expect((lie(prePrepare(3, []), 0, batchOf(7)) as PrePrepare).batch).toEqual(batchOf(7));
    expect((lie(prePrepare(3, []), 0, []) as PrePrepare).digest).not.toBe(digestOf([]));
  });
});

describe('what is signed inside a message', () => {
  it.each(oneOfEach(network, 1).map((message) => [message.kind, message] as const))(
    'is given to the host to check, all of it: %s',
    (kind, message) => {
      const inside = [...(protocol.evidence?.(message) ?? [])];
      const parts = Object.values(message).flat() as unknown[];
      const isSigned = (part: unknown): boolean =>
        typeof part === 'object' && part !== null && ('signature' in part || 'seals' in part);
      expect(inside).toEqual(expect.arrayContaining(parts.filter(isSigned)));
      expect(inside).toHaveLength(parts.filter(isSigned).length);
      expect(inside.length > 0).toBe(
        [
          'pre-prepare',
          'new-view',
          'relay',
          'committed',
          'stable-checkpoint',
          'batch',
          'proofs',
        ].includes(kind),
      );
    },
  );

  it('counts the proof of a checkpoint in a new view as well', () => {
    const proof = certificate(network, checkpoint(4));
    const message = newView(network, 1, { checkpoint: proof });
    expect(protocol.evidence?.(message)).toEqual([proof, ...message.viewChanges]);
  });
});

describe('a group', () => {
  it.each([
    [{ n: 4, f: -1 }, 'f is -1; use an integer of 0 or more'],
    [{ n: 4, f: 0.5 }, 'f is 0.5'],
    [{ n: 0 }, 'n is 0; use an integer of 1 or more'],
    [{ n: 4, maxBatch: 0 }, 'maxBatch is 0'],
    [
      { n: 4, checkpointEvery: 8, window: 7 },
      'a log of 7 batches is full before the checkpoint at 8',
    ],
    [{ n: 3, f: 1 }, 'PBFT needs 3f+1 replicas: 3 cannot survive 1 that lie'],
  ])('that cannot be is refused: %o', (options, why) => {
    expect(() => pbft(options)).toThrow(OptionsError);
    expect(() => pbft(options)).toThrow(why);
  });

  it('tells hosts what it survives, how clients ask, and what limits it', () => {
    const made = pbft({ n: 7, checkpointEvery: 8, window: 24 });
    expect([0, 1, 2].map(made.claims.replicas)).toEqual([1, 4, 7]);
    expect(made.claims).toMatchObject({ faults: 'byzantine', order: 'total' });
    expect(made.client).toEqual({ matching: 3, ask: 'any', signed: true });
    expect([made.f, made.snapshotEvery, made.snapshotsKept]).toEqual([2, 8, 4]);
    expect(Object.entries(made.limitedBy ?? {}).sort()).toEqual([
      ...['batch', 'committed'].map((kind) => [kind, 'maxBatch']),
      ['new-view', 'window'],
      ...['pre-prepare', 'relay'].map((kind) => [kind, 'maxBatch']),
      ['view-change', 'window'],
    ]);
    expect(pbft({ n: 4, checkpointEvery: 8, window: 8 }).snapshotsKept).toBe(2);
    expect([1, 2, 3, 4, 6, 7].map((n) => pbft({ n }).f)).toEqual([0, 0, 0, 1, 1, 2]);
  });

  it('shows who leads, and who waits for another view', () => {
    const some = new Network(pbft({ n: 4, digest: testDigest }));
    const told = (self: number) => some.seat(self).machine.status();
    expect([0, 1].map(told)).toEqual([
      { leader: 0, term: 0, role: 'primary' },
      { leader: 0, term: 0, role: 'backup' },
    ]);
    for (const from of [2, 3]) some.inject(from, 1, viewChange(1));
    expect(told(1)).toEqual({ leader: 1, term: 1, role: 'view change' });
    some.input(0, { type: 'propose', command: requestOf(1, 1) });
    expect(told(0)).toEqual({ leader: 0, term: 0, role: 'primary' });
  });
});
