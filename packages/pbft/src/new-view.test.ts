/** What a new view may begin with: the checks of section 4.4 of what its primary and others say. */
import type { Signed } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { make, waiting } from '../test/group.ts';
import {
  batchOf,
  certificate,
  checkpoint,
  claim,
  digestOf,
  newView,
  prePrepare,
  strange,
  viewChange,
  vote,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import type { Message, NewView, Ordered, ViewChange } from './messages.ts';

const batch = batchOf(1);
const digest = digestOf(batch);
const nothing = digestOf([]);
const stable = { sequence: 4, digest: strange('c') };
const proofOf = (network: Network, sequence = 4) => certificate(network, checkpoint(sequence));

describe('a new-view', () => {
  const enters = (network: Network, message: Message, from = 1): boolean => {
    network.inject(from, 2, message);
    const { view, active } = network.state(2);
    return view === 1 && active;
  };
  const wanted = (
    network: Network,
    reports: readonly (readonly [from: number, view: number, part?: Partial<ViewChange>])[],
  ): Signed<ViewChange>[] =>
    reports.map(([from, view, part]) => network.sign(viewChange(view, part), from));

  it('of a quorum that has prepared nothing begins the view', () => {
    const network = waiting();
    const { writes, timers } = network.wouldAnswer(1, 2, newView(network, 1));
    expect(writes[0]).toEqual({
      type: 'save',
      registers: { view: 1, active: true, newView: null },
    });
    expect(timers.map(({ type, timer }) => `${type} ${timer}`)).toContain('clear new-view');
    expect(enters(network, newView(network, 1))).toBe(true);
    expect(network.state(2)).toMatchObject({ viewChanges: new Map(), next: 1 });
    // It begins once.
    expect(network.wouldAnswer(1, 2, newView(network, 1)).writes).toEqual([]);
  });

  it('also begins a view that this replica had not asked for', () => {
    const network = make();
    expect(enters(network, newView(network, 1))).toBe(true);
  });

  it.each<[string, (network: Network) => NewView]>([
    [
      'one short of a quorum',
      (at) =>
        newView(at, 1, {
          viewChanges: wanted(at, [
            [1, 1],
            [3, 1],
          ]),
        }),
    ],
    [
      'one sender twice',
      (at) =>
        newView(at, 1, {
          viewChanges: wanted(at, [
            [1, 1],
            [3, 1],
            [3, 1],
          ]),
        }),
    ],
    [
      'one for another view',
      (at) =>
        newView(at, 1, {
          viewChanges: wanted(at, [
            [1, 1],
            [2, 1],
            [3, 2],
          ]),
        }),
    ],
    [
      'one that no honest replica sends',
      (at) =>
        newView(at, 1, {
          viewChanges: wanted(at, [
            [1, 1],
            [2, 1],
            [3, 1, { prepared: [claim(9, digest)] }],
          ]),
        }),
    ],
    [
      'a checkpoint that it does not prove',
      (at) =>
        newView(at, 1, {
          viewChanges: wanted(at, [
            [1, 1],
            [2, 1],
            [3, 1, { checkpoint: stable }],
          ]),
        }),
    ],
    [
      'a proof that is one short',
      (at) => newView(at, 1, { checkpoint: certificate(at, checkpoint(4), [0, 1]) }),
    ],
    [
      'a proof of no checkpoint',
      (at) => newView(at, 1, { checkpoint: certificate(at, checkpoint(5)) }),
    ],
    [
      'an order that nobody prepared',
      (at) => newView(at, 1, { orders: [{ sequence: 1, digest }] }),
    ],
    [
      'no order for what was prepared',
      (at) =>
        newView(at, 1, {
          viewChanges: wanted(at, [
            [1, 1],
            [2, 1],
            [3, 1, { prepared: [claim(1, digest)] }],
          ]),
        }),
    ],
  ])('with %s ends the turn of its primary', (_, made) => {
    const network = waiting();
    expect(enters(network, made(network))).toBe(false);
    expect(network.state(2)).toMatchObject({ view: 2, active: false });
    // Who waits for no view blames nobody for it.
    const other = make();
    expect(enters(other, made(other))).toBe(false);
    expect(other.state(2)).toMatchObject({ view: 0, active: true });
  });

  it('is that of the primary of its view, for a view that has not begun', () => {
    const network = waiting();
    expect(enters(network, newView(network, 1), 3)).toBe(false);
    expect(network.state(2)).toMatchObject({ view: 1, active: false });
    expect(network.wouldAnswer(0, 2, newView(network, 0))).toMatchObject({ writes: [], sends: [] });
    const fresh = make();
    expect(fresh.wouldAnswer(0, 2, newView(fresh, 0))).toMatchObject({ writes: [], sends: [] });
  });

  const lies: readonly (readonly [string, readonly Ordered[]])[] = [
    ['another digest', [{ sequence: 1, digest: strange('a') }]],
    ['another number', [{ sequence: 2, digest }]],
    [
      'one more',
      [
        { sequence: 1, digest },
        { sequence: 2, digest: nothing },
      ],
    ],
    ['none', []],
  ];
  it.each(lies)('that orders %s than its view-changes say is a lie', (_, orders) => {
    const network = waiting();
    const viewChanges = wanted(network, [
      [1, 1],
      [2, 1],
      [3, 1, { prepared: [claim(1, digest)] }],
    ]);
    expect(enters(network, newView(network, 1, { viewChanges, orders }))).toBe(false);
    expect(network.state(2)).toMatchObject({ view: 2, active: false });
  });

  it('takes of two reports the one of the higher view, and gets its proof and its batch', () => {
    const network = make();
    const [low, high] = [batchOf(5), batchOf(6)];
    const viewChanges = wanted(network, [
      [0, 6, { prepared: [claim(1, digestOf(low), 1)] }],
      [1, 6, { prepared: [claim(1, digestOf(high), 3)] }],
      [3, 6, { prepared: [claim(1, digestOf(low), 2)] }],
    ]);
    const orders = [{ sequence: 1, digest: digestOf(high) }];
    const message = newView(network, 6, { viewChanges, orders });
    network.inject(2, 1, message);
    const asked = network.flights.filter(({ from, to }) => from === 1 && to === 2);
    expect(asked.map(({ message: each }) => each)).toMatchObject([
      { kind: 'fetch-proofs', claims: [claim(1, digestOf(high), 3)] },
    ]);
    expect(network.state(1)).toMatchObject({ view: 0, active: true, unproven: { view: 6 } });
    const proof = (view: number, signers: readonly number[]): Message => ({
      kind: 'proofs',
      proofs: [certificate(network, vote('prepare', 1, digestOf(high), view), signers)],
    });
    // Not one short, not the primary of that view, which is 3, and not of another view.
    for (const not of [proof(3, [1]), proof(3, [1, 3]), proof(2, [0, 1])]) {
      network.inject(2, 1, not);
      expect(network.state(1).view).toBe(0);
    }
    network.inject(2, 1, proof(3, [0, 1]));
    expect(network.state(1)).toMatchObject({ view: 6, active: true });
    expect(network.state(1).prePrepares.get(1)).toEqual({
      view: 6,
      digest: digestOf(high),
      batch: null,
    });
    network.drop();
    const { sends } = network.wouldAnswer(3, 1, { kind: 'batch', sequence: 1, batch: high });
    expect(sends).toEqual([{ to: 'all', message: vote('prepare', 1, digestOf(high), 6) }]);
  });

  it('makes a backup prepare all of it again, and tell the primary what waits', () => {
    const network = waiting();
    network.input(2, { type: 'propose', command: requestOf(8, 1) });
    const viewChanges = wanted(network, [
      [1, 1],
      [2, 1],
      [3, 1, { checkpoint: stable, prepared: [] }],
    ]);
    const whole = newView(network, 1, { checkpoint: proofOf(network), viewChanges });
    const { sends, writes, fetches } = network.wouldAnswer(1, 2, whole);
    expect(fetches).toMatchObject([{ slot: 3, digest: strange('c') }]);
    expect(writes).toContainEqual({ type: 'drop', table: 'prePrepares', rows: { from: 0 } });
    expect(sends).toEqual([{ to: 1, message: { kind: 'relay', requests: [requestOf(8, 1)] } }]);
    network.inject(1, 2, whole);
    expect(network.state(2)).toMatchObject({ next: 5, stableCheckpoint: { body: checkpoint(4) } });
  });

  it('lets what was ordered in vain wait again, but not what was executed', () => {
    const network = make();
    for (const [sequence, client] of [
      [1, 1],
      [2, 2],
    ] as const)
      network.inject(0, 2, prePrepare(sequence, batchOf(client)));
    for (const from of [0, 1, 3]) network.inject(from, 2, vote('commit', 1, digest));
    expect(network.seat(2).applied).toBe(1);
    expect(network.state(2).waiting.size).toBe(0);
    network.drop();
    network.inject(1, 2, newView(network, 1));
    expect(network.flights.map(({ to, message }) => [to, message.kind])).toEqual([[1, 'relay']]);
    expect([...network.state(2).waiting.values()].map(({ request }) => request.client)).toEqual([
      batchOf(2)[0]?.client,
    ]);
  });

  it('is followed by what came before it: votes of the view are counted then', () => {
    const network = waiting();
    network.inject(1, 2, prePrepare(1, batch, 1));
    for (const from of [0, 3]) network.inject(from, 2, vote('prepare', 1, digest, 1));
    expect(network.state(2).early.size).toBe(3);
    network.inject(1, 2, newView(network, 1));
    expect(network.state(2).early.size).toBe(0);
    expect(network.state(2).prepared.get(1)?.proof.body.view).toBe(1);
  });
});
