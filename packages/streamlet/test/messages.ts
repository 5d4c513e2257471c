/** What the members of a group of four may say, for tests of what one of them does upon it. */
import { certify } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { idOf } from '../src/chain.ts';
import { leaderOf } from '../src/group.ts';
import {
  type Block,
  type Checkpoint,
  type ClockReport,
  type Message,
  type Notarization,
  schemas,
  type Vote,
} from '../src/messages.ts';
import { genesis } from '../src/state.ts';
import type { Network } from './network.ts';

export const group = { n: 4, digest: testDigest, schemas: schemas({ n: 4, maxBatch: 256 }) };

export const leader = (epoch: number): number => leaderOf(group, epoch);

/** One that does not lead `epoch`. */
export const follower = (epoch: number): number => (leader(epoch) + 1) % 4;

/** A block on the first of all. */
export const block = (epoch: number, part: Partial<Block> = {}): Block => ({
  epoch,
  height: 1,
  parent: { epoch: genesis.epoch, id: genesis.id },
  batch: [requestOf(1, 1)],
  ...part,
});

/** A block on `parent`. */
export const above = (parent: Block, part: Partial<Block> = {}): Block =>
  block(parent.epoch + 1, {
    height: parent.height + 1,
    parent: { epoch: parent.epoch, id: idOf(group, parent) },
    batch: [requestOf(1, parent.height + 1)],
    ...part,
  });

/** Blocks of the epochs from 1 on, each on the one before. */
export function chainOf(length: number): readonly Block[] {
  const chain = [block(1)];
  while (chain.length < length) chain.push(above(chain.at(-1) as Block));
  return chain;
}

export const voteFor = (each: Block, part: Partial<Vote> = {}): Vote => ({
  kind: 'vote',
  epoch: each.epoch,
  height: each.height,
  id: idOf(group, each),
  ...part,
});

export const notarizationOf = (
  network: Network,
  each: Block,
  signers: readonly number[] = [0, 1, 2],
): Notarization =>
  certify<Vote>(
    voteFor(each),
    signers.map((from) => network.sign<Vote>(voteFor(each), from)),
  );

export const proposal = (each: Block, notarization: Notarization | null = null): Message => ({
  kind: 'proposal',
  block: each,
  notarization,
});

export const notarized = (
  network: Network,
  each: Block,
  signers: readonly number[] = [0, 1, 2],
): Message => ({
  kind: 'notarized',
  block: each,
  notarization: notarizationOf(network, each, signers),
});

/** Where its sender stands: at the beginning unless told. */
export const clock = (part: Partial<ClockReport> = {}): Message => ({
  kind: 'clock',
  over: 0,
  final: 0,
  stable: 0,
  tip: null,
  ...part,
});

const digestOf = (digit: string): string => digit.repeat(64);

/** Word for a state after `height`. */
export const checkpoint = (height: number, part: Partial<Checkpoint> = {}): Checkpoint => ({
  kind: 'checkpoint',
  epoch: height,
  height,
  id: digestOf('a'),
  state: digestOf('b'),
  ...part,
});

/** That `signers` have the same state after `height`. */
export const stable = (
  network: Network,
  height: number,
  signers: readonly number[] = [0, 1, 2],
): Message => ({
  kind: 'stable-checkpoint',
  checkpoint: certify<Checkpoint>(
    checkpoint(height),
    signers.map((from) => network.sign<Checkpoint>(checkpoint(height), from)),
  ),
});
