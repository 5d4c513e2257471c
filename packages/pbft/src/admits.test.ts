/** What is refused before its signatures are checked, whoever says it and however often. */
import { maxWaitingOfClient, type Signature, type Signed, seal } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { status } from '../test/messages.ts';
import { Network } from '../test/network.ts';
import { pbft } from './index.ts';
import { type Message, type NewView, type Prepare, schemas, type ViewChange } from './messages.ts';

const group = pbft({ n: 4, digest: testDigest, checkpointEvery: 2, window: 4 });
const { content } = schemas({ n: 4, window: 4, maxBatch: 256 });
const none = new Uint8Array(64) as Signature;
/** Sealed by somebody: no signature is looked at here. */
const by = <M extends Message>(from: number, message: M): Signed<M> => seal<M>(message, from, none);

/** Three numbers are executed, the first two below a stable checkpoint. */
function run(): { readonly network: Network; readonly said: Signed<Message>[] } {
  const network = new Network(group);
  const said: Signed<Message>[] = [];
  for (let i = 0; i < 3; i++) {
    network.input(0, { type: 'propose', command: requestOf(0, i) });
    network.deliver(({ message }) => said.push(message) > 0);
  }
  return { network, said };
}

const { network, said } = run();
const admits = (self: number, message: Signed<Message>): boolean | undefined =>
  network.seat(self).machine.admits?.(message, network.now);
const last = (kind: Message['kind']): Signed<Message> =>
  said.findLast((each) => each.kind === kind) as Signed<Message>;

const emptyChange = (view: number): ViewChange => ({
  kind: 'view-change',
  epoch: 0,
  view,
  checkpoint: null,
  prepared: [],
});
const newView = (view: number, senders: readonly number[], of = view): NewView => ({
  kind: 'new-view',
  epoch: 0,
  view,
  checkpoint: null,
  configuration: null,
  viewChanges: senders.map((from) => by(from, emptyChange(of))),
  orders: [],
});
const digest = 'd'.repeat(64);
const vote: Prepare = { kind: 'prepare', epoch: 0, view: 0, sequence: 4, digest };
const asked = { body: vote, seals: [1, 2, 3].map((from) => ({ from, signature: none })) };
const { kind: _, ...body } = vote;
const committed = { body: { ...body, kind: 'commit' as const }, seals: asked.seals };
const relay = (...sequences: number[]): Signed<Message> =>
  by(3, { kind: 'relay', requests: sequences.map((each) => requestOf(0, each)) });

describe('unverified', () => {
  it.each([
    ['what the primary said about what is executed', 1, last('pre-prepare')],
    ['votes about what is executed', 1, last('commit')],
    [
      'a pre-prepare of who is not the primary',
      1,
      by(3, { ...vote, kind: 'pre-prepare', batch: [] }),
    ],
    ['a relay at a backup', 1, relay(100)],
    ['a relay of what has been executed', 0, relay(0, 1, 2)],
    [
      'a relay of what somebody else has signed',
      0,
      by(3, { kind: 'relay', requests: [{ ...requestOf(0, 100), from: 3 }] }),
    ],
    ['a new view that this replica is in', 1, by(0, newView(0, [1, 2, 3]))],
    ['a new view of who is not its primary', 1, by(3, newView(2, [0, 1, 3]))],
    ['a new view that too few want', 1, by(3, newView(3, [0, 3]))],
    ['a new view that one wants several times', 1, by(3, newView(3, [3, 3, 3]))],
    ['a new view made of what was said of another', 1, by(3, newView(3, [0, 1, 3], 7))],
    ['a new view wanted by strangers', 1, by(3, newView(3, [3, 70_000, 70_001]))],
    ['a wish to leave for the view that this replica is in', 1, by(3, emptyChange(0))],
    [
      'a batch that nobody asked for',
      1,
      by(3, { kind: 'batch', sequence: 3, batch: [requestOf(0, 2)] }),
    ],
    ['proofs that nobody asked for', 1, by(3, { kind: 'proofs', proofs: [asked] })],
    [
      'a decision that is known',
      1,
      by(3, {
        kind: 'committed',
        commit: { ...committed, body: { ...committed.body, sequence: 3 } },
        batch: [],
      }),
    ],
    [
      'a decision of too few',
      1,
      by(3, {
        kind: 'committed',
        commit: { ...committed, seals: asked.seals.slice(1) },
        batch: [],
      }),
    ],
    [
      'a checkpoint below the stable one',
      1,
      by(3, { kind: 'checkpoint', epoch: 0, group: null, sequence: 2, digest }),
    ],
    [
      'the proof of a checkpoint that is stable here',
      1,
      by(3, {
        kind: 'stable-checkpoint',
        configuration: null,
        checkpoint: {
          body: { kind: 'checkpoint', epoch: 0, group: null, sequence: 2, digest },
          seals: asked.seals,
        },
      }),
    ],
    [
      'the proof of a checkpoint that too few signed',
      1,
      by(3, {
        kind: 'stable-checkpoint',
        configuration: null,
        checkpoint: {
          body: { kind: 'checkpoint', epoch: 0, group: null, sequence: 4, digest },
          seals: asked.seals.slice(1),
        },
      }),
    ],
  ] as [string, number, Signed<Message>][])('%s', (_, self, message) => {
    expect(admits(self, message)).toBe(false);
  });

  it('a relay for which its clients have no room', () => {
    const full = new Network(group);
    for (let i = 0; i <= maxWaitingOfClient + 2; i++)
      full.input(0, { type: 'propose', command: requestOf(0, i) });
    for (const self of [1, 2, 3]) full.post(self, 0, status());
    full.deliver(({ message }) => message.kind === 'status');
    const { machine } = full.seat(0);
    expect(machine.admits?.(relay(100, 101), 0)).toBe(false);
    expect(machine.admits?.(relay(100, maxWaitingOfClient + 1), 0)).toBe(false);
  });

  it('a new view said again while its proofs are on their way', () => {
    const { network: fresh } = run();
    const { machine } = fresh.seat(1);
    const claim = { view: 0, sequence: 4, digest };
    const changes = [0, 1, 3].map((from) => by(from, { ...emptyChange(3), prepared: [claim] }));
    const orders = [1, 2, 3].map((sequence) => ({ sequence, digest: testDigest(content, []) }));
    const message = by(3, {
      ...newView(3, []),
      viewChanges: changes,
      orders: [...orders, { sequence: 4, digest }],
    });
    expect(machine.admits?.(message, fresh.now)).toBe(true);
    fresh.input(1, { type: 'message', message });
    expect(fresh.state(1).unproven).toEqual(message);
    expect(machine.admits?.(message, fresh.now)).toBe(false);
  });
});

describe('looked at', () => {
  it.each([
    ['a relay of something new at the primary', 0, relay(0, 100)],
    ['a new view that a quorum wants', 1, by(3, newView(3, [0, 1, 3]))],
    ['a wish for a later view', 1, by(3, emptyChange(1))],
    ['a vote that is not counted yet', 1, by(3, vote)],
    ['a decision that is missing', 1, by(3, { kind: 'committed', commit: committed, batch: [] })],
  ] as [string, number, Signed<Message>][])('%s', (_, self, message) => {
    expect(admits(self, message)).toBe(true);
  });
});

describe('what is not even read', () => {
  const awaited = (self: number, kind: Message['kind']): boolean | undefined =>
    network.seat(self).machine.expects?.(kind, 3);

  it('is a relay to a backup, and an answer that nobody asked for', () => {
    expect([0, 1, 2].map((self) => awaited(self, 'relay'))).toEqual([true, false, false]);
    for (const kind of ['batch', 'proofs'] as const) expect(awaited(1, kind)).toBe(false);
    for (const kind of ['prepare', 'committed', 'fetch-batch'] as const)
      expect(awaited(1, kind)).toBe(true);
    expect(network.seat(1).machine.expects?.('prepare', 9)).toBe(false);
  });
});
