/** Blocks, certificates and messages that tests make by hand. */
import { type Batch, type Certificate, certify, type Digest } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { genesisHash } from '../src/blocks.ts';
import {
  type Block,
  type Checkpoint,
  type Link,
  type Message,
  type Proposal,
  type QuorumCertificate,
  type StatusReport,
  schemas,
  type TimeoutCertificate,
  type Vote,
} from '../src/messages.ts';
import type { Network } from './network.ts';

const { content } = schemas({ n: 4, maxBatch: 8 });

/** D(b). */
export const hashOf = (block: Block): Digest => testDigest(content, block);

/** A batch of one request of client `client`. */
export const batchOf = (client: number): Batch => [requestOf(client, 1)];

/** A digest that nothing here has, told apart by one hexadecimal digit. */
export const strange = (digit: string): Digest => digit.repeat(64) as Digest;

/** A vote for `block`, whose parent was certified in `justifyView`. */
export const vote = (view: number, block: Digest, justifyView: number): Vote => ({
  kind: 'vote',
  set: 1,
  view,
  block,
  justifyView,
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

const viewOf = (justify: QuorumCertificate | null): number => justify?.body.view ?? 0;

/** The certificate of `link` by a quorum, or by `signers`. */
export const certified = (
  network: Network,
  { block, justify }: Link,
  signers?: readonly number[],
): QuorumCertificate =>
  certificate(network, vote(block.view, hashOf(block), viewOf(justify)), signers);

/** A block of `view` on `parent`, or the first one. */
export function on(
  network: Network,
  parent: Link | null,
  view: number,
  batch: Batch = batchOf(view),
): Link {
  const justify = parent === null ? null : certified(network, parent);
  const height = (parent?.block.height ?? 0) + 1;
  const hash = parent === null ? genesisHash : hashOf(parent.block);
  return { block: { set: 1, view, height, parent: hash, batch }, justify };
}

/** Blocks of these views, each on the one before. */
export function chainOf(network: Network, ...views: readonly number[]): readonly Link[] {
  const links: Link[] = [];
  for (const view of views) links.push(on(network, links.at(-1) ?? null, view));
  return links;
}

/** The proposal of `link`, with what proves that its view has begun. */
export const proposal = (link: Link, timeouts: TimeoutCertificate | null = null): Proposal => ({
  kind: 'proposal',
  ...link,
  timeouts,
});

/** Timeouts for `view` of these members, each with the highest view that it knew. */
export const timeouts = (
  network: Network,
  view: number,
  highViews: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 0 },
): TimeoutCertificate =>
  Object.entries(highViews).map(([from, highView]) =>
    network.sign({ kind: 'timeout', set: 1, view, highView } as const, Number(from)),
  );

/** The word that `justify` and `timeouts` exist. */
export const newView = (
  justify: QuorumCertificate | null,
  timeouts: TimeoutCertificate | null = null,
): Message => ({ kind: 'new-view', justify, timeouts });

/** The state after `height`. */
export const checkpoint = (height: number, part: Partial<Checkpoint> = {}): Checkpoint => ({
  kind: 'checkpoint',
  set: 1,
  height,
  view: height,
  block: strange('b'),
  state: strange('c'),
  ...part,
});

/** Where a replica stands that has done nothing, changed by `part`. */
export const status = (part: Partial<StatusReport> = {}): StatusReport => ({
  kind: 'status',
  set: 1,
  view: 1,
  highView: 0,
  height: 0,
  stable: 0,
  ...part,
});

/** One message of each kind, about the first two blocks of a chain. */
export function oneOfEach(network: Network): readonly Message[] {
  const [first, second] = chainOf(network, 1, 2) as [Link, Link];
  return [
    proposal(first),
    proposal(second),
    vote(1, hashOf(first.block), 0),
    { kind: 'timeout', set: 1, view: 3, highView: 0 },
    newView(certified(network, first)),
    newView(null, timeouts(network, 3)),
    { kind: 'relay', requests: batchOf(8) },
    { kind: 'fetch-blocks', block: hashOf(first.block), above: 0 },
    { kind: 'blocks', blocks: [second, first] },
    status({ view: 9, highView: 8, height: 7 }),
    checkpoint(4),
    { kind: 'stable-checkpoint', checkpoint: certificate(network, checkpoint(4)) },
  ];
}
