import { describe, expect, it } from 'vitest';
import { make, waiting } from '../test/group.ts';
import {
  batchOf,
  certificate,
  checkpoint,
  claim,
  digestOf,
  prePrepare,
  status,
  strange,
  viewChange,
  vote,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import type { NewView, ViewChange } from './messages.ts';

const batch = batchOf(1);
const digest = digestOf(batch);
const nothing = digestOf([]);
const stable = { sequence: 4, digest: strange('c') };
const proofOf = (network: Network, sequence = 4) => certificate(network, checkpoint(sequence));

const isTaken = (network: Network, message: ViewChange, from = 3): boolean => {
  network.inject(from, 2, message);
  return network.state(2).viewChanges.get(from)?.view === message.view;
};

describe('a view-change', () => {
  it.each<[string, Partial<ViewChange>]>([
    ['what was prepared in the view before', { prepared: [claim(1, digest, 1)] }],
    ['numbers up to a window above its checkpoint', { prepared: [claim(8, digest)] }],
    ['ascending numbers', { prepared: [claim(1, digest), claim(3, digest)] }],
    [
      'a stable checkpoint',
      { checkpoint: stable, prepared: [claim(5, digest), claim(12, digest)] },
    ],
  ])('can report %s', (_, part) => {
    expect(isTaken(make(), viewChange(2, part))).toBe(true);
  });

  it.each<[string, Partial<ViewChange>]>([
    ['what is prepared in its own view', { prepared: [claim(1, digest, 2)] }],
    ['a number above the window', { prepared: [claim(9, digest)] }],
    ['number 0', { prepared: [claim(0, digest)] }],
    ['one number twice', { prepared: [claim(3, digest), claim(3, strange('a'))] }],
    ['numbers out of order', { prepared: [claim(3, digest), claim(1, digest)] }],
    ['a number at its checkpoint', { checkpoint: stable, prepared: [claim(4, digest)] }],
    ['a number above the window of it', { checkpoint: stable, prepared: [claim(13, digest)] }],
    ['a checkpoint between two', { checkpoint: { ...stable, sequence: 5 } }],
    ['checkpoint 0', { checkpoint: { ...stable, sequence: 0 } }],
  ])('that reports %s is no honest one', (_, part) => {
    expect(isTaken(make(), viewChange(2, part))).toBe(false);
  });

  it('counts if it is for a later view than this, or than the last of its sender', () => {
    const network = waiting();
    expect(isTaken(network, viewChange(0), 0)).toBe(false);
    expect(isTaken(network, viewChange(1), 0)).toBe(true);
    expect(isTaken(network, viewChange(3), 0)).toBe(true);
    expect(isTaken(network, viewChange(2), 0)).toBe(false);
    const other = viewChange(3, { prepared: [claim(1, digest)] });
    network.inject(0, 2, other);
    expect(network.state(2).viewChanges.get(0)?.prepared).toEqual([]);
    const active = make();
    expect(isTaken(active, viewChange(0))).toBe(false);
  });

  it('is joined when f+1 want later views, in the first of those', () => {
    const network = make({ n: 7 });
    for (const [from, view] of [
      [3, 4],
      [4, 2],
    ] as const)
      network.inject(from, 1, viewChange(view));
    expect(network.state(1).view).toBe(0);
    const { writes, sends } = network.wouldAnswer(5, 1, viewChange(3));
    const own = viewChange(2);
    expect(writes).toEqual([
      { type: 'save', registers: { view: 2, active: false, viewChange: own, newView: null } },
    ]);
    expect(sends).toEqual([{ to: 'all', message: own }]);
    network.inject(5, 1, viewChange(3));
    // Views that this one has reached do not count for later ones.
    expect(network.state(1)).toMatchObject({ view: 2, attempts: 1 });
  });

  it('says all that is prepared above the checkpoint, and shows the next primary its proof', () => {
    const network = make();
    network.inject(0, 2, {
      kind: 'stable-checkpoint',
      configuration: null,
      checkpoint: proofOf(network),
    });
    for (const [sequence, each] of [
      [6, batchOf(6)],
      [5, batchOf(5)],
    ] as const) {
      network.inject(0, 2, prePrepare(sequence, each));
      for (const from of [2, 3]) network.inject(from, 2, vote('prepare', sequence, digestOf(each)));
    }
    network.inject(0, 2, prePrepare(7, batch));
    network.drop();
    for (const from of [1, 3]) network.inject(from, 2, viewChange(1));
    const prepared = [5, 6].map((client) => claim(client, digestOf(batchOf(client))));
    const own = viewChange(1, { checkpoint: stable, prepared });
    expect(network.state(2).viewChange).toEqual(own);
    expect(
      network.flights.filter(({ to }) => to === 1).map(({ message }) => message),
    ).toMatchObject([
      own,
      { kind: 'stable-checkpoint', configuration: null, checkpoint: { body: checkpoint(4) } },
    ]);
    expect(network.flights.filter(({ to }) => to === 3)).toHaveLength(1);
  });
});

describe('a replica that wants to leave its view', () => {
  it('forgets what was under way in it, and lets no timer of it fire', () => {
    const network = make();
    network.inject(0, 2, prePrepare(1, batch));
    network.inject(3, 2, vote('prepare', 1, digest));
    expect([...network.seat(2).timers.keys()].sort()).toEqual(['idle', 'request', 'status']);
    network.drop();
    network.now += 7;
    for (const from of [1, 3]) network.inject(from, 2, viewChange(1));
    network.deliver(({ to }) => to === 2);
    expect([...network.seat(2).timers.keys()].sort()).toEqual(['idle', 'new-view', 'status']);
    expect(network.state(2)).toMatchObject({
      progress: new Map(),
      requestTimer: false,
      viewSince: 7,
    });
    // Nothing of it, or of the next, is agreed to meanwhile.
    for (const view of [0, 1])
      for (const message of [
        prePrepare(2, batch, view),
        vote('commit', 1, digest, view),
      ] as const) {
        const { sends, writes } = network.wouldAnswer(view, 2, message);
        expect([sends, writes]).toEqual([[], []]);
      }
  });

  it('waits for the new view from when a quorum wants it, twice as long each time', () => {
    const network = make({ n: 7, requestTimeout: 1000 });
    const due = (): number | undefined => network.seat(2).due('new-view');
    for (const from of [1, 3, 4]) network.inject(from, 2, viewChange(1));
    expect([network.state(2).view, due()]).toEqual([1, undefined]);
    network.deliver(({ to }) => to === 2);
    expect(due()).toBeUndefined();
    // Whoever wants a later one has given up on this one too.
    network.inject(5, 2, viewChange(6));
    expect(due()).toBe(network.now + 2000);
    for (let from = 0; from < 7; from++) if (from !== 2) network.inject(from, 2, status());
    network.fire(2, 'new-view');
    expect(network.state(2)).toMatchObject({ view: 2, attempts: 2 });
  });
});

describe('a primary of a new view', () => {
  /** Replica 1 hears that `from` wants view 1. */
  const wants = (network: Network, from: number, part: Partial<ViewChange> = {}): void =>
    network.inject(from, 1, viewChange(1, part));
  const begun = (network: Network): NewView | null => network.state(1).newView as NewView | null;

  it('begins it with the view-changes of a quorum, its own one of them', () => {
    const network = make();
    for (const from of [3, 2]) wants(network, from);
    expect(begun(network)).toBeNull();
    network.deliver(({ to }) => to === 1);
    const { viewChanges, ...rest } = begun(network) as NewView;
    expect(viewChanges.map(({ from }) => from)).toEqual([1, 2, 3]);
    expect(rest).toEqual({
      kind: 'new-view',
      epoch: 0,
      view: 1,
      checkpoint: null,
      configuration: null,
      orders: [],
    });
    expect(network.state(1)).toMatchObject({ view: 1, active: true });
    expect(network.flights.filter(({ message }) => message.kind === 'new-view')).toHaveLength(3);
    // It begins once, whatever else comes.
    network.drop();
    network.inject(0, 1, viewChange(1));
    expect(network.flights).toEqual([]);
  });

  it('orders what was prepared, in the highest view, and nothing in the gaps', () => {
    const network = make();
    const old = { n: 1, digest: digestOf(batchOf(5)) };
    const proofs = [
      certificate(network, vote('prepare', 1, old.digest), [1, 2, 3]),
      certificate(network, vote('prepare', 3, digest), [1, 2, 3]),
    ];
    wants(network, 2, { prepared: [claim(1, old.digest), claim(3, digest)] });
    wants(network, 3);
    network.deliver(({ to }) => to === 1);
    const asked = network.flights.filter(({ from, to }) => from === 1 && to === 2);
    expect(asked.map(({ message }) => message)).toMatchObject([
      { kind: 'view-change' },
      { kind: 'fetch-proofs', claims: [claim(1, old.digest), claim(3, digest)] },
      { kind: 'fetch-batch', sequence: 1, digest: old.digest },
      { kind: 'fetch-batch', sequence: 3, digest },
    ]);
    network.inject(2, 1, { kind: 'proofs', proofs });
    for (const each of [batchOf(5), batch]) {
      expect(begun(network)).toBeNull();
      network.inject(2, 1, { kind: 'batch', sequence: 1, batch: each });
    }
    const orders = [old.digest, nothing, digest].map((each, i) => ({
      sequence: i + 1,
      digest: each,
    }));
    expect(begun(network)?.orders).toEqual(orders);
    expect([...network.state(1).prePrepares]).toEqual(
      [batchOf(5), [], batch].map((each, i) => [
        i + 1,
        { view: 1, digest: orders[i]?.digest, batch: each },
      ]),
    );
    expect(network.state(1).next).toBe(4);
  });

  it('waits for the proof of a later checkpoint, and begins above that', () => {
    const network = make();
    wants(network, 2, { checkpoint: stable, prepared: [claim(5, digest)] });
    wants(network, 3);
    network.deliver(({ to }) => to === 1);
    const asked = network.flights.filter(({ from, to }) => from === 1 && to === 2);
    expect(asked.map(({ message }) => message.kind)).toEqual(['view-change', 'status']);
    network.drop();
    // It asks once for each, as long as nobody answers.
    network.inject(3, 1, { kind: 'proofs', proofs: [] });
    expect(network.flights).toEqual([]);
    network.inject(2, 1, {
      kind: 'stable-checkpoint',
      configuration: null,
      checkpoint: proofOf(network),
    });
    const proof = certificate(network, vote('prepare', 5, digest), [1, 2, 3]);
    network.inject(2, 1, { kind: 'proofs', proofs: [proof] });
    network.inject(2, 1, { kind: 'batch', sequence: 5, batch });
    expect(begun(network)).toMatchObject({
      checkpoint: { body: checkpoint(4) },
      orders: [{ sequence: 5, digest }],
    });
    expect(network.state(1).next).toBe(6);
  });

  it('is not kept from it by one whose claims nobody can prove', () => {
    const network = make();
    wants(network, 2, { prepared: [claim(1, strange('a'))] });
    for (const from of [0, 3]) wants(network, from);
    network.deliver(({ to }) => to === 1);
    expect(begun(network)?.viewChanges.map(({ from }) => from)).toEqual([0, 1, 3]);
    expect(begun(network)?.orders).toEqual([]);
  });
});
