/** How much is kept, told and answered at a time, to the last one that fits; and for how long. */
import { type Batch, firstClient } from '@quorumlab/core';
import { requestOf, requestOfMany } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { batchOf, idOf } from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import type { Anchor, Message } from './messages.ts';

/** Replica 1 hears `told`, each from whom it is said to be. */
function hear(network: Network, ...told: readonly (readonly [number, Message])[]): void {
  for (const [from, message] of told) network.inject(from, 1, message);
}

/** So many sixteenths of what a batch holds. */
const parts = (count: number, client = 0): Batch =>
  Array.from({ length: count }, (_, i) => requestOfMany(client + i, 1, 1024));

const prepare = (number: number): Message => ({
  kind: 'prepare',
  number,
  view: 0,
  sequence: number,
  digest: idOf(batchOf(1)),
});

const status = (heard: readonly number[], executed = 0): Message => ({
  kind: 'status',
  view: 0,
  stable: 0,
  executed,
  heard: [...heard],
});

describe('batches whose prepare has not come', () => {
  const keptIn = (network: Network) => [...network.state(1).bodies.keys()];

  it('are kept in four windows, and the oldest gives way', () => {
    const network = make({ checkpointEvery: 1, window: 1 });
    for (let i = 0; i < 4; i++) hear(network, [2, { kind: 'batch', batch: batchOf(i) }]);
    expect(keptIn(network)).toEqual([0, 1, 2, 3].map((i) => idOf(batchOf(i))));
    hear(network, [2, { kind: 'batch', batch: batchOf(3) }]);
    expect(keptIn(network)).toHaveLength(4);
    hear(network, [2, { kind: 'batch', batch: batchOf(4) }]);
    expect(keptIn(network)).toEqual([1, 2, 3, 4].map((i) => idOf(batchOf(i))));
    expect(network.state(1).bodyBytes).toBe(4 * 64);
  });

  it('and in eight times what a batch holds', () => {
    const network = make();
    for (let i = 0; i < 8; i++) hear(network, [2, { kind: 'batch', batch: parts(16, 16 * i) }]);
    expect(network.state(1).bodyBytes).toBe(8 * 1024 * 1024);
    expect(keptIn(network)).toHaveLength(8);
    hear(network, [2, { kind: 'batch', batch: batchOf(500) }]);
    expect(keptIn(network)).toHaveLength(8);
    expect(network.state(1).bodyBytes).toBe(7 * 1024 * 1024 + 64);
  });

  it('too large a batch is none', () => {
    const network = make();
    hear(network, [2, { kind: 'batch', batch: parts(17) }]);
    expect(keptIn(network)).toEqual([]);
  });
});

describe('statements that wait for their turn', () => {
  it('are 512 of a member at most', () => {
    const network = make();
    hear(network, [0, prepare(512)], [0, prepare(513)]);
    expect([...(network.state(1).heard.get(0)?.early.keys() ?? [])]).toEqual([512]);
    hear(network, [0, prepare(1)], [0, prepare(513)], [0, prepare(514)]);
    expect([...(network.state(1).heard.get(0)?.early.keys() ?? [])]).toEqual([512, 513]);
  });
});

describe('a report', () => {
  /** Replica 1 has heard so many statements of replica 0. */
  const heard = (count: number): Network => {
    const network = make({ checkpointEvery: 128 });
    for (let number = 1; number <= count; number++) hear(network, [0, prepare(number)]);
    network.drop();
    return network;
  };
  const saidIn = (network: Network, message: Message, from = 2): readonly number[] =>
    network
      .wouldAnswer(from, 1, message)
      .sends.flatMap(({ message: each }) => (each.kind === 'said' ? [each.statement.number] : []));

  it('is answered with 64 statements of a member', () => {
    const network = heard(70);
    const all = Array.from({ length: 70 }, (_, i) => i + 1);
    expect(saidIn(network, status([0, 0, 0]))).toEqual(all.slice(0, 64));
    expect(saidIn(network, status([5, 0, 0]))).toEqual(all.slice(5, 69));
    expect(saidIn(network, status([6, 0, 0]))).toEqual(all.slice(6));
    expect(saidIn(network, status([70, 0, 0]))).toEqual([]);
  });

  it('is answered again after a quarter of a period, or once 32 more were heard', () => {
    const network = heard(40);
    hear(network, [2, status([0, 0, 0])]);
    expect(saidIn(network, status([31, 0, 0]))).toEqual([]);
    expect(saidIn(network, status([32, 0, 0]))).toHaveLength(8);
    expect(saidIn(network, status([16, 8, 8]))).toHaveLength(24);
    network.now += 62_499;
    expect(saidIn(network, status([31, 0, 0]))).toEqual([]);
    network.now += 1;
    expect(saidIn(network, status([31, 0, 0]))).toHaveLength(9);
    // Others have their own turn.
    expect(saidIn(network, status([31, 0, 0]), 0)).toHaveLength(9);
  });

  it('is sent after each 32nd statement that was handed on, while more are missing', () => {
    const network = make({ checkpointEvery: 128 });
    const said = (number: number): Message => ({
      kind: 'said',
      statement: network.sign(prepare(number) as never, 0),
    });
    const asks = (number: number) =>
      network
        .wouldAnswer(2, 1, said(number))
        .sends.flatMap(({ to, message }) => (message.kind === 'status' ? [to] : []));
    expect([asks(31), asks(32), asks(33), asks(64)]).toEqual([[], [2], [], [2]]);
    hear(network, ...Array.from({ length: 31 }, (_, i) => [2, said(i + 1)] as const));
    expect(asks(32)).toEqual([2]);
  });
});

describe('the timer tick', () => {
  const relayed = (network: Network) =>
    network
      .wouldDo(1, { type: 'timeout', timer: 'tick' })
      .sends.flatMap(({ to, message }) =>
        message.kind === 'relay'
          ? [[to, message.requests.map(({ client }) => client - firstClient)]]
          : [],
      );

  it('repeats to the primary as many requests as a batch holds', () => {
    const network = make({ maxBatch: 3 });
    for (let client = 0; client < 5; client++)
      network.input(1, { type: 'propose', command: requestOf(client, 1) });
    expect(relayed(network)).toEqual([[0, [0, 1, 2]]]);
    const large = make();
    for (const command of parts(18)) large.input(1, { type: 'propose', command });
    expect(relayed(large)).toEqual([[0, Array.from({ length: 16 }, (_, i) => i)]]);
  });

  it('asks for another view once a request has waited, twice as long each time', () => {
    const network = make();
    network.stop(0);
    network.stop(2);
    network.input(1, { type: 'propose', command: requestOf(0, 1) });
    const asked: (readonly [at: number, view: number])[] = [];
    for (let tick = 0; tick < 60; tick++) {
      network.fire(1, 'tick');
      network.deliver(({ to }) => to === 1);
      const { heard, view } = network.state(1);
      const wanted = heard.get(1)?.asked ?? 0;
      if (wanted > view && asked.at(-1)?.[1] !== wanted) {
        asked.push([network.now, wanted]);
        hear(network, [2, { kind: 'req-view-change', view: wanted }]);
        network.deliver(({ to }) => to === 1);
      }
    }
    expect(asked).toEqual([
      [1_000_000, 1],
      [3_000_000, 2],
      [7_000_000, 3],
      [15_000_000, 4],
    ]);
  });
});

describe('places from which a member is heard', () => {
  const anchor = (number: number): Anchor => ({
    member: 0,
    number,
    sequence: 4,
    view: 0,
    changes: [],
    begun: true,
    orders: [],
  });
  const told = (network: Network, ...numbers: readonly number[]): Message => ({
    kind: 'stable-checkpoint',
    proof: [0, 2].map((from) =>
      network.sign(
        { kind: 'checkpoint', number: 9, sequence: 4, digest: 'c'.repeat(64) } as const,
        from,
      ),
    ),
    anchors: numbers.slice(0, 1).map(anchor),
  });

  it('are sixteen at most, and the oldest gives way', () => {
    const network = make();
    for (let number = 10; number < 27; number++) hear(network, [2, told(network, number)]);
    const { vouched } = network.state(1).heard.get(0) ?? { vouched: new Map() };
    expect([...vouched.values()].map((each) => each.anchor.number)).toEqual(
      Array.from({ length: 16 }, (_, i) => 11 + i),
    );
  });

  it('count once two members say the same, and the state is here', () => {
    const network = make();
    hear(network, [2, told(network, 10)], [0, told(network, 11)]);
    network.input(1, { type: 'snapshot-installed', slot: 3, digest: 'c'.repeat(64) });
    expect(network.state(1).heard.get(0)?.number).toBe(0);
    hear(network, [0, told(network, 10)]);
    expect(network.state(1).heard.get(0)?.number).toBe(10);
    // What was said of others before the jump is said again.
    hear(network, [2, told(network, 11)]);
    expect(network.state(1).heard.get(0)?.number).toBe(10);
    hear(network, [0, told(network, 11)]);
    expect(network.state(1).heard.get(0)?.number).toBe(11);
  });
});

describe('view-changes of a member', () => {
  it('are remembered below its anchor 64 at a time, and above it all', () => {
    const network = make({ checkpointEvery: 2 });
    const leave = (number: number): Message => ({
      kind: 'view-change',
      number,
      view: number,
      stable: [],
    });
    for (let number = 1; number <= 70; number++) hear(network, [2, leave(number)]);
    const changes = () => [...(network.state(1).heard.get(2)?.changes.keys() ?? [])];
    expect(changes()).toHaveLength(70);
    expect(network.state(1).heard.get(2)?.view).toBe(70);
    // One for an earlier view is nothing.
    hear(network, [2, { ...leave(71), view: 70 } as Message]);
    expect(changes()).toHaveLength(70);
  });
});
