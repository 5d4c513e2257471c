import { operationBytes } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { decide, makeNarrow as make } from '../test/group.ts';
import {
  batchOf,
  certificate,
  checkpoint,
  claim,
  digestOf,
  newView,
  prePrepare,
  status,
  strange,
  viewChange,
  vote,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import type { Message, NewView, ViewChange } from './messages.ts';

const period = 500_000;
const admits = (network: Network, to: number, from: number, message: Message) =>
  network.seat(to).machine.admits?.(network.sign(message, from), network.now);
/** Makes the checkpoint at `sequence` stable at `to`, with the state that it has itself. */
const settle = (network: Network, to: number, sequence: number): void => {
  const own = network.state(to).checkpoints.get(sequence)?.digest ?? strange('c');
  const proof = certificate(network, checkpoint(sequence, own));
  network.inject(2, to, { kind: 'stable-checkpoint', configuration: null, checkpoint: proof });
};
/** All have heard from all, so that patience is no reason to listen any more. */
const meet = (network: Network, to: number): void => {
  for (const from of network.protocol.members) if (from !== to) network.inject(from, to, status());
  network.drop();
};

describe('batches below a stable checkpoint', () => {
  /** Replica 1 has executed four batches, and member 3 has said that it lacks the first two. */
  function lagging(): Network {
    const network = make();
    for (const sequence of [1, 2]) decide(network, 1, sequence);
    settle(network, 1, 2);
    network.now = 10_000_000;
    network.inject(3, 1, status({ executed: 0, stable: 0 }));
    for (const sequence of [3, 4, 5]) decide(network, 1, sequence, batchOf(sequence));
    return network;
  }
  const kept = (network: Network) => [...network.state(1).archive.keys()];

  it('are kept for a member that lags, and told to it', () => {
    const network = lagging();
    settle(network, 1, 4);
    expect(kept(network)).toEqual([3, 4]);
    expect(network.state(1).archiveBytes).toBe(2 * operationBytes);
    network.now += period;
    const { sends } = network.wouldAnswer(3, 1, status({ executed: 2, stable: 4 }));
    expect(sends.map(({ message }) => message.kind)).toEqual([
      'committed',
      'committed',
      'committed',
    ]);
    expect(network.wouldAnswer(0, 1, status({ executed: 1, stable: 4 })).sends).toHaveLength(1);
  });

  it('are kept for ten periods after its last report, and not for one that does not lag', () => {
    for (const [silence, numbers] of [
      [10 * period - 1, [3, 4]],
      [10 * period, []],
    ] as const) {
      const network = lagging();
      network.now += silence;
      settle(network, 1, 4);
      expect(kept(network)).toEqual(numbers);
    }
    const network = lagging();
    settle(network, 1, 4);
    network.inject(3, 1, status({ executed: 4, stable: 4 }));
    network.now += period;
    network.inject(3, 1, status({ executed: 5, stable: 4 }));
    decide(network, 1, 6);
    settle(network, 1, 6);
    expect([kept(network), network.state(1).archiveBytes]).toEqual([[], 0]);
  });

  it('are kept only if they are executed here', () => {
    const network = make({ window: 8 });
    for (const sequence of [1, 2]) decide(network, 1, sequence);
    settle(network, 1, 2);
    network.now = 10_000_000;
    network.inject(3, 1, status({ executed: 0 }));
    for (const sequence of [3, 5]) decide(network, 1, sequence);
    settle(network, 1, 6);
    expect(kept(network)).toEqual([3]);
    expect([...network.state(1).committed.keys()]).toEqual([5]);
  });
});

describe('a stable checkpoint', () => {
  it.each([
    ['above the window, although all but one stretch of it is executed', 4, 6, true],
    ['two stretches ahead, although within the window', 0, 4, true],
    ['one stretch ahead and within the window', 2, 4, false],
  ])('%s', (_, executed, sequence, isAdopted) => {
    const network = make();
    for (let each = 1; each <= executed; each++) decide(network, 1, each);
    network.now = 10_000_000;
    for (const from of [0, 2]) network.inject(from, 1, checkpoint(sequence));
    const { writes, fetches } = network.wouldAnswer(3, 1, checkpoint(sequence));
    expect([writes.length > 0, fetches.length]).toEqual([isAdopted, isAdopted ? 1 : 0]);
    // Far ahead it is asked about at once, by the word of f+1.
    const far = make();
    for (let each = 1; each <= executed; each++) decide(far, 1, each);
    far.inject(0, 1, checkpoint(sequence));
    far.drop();
    expect(far.wouldAnswer(2, 1, checkpoint(sequence)).sends.length).toBe(isAdopted ? 2 : 0);
  });

  it('that is known, or below what is executed, is not asked for again', () => {
    const network = make();
    for (const sequence of [1, 2]) decide(network, 1, sequence);
    settle(network, 1, 2);
    const { fetches, writes } = network.wouldAnswer(2, 1, {
      kind: 'stable-checkpoint',
      configuration: null,
      checkpoint: certificate(network, checkpoint(2)),
    });
    expect([fetches, writes]).toEqual([[], []]);
    expect(network.seat(1).fetches).toEqual([]);
  });
});

describe('what a new primary lacks', () => {
  const window = { n: 7, checkpointEvery: 1, window: 1 } as const;
  const wants = (network: Network, from: number, part: Partial<ViewChange> = {}, view = 1): void =>
    network.inject(from, 1, viewChange(view, part));
  const claimed = (client: number) => ({ prepared: [claim(1, digestOf(batchOf(client)))] });
  const proofOf = (network: Network, client: number): Message => ({
    kind: 'proofs',
    proofs: [certificate(network, vote('prepare', 1, digestOf(batchOf(client))), [2, 3, 4, 5])],
  });
  const asked = (network: Network, kind: string): number[] =>
    network.flights
      .filter(({ from, message }) => from === 1 && message.kind === kind)
      .map(({ to }) => to);

  it('is asked of whoever claims it, once of each, up to four windows of batches', () => {
    const network = make(window);
    for (const from of [0, 2, 3, 4, 5, 6]) wants(network, from, claimed(10 + from));
    network.deliver(({ from, to }) => from === 1 && to === 1);
    expect(network.state(1).wanted.size).toBe(4);
    expect(asked(network, 'fetch-batch')).toEqual([0, 2, 3, 4]);
    expect(asked(network, 'fetch-proofs')).toEqual([0, 2, 3, 4, 5, 6]);
    const same = make(window);
    for (const from of [0, 2, 3, 4]) wants(same, from, claimed(10));
    same.deliver(({ from, to }) => from === 1 && to === 1);
    expect(asked(same, 'fetch-batch')).toEqual([0]);
  });

  it('is proven once for all, and the view begins with a quorum and no more', () => {
    const network = make(window);
    for (const from of [0, 2, 3, 4, 5, 6]) wants(network, from, claimed(10));
    network.deliver(({ from, to }) => from === 1 && to === 1);
    network.inject(3, 1, { kind: 'batch', sequence: 1, batch: batchOf(10) });
    expect(network.state(1).newView).toBeNull();
    network.inject(3, 1, proofOf(network, 10));
    const begun = network.state(1).newView as NewView | null;
    expect(begun?.viewChanges.map(({ from }) => from)).toEqual([0, 1, 2, 3, 4]);
  });

  it('is no reason to keep more than four windows of proofs: first goes what nobody claims', () => {
    const network = make(window);
    for (const from of [0, 2, 3, 4, 5]) wants(network, from, claimed(10 + from));
    network.deliver(({ from, to }) => from === 1 && to === 1);
    const kept = (): string[] =>
      [...network.state(1).proofs.values()].map(({ body }) => body.digest);
    const digests = (...clients: number[]): string[] =>
      clients.map((each) => digestOf(batchOf(each)));
    for (const from of [0, 2, 3, 4]) network.inject(from, 1, proofOf(network, 10 + from));
    expect(kept()).toEqual(digests(10, 12, 13, 14));
    const second = network.seat(1).machine.fork();
    network.inject(5, 1, proofOf(network, 15));
    expect(kept()).toEqual(digests(12, 13, 14, 15));
    // Member 3 gives up on this view, and on what it claimed in it.
    network.seat(1).machine = second;
    wants(network, 3, {}, 2);
    network.inject(5, 1, proofOf(network, 15));
    expect(kept()).toEqual(digests(10, 12, 14, 15));
  });

  it('is not learnt from one that was not asked, below the checkpoint, or without a quorum', () => {
    const network = make();
    for (const from of [2, 3]) wants(network, from, { prepared: [claim(1, digestOf(batchOf(9)))] });
    network.deliver(({ from, to }) => from === 1 && to === 1);
    meet(network, 1);
    const proof = (signers: readonly number[]): Message => ({
      kind: 'proofs',
      proofs: [certificate(network, vote('prepare', 1, digestOf(batchOf(9))), signers)],
    });
    expect(admits(network, 1, 2, proof([1, 2]))).toBe(true);
    expect(admits(network, 1, 0, proof([1, 2]))).toBe(false);
    expect(admits(network, 1, 2, proof([2]))).toBe(false);
    network.inject(0, 1, proof([1, 2]));
    network.inject(2, 1, proof([0, 2]));
    expect(network.state(1).proofs.size).toBe(0);
    const batch = { kind: 'batch', sequence: 1, batch: batchOf(9) } as const;
    expect(admits(network, 1, 2, batch)).toBe(true);
    expect(admits(network, 1, 2, { ...batch, batch: batchOf(8) })).toBe(false);
    expect(admits(network, 1, 2, { ...batch, batch: [{ ...requestOf(9, 1), from: 1 }] })).toBe(
      false,
    );
  });
});

describe('a view that begins', () => {
  it('lets a backup hand over all that waits, a batch at a time, and wait for it', () => {
    const network = make({ maxBatch: 2 });
    for (let client = 0; client < 5; client++)
      network.input(2, { type: 'propose', command: requestOf(client, 1) });
    network.drop();
    const { sends, timers } = network.wouldAnswer(1, 2, newView(network, 1));
    expect(
      sends.map(({ to, message }) => [to, message.kind === 'relay' && message.requests.length]),
    ).toEqual([
      [1, 2],
      [1, 2],
      [1, 1],
    ]);
    expect(timers.map(({ type, timer }) => `${type} ${timer}`)).toEqual([
      'clear request',
      'set request',
    ]);
    const idle = make().wouldAnswer(1, 2, newView(make(), 1));
    expect(idle.timers.map(({ timer }) => timer)).toEqual(['status']);
    expect(idle.sends).toEqual([]);
  });

  /** Replica `self` has prepared the batch of client 1 as number 1, and its client asks it too. */
  function prepared(self: number): Network {
    const network = make();
    network.input(self, { type: 'propose', command: requestOf(1, 1) });
    network.inject(0, self, prePrepare(1, batchOf(1)));
    for (const from of [1, 2]) network.inject(from, self, vote('prepare', 1, digestOf(batchOf(1))));
    network.drop();
    return network;
  }
  const report = { prepared: [claim(1, digestOf(batchOf(1)))] };

  it('with a batch lets a backup wait for that, and its primary order it once', () => {
    const network = prepared(2);
    const viewChanges = [1, 2, 3].map((from) => network.sign(viewChange(1, report), from));
    const orders = [{ sequence: 1, digest: digestOf(batchOf(1)) }];
    const { timers, sends } = network.wouldAnswer(
      1,
      2,
      newView(network, 1, { viewChanges, orders }),
    );
    expect(timers).toContainEqual({ type: 'set', timer: 'request', after: 1_000_000 });
    expect(sends.map(({ to, message }) => [to, message.kind])).toEqual([
      ['all', 'prepare'],
      [1, 'relay'],
    ]);
    const primary = prepared(1);
    for (const from of [2, 3]) primary.inject(from, 1, viewChange(1, report));
    primary.deliver(({ from, to }) => from === 1 && to === 1);
    const said = primary.flights.filter(({ to }) => to === 3).map(({ message }) => message.kind);
    expect(said).toEqual(['view-change', 'new-view']);
    expect(primary.state(1).next).toBe(2);
  });

  it('begins above the own checkpoint, whatever others had prepared below it', () => {
    const network = make();
    for (const sequence of [1, 2]) decide(network, 2, sequence);
    settle(network, 2, 2);
    network.drop();
    const claims = { prepared: [1, 2, 3].map((n) => claim(n, digestOf(batchOf(n)))) };
    const viewChanges = [0, 1, 3].map((from) => network.sign(viewChange(1, claims), from));
    const orders = [1, 2, 3].map((n) => ({ sequence: n, digest: digestOf(batchOf(n)) }));
    const message = newView(network, 1, { viewChanges, orders });
    expect(network.wouldAnswer(1, 2, message).sends).toEqual([
      { to: 1, message: { kind: 'fetch-proofs', claims: claims.prepared.slice(2) } },
    ]);
    network.inject(1, 2, message);
    meet(network, 2);
    // While it waits for a proof, any answer may be the one.
    expect(admits(network, 2, 1, { kind: 'proofs', proofs: [] })).toBe(true);
    const proof = certificate(network, vote('prepare', 3, digestOf(batchOf(3))), [1, 2]);
    network.inject(1, 2, { kind: 'proofs', proofs: [proof] });
    expect(network.state(2)).toMatchObject({ view: 1, active: true, next: 4 });
    expect([...network.state(2).prePrepares.keys()]).toEqual([3]);
  });
});

describe('a replica that waits for a view', () => {
  it('sets its timer once, and starts it anew while it has not heard from a quorum', () => {
    const network = make();
    for (const from of [1, 3]) network.inject(from, 2, viewChange(5));
    network.deliver(({ from, to }) => from === 2 && to === 2);
    const due = network.seat(2).due('new-view');
    network.now += 1;
    expect(network.wouldAnswer(0, 2, viewChange(5)).timers).toEqual([]);
    expect(network.wouldAnswer(0, 2, viewChange(6)).timers).toEqual([]);
    const fires = { type: 'timeout', timer: 'new-view' } as const;
    network.now = due ?? 0;
    expect(network.wouldDo(2, fires).writes).toMatchObject([{ registers: { view: 6 } }]);
    // A replica that has just come back blames nobody.
    network.stop(2);
    network.restart(2);
    network.drop();
    for (const from of [1, 3]) network.inject(from, 2, viewChange(5));
    network.inject(2, 2, viewChange(5));
    expect(network.state(2)).toMatchObject({ view: 5, active: false });
    const early = make();
    early.inject(2, 2, viewChange(0));
    expect(early.wouldDo(2, fires)).toMatchObject({ writes: [], sends: [], timers: [] });
  });

  it('takes even a new-view that is no good as a reason to go on', () => {
    const network = make();
    meet(network, 2);
    for (const from of [1, 3]) network.inject(from, 2, viewChange(1));
    const none = newView(network, 1, { viewChanges: [] });
    expect(admits(network, 2, 1, none)).toBe(true);
    expect(admits(network, 2, 1, newView(network, 5, { viewChanges: [] }))).toBe(false);
    const own = newView(network, 2);
    expect(admits(network, 2, 2, own)).toBe(false);
    expect(network.wouldAnswer(2, 2, own)).toMatchObject({ writes: [], sends: [] });
  });
});

describe('what is heard too late', () => {
  it('is refused before its signatures are looked at', () => {
    const network = make();
    meet(network, 2);
    network.inject(1, 2, newView(network, 5));
    expect(network.state(2).view).toBe(5);
    const digest = digestOf(batchOf(1));
    for (const message of [
      prePrepare(1, batchOf(1), 4),
      vote('commit', 1, digest, 4),
      viewChange(5),
      newView(network, 1),
    ] as const)
      expect([
        message.kind,
        admits(network, 2, message.kind === 'pre-prepare' ? 0 : 1, message),
      ]).toEqual([message.kind, false]);
    network.inject(1, 2, prePrepare(1, batchOf(1), 5));
    expect(admits(network, 2, 1, prePrepare(1, batchOf(1), 5))).toBe(false);
    expect(admits(network, 2, 3, vote('prepare', 1, digest, 5))).toBe(true);
    // Above the high watermark it shows that others are ahead; of a later view it is kept.
    expect(admits(network, 2, 3, vote('prepare', 99, digest, 5))).toBe(true);
    expect(admits(network, 2, 3, vote('prepare', 1, digest, 6))).toBe(true);
    // What is decided needs no Commit more, but may still be prepared.
    for (const from of [0, 1, 3]) network.inject(from, 2, vote('commit', 1, digest, 5));
    expect(network.seat(2).applied).toBe(1);
    expect(admits(network, 2, 3, vote('prepare', 1, digest, 5))).toBe(true);
    for (const from of [0, 3]) network.inject(from, 2, vote('prepare', 1, digest, 5));
    expect(admits(network, 2, 3, vote('prepare', 1, digest, 5))).toBe(false);
    expect(admits(network, 2, 3, vote('commit', 1, digest, 5))).toBe(false);
  });

  it('as a question too many is not looked at either', () => {
    const network = make();
    network.inject(0, 1, prePrepare(1, batchOf(1)));
    for (const from of [1, 2]) network.inject(from, 1, vote('prepare', 1, digestOf(batchOf(1))));
    meet(network, 1);
    const fetch = { kind: 'fetch-batch', sequence: 1, digest: digestOf(batchOf(1)) } as const;
    const ask = { kind: 'fetch-proofs', claims: [claim(1, digestOf(batchOf(1)))] } as const;
    for (let i = 0; i < 4; i++) {
      expect(admits(network, 1, 3, fetch)).toBe(true);
      network.inject(3, 1, fetch);
    }
    expect(admits(network, 1, 3, fetch)).toBe(false);
    for (let i = 0; i <= 16; i++) {
      expect(admits(network, 1, 3, ask)).toBe(true);
      network.inject(3, 1, ask);
    }
    expect(admits(network, 1, 3, ask)).toBe(false);
    expect(admits(network, 1, 2, ask)).toBe(true);
  });
});

it('a laggard asks for the next batches after each 32 that have come', () => {
  const network = make({ checkpointEvery: 64, window: 128 });
  const asks = (sequence: number): number => {
    network.drop();
    decide(network, 1, sequence);
    return network.flights.filter(({ message }) => message.kind === 'status').length;
  };
  expect(
    Array.from({ length: 65 }, (_, i) => asks(i + 1)).flatMap((n, i) => (n ? [i + 1] : [])),
  ).toEqual([32, 64]);
});
