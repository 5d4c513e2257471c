/** Groups of four in the situations that several tests begin with, and what is done to them. */
import type { Batch } from '@quorumlab/core';
import { testDigest } from '@quorumlab/protocol-testing';
import { type PbftOptions, pbft } from '../src/index.ts';
import { batchOf, certificate, digestOf, viewChange, vote } from './messages.ts';
import { Network } from './network.ts';

/** Four replicas that take a checkpoint every four numbers. */
export const make = (more: Partial<PbftOptions> = {}): Network =>
  new Network(pbft({ n: 4, checkpointEvery: 4, digest: testDigest, ...more }));

/** As {@link make}, with a checkpoint every two numbers and a window of four. */
export const makeNarrow = (more: Partial<PbftOptions> = {}): Network =>
  make({ checkpointEvery: 2, window: 4, ...more });

/** Replica 2 of four waits for view 1, whose primary is 1. */
export function waiting(more: Partial<PbftOptions> = {}): Network {
  const network = make(more);
  for (const from of [1, 3]) network.inject(from, 2, viewChange(1));
  network.deliver(({ to }) => to === 2);
  network.drop();
  const { view, active } = network.state(2);
  if (view !== 1 || active) throw new Error(`it waits for no new view: view ${view}`);
  return network;
}

/** Brings `to` the certificate of `batch` at `sequence`. */
export function decide(
  network: Network,
  to: number,
  sequence: number,
  batch: Batch = batchOf(1),
): void {
  const commit = certificate(network, vote('commit', sequence, digestOf(batch)));
  network.inject(2, to, { kind: 'committed', commit, batch });
}
