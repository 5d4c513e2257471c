/**
 * Members that come back to a group that has gone on, kept whole in `test/runs/`: renewed with
 * `UPDATE_RUNS=1`. And what is kept of each member, to the last one that fits.
 */
import * as files from 'node:fs';
import { ms } from '@quorumlab/core';
import { keeper, requestOf, type Sheet, Transcript, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { batchOf, idOf, names } from '../test/messages.ts';
import { make, Network } from '../test/network.ts';
import { type MinBft, minbft } from './index.ts';
import type { Anchor, Commit, Message, Prepare } from './messages.ts';
import { type Heard, heardFrom, isFull } from './state.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
/** A test that writes what the one on file says. */
const kept = (name: string, words: string, play: (sheet: Sheet) => void): void =>
  it(words, () => expect(keep(name, play)).not.toBe(''));

const later = 'c'.repeat(64);

const anchor = (member: number, number: number, part: Partial<Anchor> = {}): Anchor => ({
  ...{ member, number, sequence: 4, view: 0, changes: [], begun: false, orders: [] },
  ...part,
});

/** A stable checkpoint after four batches, and where members are heard from. */
const stable = (network: Network, ...anchors: readonly Anchor[]): Message => ({
  kind: 'stable-checkpoint',
  proof: [0, 2].map((from) =>
    network.sign({ kind: 'checkpoint', number: 9, sequence: 4, digest: later } as const, from),
  ),
  anchors,
});

/** Replica 1 hears `told`, each from whom it is said to be. */
function hear(network: Network, ...told: readonly (readonly [number, Message])[]): void {
  for (const [from, message] of told) network.inject(from, 1, message);
}

const prepare = (number: number, client: number, view = 0): Prepare => ({
  kind: 'prepare',
  ...{ number, view, sequence: number, digest: idOf(batchOf(client)) },
});

function losesDisk(network: Network, self: number): void {
  network.stop(self);
  network.drop();
  const seat = network.seat(self);
  seat.boot('blank');
  seat.applied = 0;
  seat.state = 0;
  network.input(self, { type: 'start', incarnation: 1 });
}

const ownDelivered = (network: Network): void =>
  network.deliver(({ from, to }) => from === 1 && to === 1);

/** The second of five without its disk. */
function emptied(sheet: Sheet): { readonly network: Network; readonly run: Transcript<MinBft> } {
  const network = make({ n: 5 });
  losesDisk(network, 1);
  network.drop();
  return { network, run: new Transcript(network, names, sheet, [1]) };
}

/** So much has a member heard of the second of five. */
const statusOfFive = (own: number): Message => ({
  kind: 'status',
  ...{ view: 0, stable: 0, executed: 0, heard: [0, own, 0, 0, 0] },
});

kept(
  'restored',
  'a lost disk: it says nothing until a quorum has told how much it had said',
  (sheet) => {
    const network = make();
    network.input(0, { type: 'propose', command: requestOf(0, 1) });
    network.run(0);
    losesDisk(network, 1);
    const run = new Transcript(network, names, sheet, [1]);
    network.drop();
    const status = (heard: readonly number[]): Message => ({
      kind: 'status',
      ...{ view: 0, stable: 0, executed: 1, heard: [...heard] },
    });
    run.note('it answers all that tell where they stand, at once, and asks them');
    hear(network, [0, status([1, 1, 1])], [0, status([1, 1, 1])]);
    network.drop();
    run.note('what it had said comes back, and so does what others have said');
    const commit: Commit = {
      kind: 'commit',
      number: 1,
      prepare: network.sign(prepare(1, 0), 0),
    };
    hear(network, [0, { kind: 'said', statement: network.sign(prepare(1, 0), 0) }]);
    hear(network, [2, { kind: 'said', statement: network.sign(commit, 1) }]);
    run.holdings(1);
    run.note('now it speaks');
    hear(network, [0, { kind: 'batch', batch: batchOf(1) }], [0, prepare(2, 1)]);
  },
);

kept(
  'restored-late',
  'a quorum of others knows more than has come back: it waits for that',
  (sheet) => {
    const { network, run } = emptied(sheet);
    hear(network, [0, statusOfFive(0)]);
    run.note('a second one has heard it');
    hear(network, [2, statusOfFive(1)]);
    const checkpoint = { kind: 'checkpoint', number: 1, sequence: 4, digest: later } as const;
    run.note('what it had said');
    hear(network, [2, { kind: 'said', statement: network.sign(checkpoint, 1) }]);
  },
);

kept(
  'restored-despite-a-liar',
  'one claims more than was ever said: for a while it waits for that, and then no longer',
  (sheet) => {
    const { network, run } = emptied(sheet);
    run.note('the liar, and one that has heard nothing');
    hear(network, [0, statusOfFive(2 ** 40)], [2, statusOfFive(0)]);
    const aWhile = network.now + ms(1000);
    run.note('it asks again and again');
    while (network.now < aWhile) network.fire(1, 'tick');
    run.note('with a third that has heard nothing there is a quorum without the liar');
    hear(network, [3, statusOfFive(0)]);
    network.fire(1, 'tick');
  },
);

kept(
  'follows',
  'who gets the state gets the view too, and follows a primary that has begun it',
  (sheet) => {
    const network = make();
    const run = new Transcript(network, names, sheet, [1]);
    const begun = anchor(2, 30, { view: 2, begun: true, changes: [{ number: 29, view: 2 }] });
    const left = anchor(0, 20, { view: 2, changes: [{ number: 19, view: 2 }] });
    hear(network, [0, stable(network, begun, left)]);
    hear(network, [2, stable(network, begun)]);
    network.input(1, { type: 'snapshot-installed', slot: 3, digest: later });
    ownDelivered(network);
    run.holdings(1);
    run.note('the primary is heard from there on');
    hear(network, [2, { kind: 'batch', batch: batchOf(1) }]);
    hear(network, [2, { ...prepare(31, 1, 2), sequence: 5 }]);
  },
);

kept(
  'own-anchor',
  'who lost its disk goes on after the last number that others have let go of',
  (sheet) => {
    const network = make();
    losesDisk(network, 1);
    network.drop();
    const run = new Transcript(network, names, sheet, [1]);
    const checkpoint = (number: number) =>
      ({
        kind: 'said',
        statement: network.sign({ kind: 'checkpoint', number, sequence: 8, digest: later }, 1),
      }) as const;
    hear(network, [0, checkpoint(29)], [0, checkpoint(30)], [2, checkpoint(31)]);
    const own = anchor(1, 30, { view: 1 });
    hear(network, [0, stable(network, own)], [2, stable(network, own)]);
    network.input(1, { type: 'snapshot-installed', slot: 3, digest: later });
    run.holdings(1);
  },
);

kept(
  'unusable',
  'a view-change counts once the batches are here that its sender voted for',
  (sheet) => {
    const network = make();
    const run = new Transcript(network, names, sheet, [1]);
    hear(network, [0, prepare(1, 1)], [0, prepare(2, 2)]);
    hear(network, [0, { kind: 'view-change', number: 3, view: 1, stable: [] }]);
    hear(network, [2, { kind: 'req-view-change', view: 1 }]);
    ownDelivered(network);
    run.note('one batch, and then the other');
    hear(network, [0, { kind: 'batch', batch: batchOf(1) }]);
    hear(network, [2, { kind: 'batch', batch: batchOf(2) }]);
    ownDelivered(network);
    run.holdings(1);
  },
);

kept('gaps', 'a wrong variant takes the lowest number that there is', (sheet) => {
  const protocol = minbft({ n: 3, digest: testDigest }, { refusesGaps: false });
  const network = new Network(protocol);
  const run = new Transcript(network, names, sheet, [1]);
  hear(network, [0, prepare(7, 1)], [0, prepare(5, 2)], [0, prepare(9, 3)]);
  run.holdings(1);
});

describe('of each member', () => {
  const heardWith = (above: number, below: number): Heard => {
    const heard = heardFrom(anchor(0, 10));
    const statement = make().sign(prepare(1, 1), 0);
    for (let i = 0; i < below; i++) heard.statements.set(10 - i, statement);
    for (let i = 1; i <= above; i++) heard.statements.set(10 + i, statement);
    return heard;
  };

  it('so many statements are kept above its anchor, and those below it do not count', () => {
    expect(isFull(heardWith(3, 0), 4)).toBe(false);
    expect(isFull(heardWith(4, 0), 4)).toBe(true);
    expect(isFull(heardWith(3, 5), 4)).toBe(false);
    expect(isFull(heardWith(4, 5), 4)).toBe(true);
    expect(isFull(heardWith(5, 1), 4)).toBe(true);
  });

  it('64 view-changes are remembered below its anchor, the latest ones', () => {
    const network = make();
    const changes = Array.from({ length: 64 }, (_, i) => ({ number: i + 1, view: i + 1 }));
    const far = anchor(2, 100, { view: 64, changes });
    hear(network, [0, stable(network, far)], [2, stable(network, far)]);
    network.input(1, { type: 'snapshot-installed', slot: 3, digest: later });
    const numbers = () => [...(network.state(1).heard.get(2)?.changes.keys() ?? [])];
    expect(numbers()).toHaveLength(64);
    hear(network, [2, { kind: 'view-change', number: 101, view: 65, stable: [] }]);
    hear(network, [2, { kind: 'view-change', number: 102, view: 66, stable: [] }]);
    expect(numbers()).toEqual([...changes.slice(2).map(({ number }) => number), 101, 102]);
  });
});
