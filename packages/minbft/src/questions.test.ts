/** What a replica makes of every message, and of those that differ from it in one thing. */
import * as files from 'node:fs';
import type { Signed } from '@quorumlab/core';
import { askedIn, keeper, requestOf, type Sheet } from '@quorumlab/protocol-testing';
import { expect, it } from 'vitest';
import { batchOf, idOf, names } from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import type { Anchor, Checkpoint, Message, Numbered, Prepare } from './messages.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
/** A test that writes what the one on file says. */
const kept = (name: string, words: string, play: (sheet: Sheet) => void): void =>
  it(words, () => expect(keep(name, play)).not.toBe(''));

type Told = readonly (readonly [from: number, message: Message])[];

/** Asks replica 1, as it is now, about `told`. */
const askAbout = (network: Network, sheet: Sheet, told: Told): void =>
  askedIn(network, 1, told, names, sheet);

/** Replica 1 hears `told`, each from whom it is said to be. */
function hear(network: Network, ...told: Told): void {
  for (const [from, message] of told) network.inject(from, 1, message);
}

const digest = idOf(batchOf(1));
const later = 'c'.repeat(64);

const prepare = (number: number, part: Partial<Prepare> = {}): Prepare => ({
  kind: 'prepare',
  number,
  view: 0,
  sequence: number,
  digest,
  ...part,
});

const checkpoint = (number: number, sequence: number, of = later): Checkpoint => ({
  kind: 'checkpoint',
  number,
  sequence,
  digest: of,
});

const commit = (network: Network, number: number, of: Prepare): Message => ({
  kind: 'commit',
  number,
  prepare: network.sign(of, 0),
});

const proof = (network: Network, sequence: number, number = 9): Signed<Checkpoint>[] =>
  [0, 2].map((from) => network.sign(checkpoint(number, sequence), from));

const anchor = (member: number, number: number, part: Partial<Anchor> = {}): Anchor => ({
  member,
  number,
  sequence: 4,
  view: 0,
  changes: [],
  begun: member === 0,
  orders: [],
  ...part,
});

const said = (network: Network, from: number, statement: Numbered): Message => ({
  kind: 'said',
  statement: network.sign(statement, from),
});

const oneOfEach = (network: Network): Told => [
  [0, prepare(1)],
  [2, commit(network, 1, prepare(1))],
  [2, checkpoint(1, 4)],
  [2, { kind: 'view-change', number: 1, view: 1, stable: [] }],
  [2, { kind: 'view-change', number: 1, view: 1, stable: proof(network, 4) }],
  [2, { kind: 'new-view', number: 1, view: 2, changes: [{ member: 0, number: 1 }] }],
  [0, { kind: 'batch', batch: batchOf(1) }],
  [2, { kind: 'relay', requests: batchOf(1) }],
  [2, { kind: 'req-view-change', view: 1 }],
  [2, { kind: 'status', view: 0, stable: 0, executed: 0, heard: [0, 0, 0] }],
  [2, said(network, 0, prepare(1))],
  [
    2,
    { kind: 'stable-checkpoint', proof: proof(network, 4), anchors: [anchor(0, 9), anchor(2, 9)] },
  ],
  [2, { kind: 'fetch-batch', sequence: 1, digest }],
];

kept('questions-first', 'at first it takes what has its turn, and keeps what has not', (sheet) => {
  const network = make();
  askAbout(network, sheet, oneOfEach(network));
});

kept(
  'questions-middle',
  'in the middle of a batch, and with statements that wait for their turn',
  (sheet) => {
    const network = make();
    hear(network, [0, { kind: 'batch', batch: batchOf(1) }], [0, prepare(1)], [0, prepare(3)]);
    hear(network, [2, { kind: 'req-view-change', view: 1 }], [2, commit(network, 2, prepare(2))]);
    askAbout(network, sheet, [
      ...oneOfEach(network),
      [0, prepare(2)],
      [2, commit(network, 1, prepare(1, { digest: idOf(batchOf(2)) }))],
      [0, { kind: 'req-view-change', view: 2 }],
      [0, { kind: 'view-change', number: 2, view: 3, stable: [] }],
      [0, { kind: 'batch', batch: [] }],
      [2, { kind: 'status', view: 0, stable: 0, executed: 1, heard: [0, 0, 3] }],
    ]);
  },
);

kept('questions-leaving', 'as the primary of a later view, once its new view is there', (sheet) => {
  const network = make();
  hear(network, [0, { kind: 'batch', batch: batchOf(1) }], [0, prepare(1)]);
  for (const from of [0, 2]) hear(network, [from, { kind: 'req-view-change', view: 1 }]);
  network.deliver(({ from, to }) => from === 1 && to === 1);
  askAbout(network, sheet, [
    [2, { kind: 'view-change', number: 1, view: 1, stable: [] }],
    [2, { kind: 'view-change', number: 1, view: 1, stable: proof(network, 4) }],
    [0, prepare(2)],
    [2, { kind: 'relay', requests: batchOf(3) }],
    [2, commit(network, 1, prepare(1))],
  ]);
  hear(network, [2, { kind: 'view-change', number: 1, view: 1, stable: [] }]);
  network.deliver(({ from, to }) => from === 1 && to === 1);
  askAbout(network, sheet, [
    [2, { kind: 'relay', requests: batchOf(3) }],
    [2, { kind: 'relay', requests: batchOf(1) }],
    [
      2,
      { kind: 'commit', number: 2, prepare: network.sign(prepare(4, { view: 1, sequence: 1 }), 1) },
    ],
    [2, { kind: 'view-change', number: 2, view: 2, stable: [] }],
    [2, { kind: 'new-view', number: 2, view: 2, changes: [] }],
    [0, { kind: 'req-view-change', view: 2 }],
    [0, prepare(2)],
  ]);
});

kept(
  'questions-new-view',
  'as a backup of a new view it judges V by what it has heard',
  (sheet) => {
    const network = make();
    hear(network, [0, { kind: 'view-change', number: 1, view: 2, stable: [] }]);
    hear(network, [2, { kind: 'view-change', number: 1, view: 2, stable: [] }]);
    network.deliver(({ from, to }) => from === 1 && to === 1);
    const changes = [
      { member: 0, number: 1 },
      { member: 2, number: 1 },
    ];
    const begins = { kind: 'new-view', number: 2, view: 2, changes } as const;
    askAbout(network, sheet, [
      [2, begins],
      [2, { ...begins, changes: changes.slice(1) }],
      [2, { ...begins, changes: [...changes, { member: 1, number: 1 }] }],
      [0, { ...begins }],
      [2, prepare(2, { view: 2, sequence: 1 })],
    ]);
    hear(network, [2, begins]);
    askAbout(network, sheet, [
      [2, prepare(3, { view: 2, sequence: 1 })],
      [0, commit(network, 2, prepare(3, { view: 2, sequence: 1 }))],
      [2, { ...begins, number: 3 }],
      [0, { kind: 'view-change', number: 2, view: 2, stable: [] }],
    ]);
  },
);

kept('questions-later', 'after checkpoints, and while it waits for a state', (sheet) => {
  const network = make({ checkpointEvery: 2, window: 2 });
  for (let client = 0; client < 5; client++) {
    network.input(0, { type: 'propose', command: requestOf(client, 1) });
    network.run(0);
  }
  network.now += 100_000;
  const { number } = network.state(1).heard.get(0) ?? { number: 0 };
  const far = (sequence: number): Message => ({
    kind: 'stable-checkpoint',
    proof: proof(network, sequence),
    anchors: [anchor(0, 40, { sequence }), anchor(2, 40, { sequence, view: 2 })],
  });
  const told: Told = [
    [2, { kind: 'status', view: 0, stable: 0, executed: 0, heard: [0, 0, 0] }],
    [2, { kind: 'status', view: 0, stable: 4, executed: 4, heard: [number, number, number - 1] }],
    [2, { kind: 'status', view: 0, stable: 4, executed: 6, heard: [number + 1, 0, 0] }],
    [0, prepare(number + 1, { sequence: 6 })],
    [0, prepare(number + 1, { sequence: 5 })],
    [0, prepare(number + 1, { sequence: 7 })],
    [0, checkpoint(number + 1, 6)],
    [2, { kind: 'fetch-batch', sequence: 5, digest: idOf(batchOf(4)) }],
    [2, { kind: 'fetch-batch', sequence: 1, digest: idOf(batchOf(0)) }],
    [2, far(4)],
    [2, far(6)],
    [2, far(8)],
  ];
  askAbout(network, sheet, told);
  hear(network, [2, far(8)]);
  askAbout(network, sheet, [...told, [0, far(8)], [0, far(10)]]);
  hear(network, [0, far(8)]);
  network.input(1, { type: 'snapshot-installed', slot: 7, digest: later });
  askAbout(network, sheet, [
    [0, prepare(41, { sequence: 9 })],
    [0, prepare(40, { sequence: 9 })],
    [2, prepare(41, { view: 2, sequence: 9 })],
    [2, { kind: 'status', view: 0, stable: 8, executed: 8, heard: [40, number, 40] }],
  ]);
});
