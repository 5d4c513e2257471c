/** Messages that tests make by hand. They are about height 1 unless told. */
import { type Batch, type Certificate, certify, type Digest } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import {
  type Checkpoint,
  type Commit,
  type Decision,
  type Message,
  type Polka,
  type Precommit,
  type Prevote,
  type Proposal,
  type StatusReport,
  schemas,
} from '../src/messages.ts';
import type { Network } from './network.ts';

const { content } = schemas({ n: 4, maxBatch: 256 });

/** A batch of one request of client `client`. */
export const batchOf = (client: number): Batch => [requestOf(client, 1)];

/** Two values that tests choose between, and what they are known by. */
export const one: Batch = batchOf(1);
export const other: Batch = batchOf(2);
export const idOf = (batch: Batch): Digest => testDigest(content, batch);

/** What such batches are known by, in texts. */
export const names: ReadonlyMap<Digest, string> = new Map([
  [idOf([]), 'id()'],
  ...Array.from({ length: 10 }, (_, i) => [idOf(batchOf(i)), `id(c${i}.1)`] as const),
]);

/** A digest that nothing here has, told apart by one hexadecimal digit. */
export const strange = (digit: string): Digest => digit.repeat(64) as Digest;

export const proposal = (round: number, batch: Batch, part: Partial<Proposal> = {}): Proposal => ({
  kind: 'proposal',
  height: 1,
  round,
  set: 1,
  batch,
  validRound: null,
  polka: null,
  ...part,
});

export const prevote = (
  round: number,
  batch: Batch | null,
  validRound: number | null = null,
  height = 1,
): Prevote => ({
  kind: 'prevote',
  height,
  round,
  set: 1,
  value: batch && idOf(batch),
  validRound,
});

export const precommit = (round: number, batch: Batch | null, height = 1): Precommit => ({
  kind: 'precommit',
  height,
  round,
  set: 1,
  value: batch && idOf(batch),
});

/** What a quorum, or another set of `signers`, has said. */
export const certificate = <M extends Message>(
  network: Network,
  body: M,
  signers: readonly number[] = [0, 1, 2],
): Certificate<M> =>
  certify(
    body,
    signers.map((from) => network.sign(body, from)),
  );

export const polkaOf = (
  network: Network,
  round: number,
  batch: Batch,
  signers?: readonly number[],
  validRound: number | null = null,
): Polka => certificate(network, prevote(round, batch, validRound), signers);

export const commitOf = (
  network: Network,
  height: number,
  batch: Batch,
  signers?: readonly number[],
): Commit => certificate(network, precommit(0, batch, height), signers);

export const decision = (
  network: Network,
  height: number,
  batch: Batch,
  signers?: readonly number[],
): Decision => ({ kind: 'decision', commit: commitOf(network, height, batch, signers), batch });

export const status = (part: Partial<StatusReport> = {}): StatusReport => ({
  kind: 'status',
  height: 1,
  round: 0,
  set: 1,
  validRound: null,
  stable: 0,
  ...part,
});

export const checkpoint = (height: number, state = strange('c')): Checkpoint => ({
  kind: 'checkpoint',
  height,
  set: 1,
  state,
});

export const stable = (network: Network, height: number, signers?: readonly number[]): Message => ({
  kind: 'stable-checkpoint',
  checkpoint: certificate(network, checkpoint(height), signers),
});

/** One message of each kind. */
export const oneOfEach = (network: Network): readonly Message[] => [
  proposal(0, one),
  proposal(1, one, { validRound: 0, polka: polkaOf(network, 0, one) }),
  prevote(0, one),
  prevote(1, null),
  precommit(0, one),
  precommit(0, null),
  { kind: 'polka', polka: polkaOf(network, 0, one) },
  decision(network, 1, one),
  { kind: 'relay', requests: one },
  status({ height: 7, round: 2, validRound: 1, stable: 4 }),
  { kind: 'fetch-batch', height: 1, value: idOf(one) },
  { kind: 'batch', height: 1, batch: one },
  checkpoint(4),
  stable(network, 4),
];
