/** What is ordered, agreed and decided: section 4.2, each seen in what one step would do. */
import { type Output, type Request, type Signed, seal } from '@quorumlab/core';
import { requestOf, unsigned } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { make } from '../test/group.ts';
import {
  batchOf,
  certificate,
  digestOf,
  prePrepare,
  strange,
  viewChange,
  vote,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import type { Pbft } from './index.ts';
import type { Message } from './messages.ts';

const batch = batchOf(1);
const digest = digestOf(batch);
const kindsOf = ({ sends }: Output<Pbft>): string[] => sends.map(({ message }) => message.kind);

describe('a pre-prepare', () => {
  it('is logged and agreed to in one step, and starts the wait for it', () => {
    const network = make();
    const { writes, sends, timers } = network.wouldAnswer(0, 1, prePrepare(1, batch));
    expect(writes).toEqual([
      { type: 'put', table: 'prePrepares', index: 1, row: { view: 0, digest, batch } },
    ]);
    expect(sends).toEqual([{ to: 'all', message: vote('prepare', 1, digest) }]);
    expect(timers.map(({ timer }) => timer).sort()).toEqual(['request', 'status']);
  });

  it.each<[string, number, Message]>([
    ['not of the primary', 2, prePrepare(1, batch)],
    ['of another view', 0, prePrepare(1, batch, 4)],
    ['below the low watermark', 0, prePrepare(0, batch)],
    ['above the high watermark', 0, prePrepare(9, batch)],
    ['with another digest', 0, { ...prePrepare(1, batch), digest: strange('a') } as Message],
  ])('is not agreed to: %s', (_, from, message) => {
    const { writes, sends } = make().wouldAnswer(from, 1, message);
    expect([writes, sends]).toEqual([[], []]);
  });

  it('is agreed to up to the high watermark, and above the low one', () => {
    const network = make();
    for (const sequence of [1, 8])
      expect(kindsOf(network.wouldAnswer(0, 1, prePrepare(sequence, batch)))).toEqual(['prepare']);
  });

  it('that repeats the first is not answered again; another is a proof and ends the view', () => {
    const network = make();
    network.inject(0, 1, prePrepare(1, batch));
    const again = network.wouldAnswer(0, 1, prePrepare(1, batch));
    expect([again.writes, again.sends]).toEqual([[], []]);
    const other = network.wouldAnswer(0, 1, prePrepare(1, batchOf(2)));
    expect(other.accusations).toMatchObject([{ first: { digest }, second: { from: 0 } }]);
    expect(kindsOf(other)).toEqual(['view-change']);
  });

  it('is no news to the primary that made it', () => {
    const network = make();
    const { writes, sends } = network.wouldAnswer(0, 0, prePrepare(1, batch));
    expect([writes, sends]).toEqual([[], []]);
  });
});

describe('a batch is prepared', () => {
  const prepare = vote('prepare', 1, digest);

  it('by Prepares of a quorum less one of distinct backups, and commits to it with a proof', () => {
    const network = make();
    network.inject(0, 1, prePrepare(1, batch));
    network.inject(1, 1, prepare);
    const { writes, sends } = network.wouldAnswer(2, 1, prepare);
    const proof = certificate(network, prepare, [1, 2]);
    expect(writes).toEqual([{ type: 'put', table: 'prepared', index: 1, row: { proof, batch } }]);
    expect(sends).toEqual([{ to: 'all', message: vote('commit', 1, digest) }]);
    network.inject(2, 1, prepare);
    expect(network.wouldAnswer(3, 1, prepare).writes).toEqual([]);
  });

  it.each<[string, number, Message]>([
    ['the primary, whose vote is its pre-prepare', 0, prepare],
    ['the same backup', 1, prepare],
    ['one that agreed to another batch', 2, vote('prepare', 1, strange('a'))],
    ['one that agreed to another number', 2, vote('prepare', 2, digest)],
    ['one in another view', 2, vote('prepare', 1, digest, 4)],
    ['one that is committed to it', 2, vote('commit', 1, digest)],
  ])('but not by %s', (_, from, message) => {
    const network = make();
    network.inject(0, 1, prePrepare(1, batch));
    network.inject(1, 1, prepare);
    const { writes, sends } = network.wouldAnswer(from, 1, message);
    expect([writes, sends]).toEqual([[], []]);
  });

  it('also where the Prepares come first, and not without the batch', () => {
    const network = make();
    for (const from of [2, 3]) {
      expect(network.wouldAnswer(from, 1, prepare).writes).toEqual([]);
      network.inject(from, 1, prepare);
    }
    const { writes, sends } = network.wouldAnswer(0, 1, prePrepare(1, batch));
    expect(writes.map((each) => 'table' in each && each.table)).toEqual([
      'prePrepares',
      'prepared',
    ]);
    expect(sends.map(({ message }) => message.kind)).toEqual(['prepare', 'commit']);
    const other = make();
    for (const from of [2, 3]) other.inject(from, 1, prepare);
    expect(kindsOf(other.wouldAnswer(0, 1, prePrepare(1, batchOf(2))))).toEqual(['prepare']);
  });

  it('and two different votes of one backup are a proof against it', () => {
    const network = make();
    network.inject(2, 1, prepare);
    const { accusations } = network.wouldAnswer(2, 1, vote('prepare', 1, strange('a')));
    expect(accusations).toMatchObject([{ first: { digest }, second: { digest: strange('a') } }]);
    expect(network.wouldAnswer(2, 1, prepare).accusations).toEqual([]);
  });
});

describe('a batch is decided', () => {
  const commit = vote('commit', 1, digest);
  function agreed(...from: readonly number[]): Network {
    const network = make();
    network.inject(0, 1, prePrepare(1, batch));
    for (const each of from) network.inject(each, 1, commit);
    return network;
  }

  it('by Commits of a quorum, the primary one of them, with their certificate', () => {
    const network = agreed(0, 2);
    const { decisions } = network.wouldAnswer(3, 1, commit);
    const proof = certificate(network, commit, [0, 2, 3]);
    expect(decisions).toEqual([{ slot: 0, commands: batch, proof, voters: [0, 2, 3] }]);
  });

  it.each<[string, number, Message]>([
    ['the same member', 2, commit],
    ['one that is committed to another batch', 3, vote('commit', 1, strange('a'))],
    ['one that is committed to another number', 3, vote('commit', 2, digest)],
    ['one in another view', 3, vote('commit', 1, digest, 4)],
    ['one that is only prepared', 3, vote('prepare', 1, digest)],
  ])('but not by %s', (_, from, message) => {
    expect(agreed(0, 2).wouldAnswer(from, 1, message).decisions).toEqual([]);
  });

  it('once: what comes later is neither counted nor kept', () => {
    const network = agreed(0, 2, 3);
    expect(network.seat(1).applied).toBe(1);
    for (const from of [2, 3]) network.inject(from, 1, vote('prepare', 1, digest));
    const before = network.seat(1).machine.snapshot();
    expect(network.state(1).progress.size).toBe(0);
    for (const message of [commit, vote('prepare', 1, digest), prePrepare(1, batch)])
      for (const from of [0, 1, 2, 3]) network.inject(from, 1, message);
    expect(network.seat(1).machine.snapshot()).toEqual(before);
  });

  it('in the order of its number', () => {
    const network = make();
    const later = batchOf(2);
    network.inject(0, 1, prePrepare(2, later));
    for (const from of [0, 2, 3]) network.inject(from, 1, vote('commit', 2, digestOf(later)));
    network.inject(0, 1, prePrepare(1, batch));
    for (const from of [0, 2]) network.inject(from, 1, commit);
    expect(network.seat(1).applied).toBe(0);
    const { decisions } = network.wouldAnswer(3, 1, commit);
    expect(decisions.map(({ slot, commands }) => [slot, commands])).toEqual([
      [0, batch],
      [1, later],
    ]);
  });

  it('by the word of a quorum also where the primary left this one out: it asks them', () => {
    const network = make();
    for (const from of [0, 2]) network.inject(from, 1, commit);
    const { sends } = network.wouldAnswer(3, 1, commit);
    const asked = { kind: 'fetch-batch', sequence: 1, digest };
    expect(sends).toEqual([0, 2, 3].map((to) => ({ to, message: asked })));
    network.inject(3, 1, commit);
    expect(
      network.wouldAnswer(2, 1, { kind: 'batch', sequence: 1, batch: batchOf(2) }),
    ).toMatchObject({
      decisions: [],
    });
    const { decisions } = network.wouldAnswer(2, 1, { kind: 'batch', sequence: 9, batch });
    expect(decisions).toMatchObject([{ slot: 0, commands: batch }]);
  });
});

describe('the certificate of a decision', () => {
  const commit = vote('commit', 1, digest);
  const committed = (network: Network, signers: readonly number[], body = batch): Message => ({
    kind: 'committed',
    commit: certificate(network, commit, signers),
    batch: body,
  });

  it('needs a quorum of distinct members, and the batch that they agreed to', () => {
    const network = make();
    expect(network.wouldAnswer(2, 1, committed(network, [0, 2])).decisions).toEqual([]);
    const whole = committed(network, [0, 2, 3]);
    expect(network.wouldAnswer(2, 1, committed(network, [0, 2, 3], batchOf(2))).decisions).toEqual(
      [],
    );
    expect(network.wouldAnswer(2, 1, whole).decisions).toMatchObject([
      { slot: 0, commands: batch },
    ]);
    // What no codec would let through: one signer counted twice, or one that is no member.
    const { seals } = certificate(network, commit, [0, 2]);
    for (const from of [2, 4, 65_536]) {
      const third = { from, signature: unsigned };
      const message: Message = {
        kind: 'committed',
        commit: { body: commit, seals: [...seals, third] },
        batch,
      };
      const event = { type: 'message', message: seal<Message>(message, 2, unsigned) } as const;
      expect(network.wouldDo(1, event).decisions).toEqual([]);
    }
  });

  it('is of use for numbers that are not decided here, up to a window ahead', () => {
    const network = make();
    const about = (sequence: number): Message => ({
      kind: 'committed',
      commit: certificate(network, vote('commit', sequence, digest)),
      batch,
    });
    const isUsed = (sequence: number): boolean => {
      const machine = network.seat(1).machine.fork();
      const clock = { earliest: 0, latest: 0 };
      const message = network.sign(about(sequence), 2);
      machine.step({ now: 0, clock, event: { type: 'message', message } });
      const { committed, lastExecuted } = machine.snapshot().volatile;
      return committed.has(sequence) || (sequence > 1 && lastExecuted >= sequence);
    };
    expect([0, 1, 8, 9].map(isUsed)).toEqual([false, true, true, false]);
    network.inject(2, 1, about(1));
    expect(network.wouldAnswer(2, 1, about(1)).decisions).toEqual([]);
    // A stable checkpoint that is not reached here yet: what leads to it is of use too.
    const checkpoint = {
      kind: 'checkpoint',
      epoch: 0,
      group: null,
      sequence: 8,
      digest: strange('c'),
    } as const;
    network.inject(2, 1, {
      kind: 'stable-checkpoint',
      configuration: null,
      checkpoint: certificate(network, checkpoint),
    });
    expect([2, 8, 9, 16, 17].map(isUsed)).toEqual([true, true, true, true, false]);
    expect(kindsOf(network.wouldAnswer(2, 1, about(2)))).toEqual([]);
  });
});

describe('a primary', () => {
  const ordered = (network: Network): (readonly Signed<Request>[])[] =>
    network.flights.flatMap(({ to, message }) =>
      to === 1 && message.kind === 'pre-prepare' ? [message.batch] : [],
    );
  const ask = (network: Network, client: number, request = requestOf(client, 1)): void =>
    network.input(0, { type: 'propose', command: request });

  it('orders up to maxOutstanding batches of up to maxBatch requests each', () => {
    const network = make({ maxOutstanding: 2, maxBatch: 3 });
    for (let client = 0; client < 9; client++) ask(network, client);
    expect(ordered(network).map(({ length }) => length)).toEqual([1, 1]);
    network.deliver();
    expect([0, 1, 2, 3, 4].map((slot) => network.seat(3).decisions.get(slot)?.length)).toEqual([
      1, 1, 3, 3, 1,
    ]);
  });

  it('gives no number above the high watermark, and goes on when that moves', () => {
    const network = make({ checkpointEvery: 2, window: 2, maxBatch: 1, maxOutstanding: 8 });
    for (let client = 0; client < 4; client++) ask(network, client);
    expect(ordered(network)).toHaveLength(2);
    network.deliver();
    expect(network.executed.size).toBe(4);
  });

  it('takes what backups relay, but no backup does, nor one that wants to leave the view', () => {
    const network = make();
    const relay: Message = { kind: 'relay', requests: batch };
    expect(kindsOf(network.wouldAnswer(2, 0, relay))).toEqual(['pre-prepare']);
    expect(network.wouldAnswer(2, 1, relay)).toMatchObject({ sends: [], timers: [] });
    const propose = { type: 'propose', command: requestOf(1, 1) } as const;
    expect(network.wouldDo(1, propose).sends).toEqual([{ to: 0, message: relay }]);
    for (const from of [2, 3]) network.inject(from, 1, viewChange(4));
    expect(network.state(1).active).toBe(false);
    expect(network.wouldDo(1, propose).sends).toEqual([]);
  });

  it('asks nobody twice for what it has executed, or what it waits for', () => {
    const network = make();
    network.input(1, { type: 'propose', command: requestOf(1, 1) });
    const propose = { type: 'propose', command: requestOf(1, 1) } as const;
    expect(network.wouldDo(1, propose).sends).toHaveLength(1);
    network.deliver();
    expect(network.wouldDo(1, propose)).toMatchObject({ sends: [], timers: [] });
    expect(network.wouldDo(0, propose)).toMatchObject({ sends: [], timers: [] });
  });
});
