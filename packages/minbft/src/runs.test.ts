/**
 * Runs that are kept whole, in `test/runs/`: each step of the replicas that are watched, what it
 * writes before it speaks, to whom it speaks, its timers, and what it executes.
 */
import * as files from 'node:fs';
import { keeper, requestOf, type Sheet, Transcript } from '@quorumlab/protocol-testing';
import { expect, it } from 'vitest';
import { batchOf, idOf, names } from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
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

/** Each of `seats` is asked for the first request of each of these clients. */
function ask(network: Network, seats: readonly number[], ...clients: readonly number[]): void {
  for (const client of clients)
    for (const self of seats)
      network.input(self, { type: 'propose', command: requestOf(client, 1) });
}

const written = (network: Network, sheet: Sheet, seats: readonly number[]) =>
  new Transcript(network, names, sheet, seats);

/** `to` hears `messages`, each from whom it is said to be. */
function hear(
  network: Network,
  to: number,
  ...messages: readonly (readonly [number, Message])[]
): void {
  for (const [from, message] of messages) network.inject(from, to, message);
}

kept('well', 'batches that go well, with a checkpoint after every second one', (sheet) => {
  const network = make({ checkpointEvery: 2, window: 2 });
  const run = written(network, sheet, [0, 1]);
  for (let client = 0; client < 5; client++) {
    ask(network, [client % 3], client);
    network.run(0);
  }
  run.holdings(1);
});

kept(
  'batches',
  'many requests are ordered in batches, and few of these are under way at a time',
  (sheet) => {
    const network = make({ maxBatch: 2, maxOutstanding: 1 });
    written(network, sheet, [0]);
    ask(network, [0], 0, 1, 2, 3, 4);
    network.run(0);
  },
);

kept('view-change', 'a primary that is gone, and what it had ordered', (sheet) => {
  const network = make();
  ask(network, [0], 1);
  network.deliver(({ message, to }) => message.kind !== 'commit' || to !== 2);
  network.stop(0);
  network.drop();
  const run = written(network, sheet, [1, 2]);
  ask(network, [1, 2], 2);
  network.run(4 * second, () => network.executed.size === 2);
  expect(network.executed.size).toBe(2);
  run.holdings(1);
  run.holdings(2);
});

kept('patience', 'patience doubles while views do not help', (sheet) => {
  const network = make();
  network.stop(0);
  network.stop(2);
  const run = written(network, sheet, [1]);
  ask(network, [1], 1);
  for (let view = 1; view <= 3; view++) {
    run.note(`another member asks for view ${view}`);
    network.run((2 ** (view - 1) + 1) * second);
    hear(network, 1, [2, { kind: 'req-view-change', view }]);
    network.run(0);
  }
  run.holdings(1);
});

kept('restart', 'a restart says again what was said', (sheet) => {
  const network = make({ checkpointEvery: 2 });
  for (let client = 0; client < 3; client++) {
    ask(network, [0], client);
    network.run(0);
  }
  ask(network, [0], 7);
  network.deliver(({ message }) => message.kind === 'batch' || message.kind === 'prepare');
  network.now = 5 * second;
  const run = written(network, sheet, [0, 1]);
  for (const self of [1, 0]) {
    network.stop(self);
    network.drop();
    network.restart(self);
  }
  network.run(2 * second);
  run.holdings(0);
  run.holdings(1);
});

kept('lost-disk', 'a lost disk: what it has said comes back from the others', (sheet) => {
  const network = make();
  ask(network, [0], 0, 1);
  network.run(0);
  const run = written(network, sheet, [0, 1]);
  network.stop(1);
  const seat = network.seat(1);
  seat.boot('blank');
  seat.applied = 0;
  seat.state = 0;
  network.input(1, { type: 'start', incarnation: 1 });
  network.run(second, () => network.seat(1).applied === 2);
  expect(network.seat(1).applied).toBe(2);
  run.holdings(1);
});

kept('away', 'whoever was away hears what the others have said', (sheet) => {
  const network = make();
  network.stop(2);
  ask(network, [0], 0, 1, 2);
  network.run(second);
  network.drop();
  const run = written(network, sheet, [0, 2]);
  network.restart(2);
  network.run(3 * second, () => network.seat(2).applied === 2);
  expect(network.seat(2).applied).toBe(2);
  run.holdings(2);
});

kept(
  'state',
  'whoever was away for longer gets the state, and places from which to hear',
  (sheet) => {
    const network = make({ checkpointEvery: 2, window: 2 });
    network.stop(2);
    for (let client = 0; client < 9; client++) {
      ask(network, [0], client);
      network.run(0);
    }
    network.drop();
    const run = written(network, sheet, [0, 2]);
    network.restart(2);
    network.run(5 * second, () => network.seat(2).applied === 9);
    run.holdings(2);
  },
);

kept('batch', 'a batch that is missing is asked for, once until the next tick', (sheet) => {
  const network = make();
  written(network, sheet, [1, 2]);
  const digest = idOf(batchOf(1));
  const prepare = { kind: 'prepare', number: 1, view: 0, sequence: 1, digest } as const;
  for (const to of [1, 2]) hear(network, to, [0, prepare]);
  hear(network, 2, [0, { kind: 'batch', batch: batchOf(1) }]);
  network.drop(({ message }) => message.kind === 'fetch-batch');
  network.fire(1, 'tick');
  network.deliver(({ to }) => to !== 0);
});

kept(
  'new-view',
  'a new view begins with what was voted for in the highest view, and nothing in gaps',
  (sheet) => {
    const network = make();
    const run = written(network, sheet, [1]);
    const prepare = (number: number, sequence: number, client: number): Message => ({
      kind: 'prepare',
      number,
      view: 0,
      sequence,
      digest: idOf(batchOf(client)),
    });
    hear(network, 1, [0, { kind: 'batch', batch: batchOf(1) }], [0, prepare(1, 1, 1)]);
    hear(network, 1, [0, { kind: 'batch', batch: batchOf(3) }], [0, prepare(2, 3, 3)]);
    network.deliver(({ from, to }) => from === 1 && to === 1);
    hear(network, 1, [2, { kind: 'req-view-change', view: 4 }]);
    hear(network, 1, [0, { kind: 'req-view-change', view: 4 }]);
    network.deliver(({ from, to }) => from === 1 && to === 1);
    hear(network, 1, [2, { kind: 'view-change', number: 1, view: 4, stable: [] }]);
    network.deliver(({ from, to }) => from === 1 && to === 1);
    run.holdings(1);
  },
);

kept('numbers', 'a counter that was set back is proof, and a view-change has its turn', (sheet) => {
  const network = make();
  const run = written(network, sheet, [1]);
  const prepare = (number: number, client: number): Message => ({
    kind: 'prepare',
    number,
    view: 0,
    sequence: number,
    digest: idOf(batchOf(client)),
  });
  hear(network, 1, [0, prepare(2, 2)], [0, prepare(2, 2)], [0, prepare(1, 1)]);
  hear(network, 1, [0, prepare(1, 1)], [0, prepare(1, 3)], [0, prepare(2, 3)]);
  hear(network, 1, [2, { kind: 'view-change', number: 2, view: 2, stable: [] }]);
  hear(network, 1, [2, { kind: 'view-change', number: 1, view: 1, stable: [] }]);
  run.holdings(1);
});
