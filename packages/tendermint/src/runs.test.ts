/**
 * Runs that are kept whole, in `test/runs/`: each step of the replicas that are watched, what it
 * writes before it speaks, to whom it speaks, its timers, and what it decides.
 */
import * as files from 'node:fs';
import {
  changeRequestOf,
  keeper,
  requestOf,
  type Sheet,
  Transcript,
  testDigest,
} from '@quorumlab/protocol-testing';
import { expect, it } from 'vitest';
import {
  batchOf,
  checkpoint,
  decision,
  names,
  one,
  other,
  polkaOf,
  precommit,
  prevote,
  proposal,
  status,
} from '../test/messages.ts';
import { make, Network } from '../test/network.ts';
import { encodeStep, encodeValidators, tendermint } from './index.ts';
import type { Message } from './messages.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
/** A test that writes what the one on file says. */
const kept = (name: string, words: string, play: (sheet: Sheet) => void): void =>
  it(words, () => expect(keep(name, play)).not.toBe(''));

const second = 1_000_000;

/** Replica 2 hears `messages`, each from whom it is said to be. */
function hear(network: Network, ...messages: readonly (readonly [number, Message])[]): void {
  for (const [from, message] of messages) network.inject(from, 2, message);
}

/** Each of `seats` is asked for what client 0 wants as its `sequence`th. */
function ask(network: Network, sequence: number, ...seats: readonly number[]): void {
  for (const self of seats)
    network.input(self, { type: 'propose', command: requestOf(0, sequence) });
}

const written = (network: Network, sheet: Sheet, seats: readonly number[]) =>
  new Transcript(network, names, sheet, seats);

kept('well', 'heights that go well, with a checkpoint at every second one', (sheet) => {
  const network = make({ checkpointEvery: 2, window: 2 });
  const run = written(network, sheet, [0, 2]);
  for (let sequence = 0; sequence < 4; sequence++) {
    ask(network, sequence, sequence % 4);
    network.run(0);
  }
  run.holdings(2);
});

kept('silent', 'a proposer that is silent, and the next one', (sheet) => {
  const network = make();
  network.stop(0);
  const run = written(network, sheet, [1, 2]);
  ask(network, 1, 1, 2);
  network.run(3 * second, () => network.executed.size > 0);
  run.holdings(2);
});

kept('timeouts', 'votes that differ, and every timeout of a round', (sheet) => {
  const network = make();
  const run = written(network, sheet, [2]);
  run.note('a request has the proposer awaited');
  ask(network, 1, 2);
  network.fire(2, 'propose');
  run.note('a quorum has prevoted, for no one thing');
  hear(network, [2, prevote(0, null)], [0, prevote(0, one)], [1, prevote(0, one)]);
  network.fire(2, 'prevote');
  run.note('a quorum has precommitted, no one thing');
  hear(network, [2, precommit(0, null)], [0, precommit(0, one)], [1, precommit(0, null)]);
  network.fire(2, 'precommit');
  run.note('the next round is longer');
  network.fire(2, 'propose');
  run.note('its own requests are told again with the status');
  network.fire(2, 'status');
  network.fire(2, 'idle');
  run.holdings(2);
});

kept(
  'locks',
  'a lock, a value that nobody else has decided, and a later one that takes over',
  (sheet) => {
    const network = make();
    const run = written(network, sheet, [2]);
    hear(network, [0, proposal(0, one)], [2, prevote(0, one)]);
    hear(network, [0, prevote(0, one)], [1, prevote(0, one)], [2, precommit(0, one)]);
    hear(network, [0, precommit(0, null)], [1, precommit(0, null)]);
    network.fire(2, 'precommit');
    run.note('round 1: another value, as if it were new');
    hear(network, [1, proposal(1, other)], [2, prevote(1, null)], [0, prevote(1, null)]);
    hear(network, [3, prevote(1, null)], [2, precommit(1, null)], [0, precommit(1, null)]);
    hear(network, [3, precommit(1, null)]);
    network.fire(2, 'precommit');
    run.note('round 2: its own turn, with the valid value');
    network.deliver(({ from, to }) => from === 2 && to === 2);
    run.note('round 5: another value, valid in round 3');
    for (const from of [0, 3]) hear(network, [from, prevote(5, null)]);
    const polka = polkaOf(network, 3, other, [0, 1, 3]);
    hear(network, [1, proposal(5, other, { validRound: 3, polka })]);
    run.note('a polka of it takes the lock along');
    for (const from of [1, 2]) hear(network, [from, prevote(5, other, 3)]);
    run.holdings(2);
    hear(network, [3, { kind: 'polka', polka: polkaOf(network, 5, other, [0, 1, 3], 3) }]);
    hear(network, [0, precommit(5, other)], [1, precommit(5, other)], [3, precommit(5, other)]);
    run.holdings(2);
  },
);

kept('restart', 'a restart in the middle of a round, and after decisions', (sheet) => {
  const network = make({ checkpointEvery: 2 });
  for (let sequence = 0; sequence < 5; sequence++) {
    ask(network, sequence, sequence % 4);
    network.run(0);
  }
  hear(network, [1, proposal(0, one, { height: 6 })], [1, prevote(0, one, null, 6)]);
  hear(network, [0, prevote(0, one, null, 6)], [2, prevote(0, one, null, 6)]);
  network.drop();
  network.now = 5 * second;
  const run = written(network, sheet, [2]);
  network.stop(2);
  network.restart(2);
  network.fire(2, 'status');
  run.holdings(2);
  run.note('the proposer of the height restarts as well');
  ask(network, 9, 1);
  network.drop();
  network.stop(1);
  written(network, sheet, [1]);
  network.restart(1);
  network.fire(1, 'status');
});

kept('away', 'whoever was away is told what was decided', (sheet) => {
  const network = make();
  network.stop(3);
  for (let sequence = 0; sequence < 3; sequence++) {
    ask(network, sequence, 0, 1, 2);
    network.run(2 * second, () => network.executed.size > sequence);
  }
  network.drop();
  const run = written(network, sheet, [0, 3]);
  network.restart(3);
  network.run(2 * second, () => network.seat(3).applied === 3);
  run.holdings(3);
});

kept('state', 'whoever was away for longer gets the state', (sheet) => {
  const network = make({ checkpointEvery: 2, window: 2 });
  network.stop(3);
  for (let sequence = 0; sequence < 8; sequence++) {
    ask(network, sequence, 0, 1, 2);
    network.run(5 * second, () => network.executed.size > sequence);
  }
  network.run(second);
  network.drop();
  const run = written(network, sheet, [0, 3]);
  network.restart(3);
  network.run(5 * second, () => network.seat(3).applied === 8);
  run.holdings(3);
  expect(network.seat(3).applied).toBe(8);
});

kept('batch', 'a batch that is missing is asked for, of some and then of all', (sheet) => {
  const network = make();
  written(network, sheet, [2, 3]);
  network.inject(0, 3, proposal(0, one));
  network.drop();
  for (const from of [0, 1, 3]) hear(network, [from, precommit(0, one)]);
  network.drop(({ message }) => message.kind === 'fetch-batch');
  network.fire(2, 'status');
  network.fire(2, 'precommit');
  network.fire(2, 'status');
  network.fire(2, 'status');
  network.deliver(({ to }) => to === 3);
  network.deliver(({ to }) => to === 2);
});

kept(
  'requests',
  'requests go in batches, in the turns of their clients, and are told to the others',
  (sheet) => {
    const network = make({ maxBatch: 2 });
    const run = written(network, sheet, [0, 1]);
    for (let sequence = 1; sequence <= 5; sequence++) ask(network, sequence, 1);
    network.input(1, { type: 'propose', command: requestOf(1, 1) });
    network.deliver(({ message }) => message.kind === 'relay');
    network.run(2 * second, () => network.executed.size === 6);
    run.holdings(1);
  },
);

kept(
  'bytes',
  'between two checkpoints a group that has had its bytes decides nothing more',
  (sheet) => {
    const network = make({ checkpointEvery: 4, window: 4, windowBytes: 300 });
    const run = written(network, sheet, [0]);
    for (let sequence = 1; sequence <= 4; sequence++) {
      ask(network, sequence, 0, 1, 2, 3);
      network.run(0);
    }
    run.holdings(0);
  },
);

kept('published', 'as published, prevotes do not tell since when a value was valid', (sheet) => {
  const network = make({ accountable: false });
  const run = written(network, sheet, [2]);
  for (const from of [0, 3]) hear(network, [from, prevote(1, null)]);
  const polka = polkaOf(network, 0, other);
  hear(network, [1, proposal(1, other, { validRound: 0, polka })], [2, prevote(1, other)]);
  hear(network, [0, prevote(1, other, 0)], [0, prevote(1, other)], [1, prevote(1, other)]);
  run.holdings(2);
});

kept('members', 'five and then four and then five again vote, by decisions', (sheet) => {
  const network = make({ n: 5, f: 1, initialMembers: '0,1,2,3' });
  const run = written(network, sheet, [0, 4]);
  const changes = [
    encodeStep({ server: 4, becomes: 'voter' }),
    encodeStep({ server: 4, becomes: 'voter' }),
    encodeStep({ server: 0, becomes: 'none' }),
    encodeValidators([1, 2, 3, 4, 0].map((member) => ({ member, weight: 2 }))),
  ];
  for (const [i, configuration] of changes.entries()) {
    run.note(`change ${i + 1}`);
    const command = changeRequestOf(1, i, configuration);
    for (const self of [0, 1, 2, 3, 4]) network.input(self, { type: 'propose', command });
    network.run(0);
  }
  run.holdings(0);
  run.holdings(4);
});

kept('sets', 'whoever missed changes of the group is shown each of them', (sheet) => {
  const network = make({ n: 5, f: 1 });
  network.stop(3);
  for (const [i, becomes] of (['none', 'voter'] as const).entries()) {
    const command = changeRequestOf(1, i, encodeStep({ server: 4, becomes }));
    for (const self of [0, 1, 2, 4]) network.input(self, { type: 'propose', command });
    network.run(9 * second, () => network.state(0).validators.length === i + 2);
  }
  network.run(9 * second);
  network.drop();
  const run = written(network, sheet, [3]);
  network.restart(3);
  run.note('what the others say names sets that it does not know');
  network.run(second);
  run.holdings(3);
});

kept('weights', 'votes weigh', (sheet) => {
  const network = new Network(
    tendermint({ n: 5, digest: testDigest, weights: '1,1,1,1,3', proposeTimeout: second }),
  );
  written(network, sheet, [2]);
  hear(network, [0, prevote(3, null)], [1, precommit(3, null)], [4, prevote(3, null)]);
  hear(network, [4, prevote(3, other)], [0, prevote(3, other)], [1, prevote(3, other)]);
  hear(network, [4, precommit(3, other)], [0, precommit(3, other)], [1, precommit(3, other)]);
});

kept('proofs', 'two words of one member, and two polkas of one round, are proofs', (sheet) => {
  const network = make();
  written(network, sheet, [2]);
  hear(network, [0, proposal(0, one)], [0, proposal(0, one)], [0, proposal(0, other)]);
  hear(network, [0, prevote(0, one)], [0, prevote(0, one)], [0, prevote(0, other)]);
  hear(network, [0, precommit(0, one)], [0, precommit(0, one)], [0, precommit(0, null)]);
  hear(network, [0, checkpoint(4)], [0, checkpoint(4)], [0, checkpoint(4, 'd'.repeat(64))]);
  hear(network, [3, { kind: 'polka', polka: polkaOf(network, 0, one) }]);
  hear(network, [3, { kind: 'polka', polka: polkaOf(network, 0, one, [1, 2, 3]) }]);
  hear(network, [3, { kind: 'polka', polka: polkaOf(network, 0, other, [1, 2, 3]) }]);
});

kept(
  'reports',
  'reports are answered once in half a period, or when the answer was used',
  (sheet) => {
    const network = make();
    for (let height = 1; height <= 3; height++)
      hear(network, [3, decision(network, height, batchOf(height))]);
    written(network, sheet, [2]);
    hear(network, [0, status()], [0, status()], [0, status({ height: 3 })]);
    hear(network, [3, decision(network, 4, batchOf(4))], [0, status({ height: 4 })]);
    network.now += 249_999;
    hear(network, [0, status({ height: 4 })]);
    network.now += 1;
    hear(network, [0, status({ height: 4 })]);
  },
);
