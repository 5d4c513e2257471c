/** Messages that tests send by hand. */
import { type Batch, type Certificate, certify, type Digest } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import type {
  Checkpoint,
  Claim,
  Message,
  NewView,
  PrePrepare,
  StatusReport,
  ViewChange,
} from '../src/messages.ts';
import { schemas } from '../src/messages.ts';
import type { Network } from './network.ts';

const { content } = schemas({ n: 4, window: 8, maxBatch: 8 });

/** D(m). */
export const digestOf = (batch: Batch): Digest => testDigest(content, batch);

/** A batch of one request of client `client`. */
export const batchOf = (client: number): Batch => [requestOf(client, 1)];

/** A digest that no batch here has, told apart by one hexadecimal digit. */
export const strange = (digit: string): Digest => digit.repeat(64) as Digest;

/** The pre-prepare of `batch`. */
export const prePrepare = (sequence: number, batch: Batch, view = 0): PrePrepare => ({
  kind: 'pre-prepare',
  epoch: 0,
  view,
  sequence,
  digest: digestOf(batch),
  batch,
});

/** A Prepare, or a Commit, for `digest`. */
export const vote = <K extends 'prepare' | 'commit'>(
  kind: K,
  sequence: number,
  digest: Digest,
  view = 0,
) => ({ kind, epoch: 0, view, sequence, digest }) as const;

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

/** The state after `sequence`. */
export const checkpoint = (sequence: number, digest: Digest = strange('c')): Checkpoint => ({
  kind: 'checkpoint',
  epoch: 0,
  sequence,
  digest,
  group: null,
});

/** A view-change that reports nothing, changed by `part`. */
export const viewChange = (view: number, part: Partial<ViewChange> = {}): ViewChange => ({
  kind: 'view-change',
  epoch: 0,
  view,
  checkpoint: null,
  prepared: [],
  ...part,
});

/** An entry of P. */
export const claim = (sequence: number, digest: Digest, view = 0): Claim => ({
  view,
  sequence,
  digest,
});

/** The new-view of three view-changes that report nothing, changed by `part`. */
export const newView = (network: Network, view: number, part: Partial<NewView> = {}): NewView => ({
  kind: 'new-view',
  epoch: 0,
  view,
  checkpoint: null,
  configuration: null,
  viewChanges: [1, 2, 3].map((from) => network.sign(viewChange(view), from)),
  orders: [],
  ...part,
});

/** Where a replica stands that has done nothing, changed by `part`. */
export const status = (part: Partial<StatusReport> = {}): StatusReport => ({
  kind: 'status',
  epoch: 0,
  view: 0,
  active: true,
  stable: 0,
  executed: 0,
  ...part,
});

/** One message of each kind, of `view` and about number 1. */
export function oneOfEach(network: Network, view: number): readonly Message[] {
  const batch = batchOf(7);
  const digest = digestOf(batch);
  const commit = vote('commit', 1, digest, view);
  const prepare = vote('prepare', 1, digest, view);
  return [
    prePrepare(1, batch, view),
    prepare,
    commit,
    checkpoint(4),
    viewChange(view + 1, { prepared: [claim(1, digest, view)] }),
    newView(network, view + 1),
    { kind: 'relay', requests: batchOf(8) },
    status({ view: view + 1 }),
    { kind: 'committed', commit: certificate(network, commit), batch },
    {
      kind: 'stable-checkpoint',
      checkpoint: certificate(network, checkpoint(4)),
      configuration: null,
    },
    { kind: 'fetch-batch', sequence: 1, digest },
    { kind: 'batch', sequence: 1, batch },
    { kind: 'fetch-proofs', claims: [claim(1, digest, view)] },
    { kind: 'proofs', proofs: [certificate(network, prepare, [1, 2, 3])] },
  ];
}
