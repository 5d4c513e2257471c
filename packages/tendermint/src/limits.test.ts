/** How much is told, answered, proposed and remembered at a time, to the last one that fits. */
import * as files from 'node:fs';
import type { Batch } from '@quorumlab/core';
import {
  changeRequestOf,
  keeper,
  requestOf,
  requestOfMany,
  type Sheet,
  Transcript,
} from '@quorumlab/protocol-testing';
import { expect, it } from 'vitest';
import {
  batchOf,
  checkpoint,
  decision,
  idOf,
  names,
  one,
  other,
  polkaOf,
  precommit,
  prevote,
  proposal,
  status,
} from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import { encodeStep } from './index.ts';
import type { Message } from './messages.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
/** A test that writes what the one on file says. */
const kept = (name: string, words: string, play: (sheet: Sheet) => void): void =>
  it(words, () => expect(keep(name, play)).not.toBe(''));

/** Replica 2 hears `messages`, each from whom it is said to be. */
function hear(network: Network, ...messages: readonly (readonly [number, Message])[]): void {
  for (const [from, message] of messages) network.inject(from, 2, message);
}

const written = (network: Network, sheet: Sheet): Transcript<never> =>
  new Transcript(network, names, sheet, [2]) as never;

/** A sixteenth of what a batch holds, and all but one such part. */
const part = (client: number, sequence: number) => requestOfMany(client, sequence, 1024);
const parts = (count: number, client = 0): Batch =>
  Array.from({ length: count }, (_, i) => part(client + i, 1));

/** Replica 2 has decided these heights, told by replica 3. */
function decided(network: Network, batches: readonly Batch[]): void {
  for (const batch of batches)
    hear(network, [3, decision(network, network.state(2).height, batch)]);
}

kept('relays', 'four batches of requests are told beside a precommit, once a height', (sheet) => {
  const network = make({ maxBatch: 2 });
  hear(network, [0, proposal(0, one)]);
  written(network, sheet);
  for (let sequence = 1; sequence <= 11; sequence++)
    network.input(2, { type: 'propose', command: requestOf(3 + (sequence % 3), sequence) });
  hear(network, [2, prevote(0, one)], [0, prevote(0, one)], [1, prevote(0, one)]);
  network.input(2, { type: 'propose', command: requestOf(9, 1) });
  hear(network, [0, precommit(0, one)], [1, precommit(0, one)], [3, precommit(0, one)]);
  network.input(2, { type: 'propose', command: requestOf(9, 2) });
  network.fire(2, 'status');
  network.fire(2, 'propose');
  network.fire(2, 'status');
});

kept('relayed-bytes', 'and of large requests as many as a batch holds', (sheet) => {
  const network = make();
  hear(network, [0, proposal(0, one)]);
  written(network, sheet);
  for (const command of parts(18, 20)) network.input(2, { type: 'propose', command });
  hear(network, [2, prevote(0, one)], [0, prevote(0, one)], [1, prevote(0, one)]);
  network.fire(2, 'status');
});

kept('answers', 'a report is answered with 64 decisions, or with a batch of bytes', (sheet) => {
  const network = make({ checkpointEvery: 1000 });
  decided(
    network,
    Array.from({ length: 66 }, (_, i) => [requestOf(0, i)]),
  );
  const told = (height: number, from: number): void => {
    const { sends } = network.wouldAnswer(from, 2, status({ height }));
    sheet.write(`at ${height}: ${sends.map(({ message }) => placeIn(message)).join(' ')}`);
  };
  for (const height of [1, 2, 3, 4, 66, 67, 68]) told(height, 0);
  decided(network, [parts(16), parts(1, 30), parts(8), parts(8, 40), parts(1, 50), one]);
  for (let height = 66; height < 73; height++) told(height, 1);
});

const placeIn = (message: Message): string =>
  message.kind === 'decision' ? `${message.commit.body.height}` : message.kind;

kept('early', 'of the next height two batches and nine rounds of a sender are kept', (sheet) => {
  const network = make();
  const run = written(network, sheet);
  // Replica 1 proposes in rounds 0, 4 and 8 of height 2.
  for (const [round, count] of [
    [0, 16],
    [0, 1],
    [4, 15],
    [8, 2],
    [8, 1],
  ] as const)
    hear(network, [1, proposal(round, parts(count), { height: 2 })]);
  for (const round of [0, 8, 9]) {
    hear(network, [1, prevote(round, one, null, 2)], [1, prevote(round, null, null, 2)]);
    hear(network, [1, precommit(round, one, 2)], [1, precommit(round, null, 2)]);
  }
  run.holdings(2);
  hear(network, [3, decision(network, 1, one)]);
});

kept('rounds', 'eight rounds before this one and eight after it are remembered', (sheet) => {
  const network = make();
  for (const from of [0, 3]) hear(network, [from, prevote(10, null)]);
  const run = written(network, sheet);
  for (const round of [1, 2, 3, 17, 18, 19, 30]) {
    hear(network, [1, prevote(round, one)], [1, precommit(round, one)]);
    hear(network, [round % 4, proposal(round, one)]);
    hear(network, [3, { kind: 'polka', polka: polkaOf(network, round, one) }]);
  }
  run.holdings(2);
});

kept('changes', 'a change of the group is proposed alone, at every other height', (sheet) => {
  const leave = (sequence: number) =>
    changeRequestOf(5, sequence, encodeStep({ server: 4, becomes: 'none' }));
  const both: Message = { kind: 'relay', requests: [leave(1), requestOf(6, 1), leave(2)] };
  const alone: Message = { kind: 'relay', requests: [leave(1), leave(2)] };
  // Replica 2 proposes in round 0 of height 3, and in round 1 of height 2.
  for (const [words, height, round, relayed] of [
    ['an odd height: others first', 3, 0, both],
    ['an odd height, and nothing else waits', 3, 0, alone],
    ['an even height: the change first', 2, 1, both],
  ] as const) {
    const network = make({ n: 5, f: 1, initialMembers: '0,1,2,3' });
    decided(network, [one, other].slice(0, height - 1));
    const run = written(network, sheet);
    run.note(words);
    hear(network, [3, relayed]);
    for (const from of [0, 3])
      if (round > 0) hear(network, [from, prevote(round, null, null, height)]);
    hear(network, [3, decision(network, height, batchOf(3))]);
    run.holdings(2);
  }
});

kept('filled', 'between checkpoints so many bytes are decided, and no more', (sheet) => {
  const network = make({ checkpointEvery: 4, window: 8, windowBytes: 512 });
  const size = 132;
  expect(network.protocol.group).toMatchObject({ intervalBytes: 256 });
  decided(network, [one]);
  const run = written(network, sheet);
  run.note(`one request of ${size} bytes is decided since height 0`);
  hear(network, [1, proposal(0, other, { height: 2 })]);
  hear(network, [3, decision(network, 2, other)]);
  run.note('two: full');
  network.input(2, { type: 'propose', command: requestOf(5, 1) });
  network.deliver(({ to }) => to === 2);
  hear(network, [3, decision(network, 3, [])]);
  hear(network, [3, proposal(0, batchOf(5), { height: 4 })]);
  hear(network, [3, decision(network, 4, [])]);
  run.note('after the checkpoint there is room again');
  hear(network, [0, proposal(0, batchOf(5), { height: 5 })]);
});

kept('window', 'who has no room above the checkpoint does not act', (sheet) => {
  const network = make({ checkpointEvery: 2, window: 4 });
  decided(network, [1, 2, 3].map(batchOf));
  const run = written(network, sheet);
  hear(network, [3, proposal(0, one, { height: 4 })]);
  hear(network, [3, decision(network, 4, batchOf(4))]);
  hear(network, [0, proposal(0, one, { height: 5 })]);
  network.fire(2, 'status');
  network.fire(2, 'status');
  const state = network.state(2).checkpoints.get(2);
  for (const from of [0, 1, 3]) hear(network, [from, checkpoint(2, state)]);
  run.holdings(2);
});

kept('many-checkpoints', 'of a member a window of checkpoints is remembered', (sheet) => {
  const network = make({ checkpointEvery: 2, window: 4 });
  const run = written(network, sheet);
  for (const height of [2, 4, 6, 8, 10, 4]) hear(network, [3, checkpoint(height)]);
  run.holdings(2);
  for (const height of [2, 4, 6, 8]) hear(network, [0, checkpoint(height)]);
  hear(network, [1, checkpoint(8)]);
  run.holdings(2);
});

kept('wanted', 'values that are missing are asked for of two who have them', (sheet) => {
  const network = make();
  const run = written(network, sheet);
  for (const from of [0, 3]) hear(network, [from, prevote(2, null)]);
  for (const [round, signers] of [
    [0, [0, 1, 2]],
    [1, [1, 2, 3]],
    [2, [0, 1, 3]],
  ] as const)
    hear(network, [
      3,
      { kind: 'polka', polka: polkaOf(network, round, batchOf(round + 4), signers) },
    ]);
  network.fire(2, 'propose');
  for (const from of [0, 1, 3]) hear(network, [from, precommit(2, null)]);
  hear(network, [3, { kind: 'batch', height: 1, batch: batchOf(5) }]);
  hear(network, [3, { kind: 'batch', height: 1, batch: batchOf(5) }]);
  hear(network, [0, { kind: 'fetch-batch', height: 1, value: idOf(batchOf(5)) }]);
  run.holdings(2);
  network.fire(2, 'precommit');
  run.holdings(2);
});
