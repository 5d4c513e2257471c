/**
 * What signing PBFT's messages promises, and what breaking that promise looks like. Observers use
 * it to prove that a member lied, adversaries to lie on purpose.
 */
import { type Batch, otherBatch, otherDigest } from '@quorumlab/core';
import type { Group } from './group.ts';
import { macConflict, macVows } from './mac-vows.ts';
import type { Message, NewView, PrePrepare, ViewChange } from './messages.ts';

/** What an honest replica says only once: [about what, what]. */
export function* vows(message: Message): Iterable<readonly [about: string, what: string]> {
  switch (message.kind) {
    case 'pre-prepare':
    case 'prepare':
    case 'commit':
      yield [`${message.kind}/${viewOf(message)}/${message.sequence}`, message.digest];
      return;
    case 'checkpoint':
      yield [
        `checkpoint/${message.sequence}`,
        `${message.digest}${epochIn(message)} ${message.group ?? ''}`.trimEnd(),
      ];
      return;
    case 'view-change':
      yield [`view-change/${viewOf(message)}`, reportOf(message)];
      return;
    case 'new-view':
      yield [`new-view/${viewOf(message)}`, message.viewChanges.map(({ from }) => from).join()];
      // Its orders are pre-prepares of the new view.
      for (const { sequence, digest } of message.orders)
        yield [`pre-prepare/${viewOf(message)}/${sequence}`, digest];
      return;
    case 'relay':
    case 'status':
    case 'committed':
    case 'stable-checkpoint':
    case 'fetch-batch':
    case 'batch':
    case 'fetch-proofs':
    case 'proofs':
    case 'epochs':
      return;
    default:
      yield* macVows(message);
  }
}

interface OfEpoch {
  readonly epoch: number;
}

/** As long as nobody has changed the group, there is nothing to say of its first epoch. */
const epochIn = ({ epoch }: OfEpoch): string => (epoch === 0 ? '' : ` of epoch ${epoch}`);

/** A view, counted in its epoch. */
const viewOf = (message: OfEpoch & { readonly view: number }): string =>
  `${message.view}${epochIn(message)}`;

/** Everything a view-change reports. */
function reportOf({ checkpoint, prepared }: ViewChange): string {
  const at = checkpoint === null ? '0' : `${checkpoint.sequence}:${checkpoint.digest}`;
  const entries = prepared.map((each) => `${each.sequence}:${each.view}:${each.digest}`);
  return [at, ...entries].join(' ');
}

/**
 * `message` with a vow broken: what an equivocator sends to some. `known` are requests of real
 * clients.
 */
export function conflict(group: Group, message: Message, fork: number, known: Batch): Message {
  switch (message.kind) {
    case 'pre-prepare':
      return otherOrder(group, message, fork, known);
    case 'prepare':
    case 'commit':
    case 'checkpoint':
      return { ...message, digest: otherDigest(message.digest, fork) };
    case 'view-change':
      return forgetful(message, fork);
    case 'new-view':
      return otherOrders(message, fork);
    case 'relay':
    case 'status':
    case 'committed':
    case 'stable-checkpoint':
    case 'fetch-batch':
    case 'batch':
    case 'fetch-proofs':
    case 'proofs':
    case 'epochs':
      return message;
    default:
      return macConflict(group, message, fork, known);
  }
}

/** Another batch with its right digest, so that whoever sees only this one finds nothing wrong. */
function otherOrder(group: Group, message: PrePrepare, fork: number, known: Batch): PrePrepare {
  const { digest: digestOf } = group;
  if (digestOf === undefined) return { ...message, digest: otherDigest(message.digest, fork) };
  const batch = otherBatch(message.batch, fork, known);
  const digest = digestOf(group.schemas.content, batch);
  return digest === message.digest
    ? { ...message, digest: otherDigest(message.digest, fork) }
    : { ...message, digest, batch };
}

/** Denies what it had prepared; one that had nothing claims something without proof. */
function forgetful(message: ViewChange, fork: number): ViewChange {
  if (message.prepared.length > 0) return { ...message, prepared: message.prepared.slice(1) };
  if (message.checkpoint !== null) return { ...message, checkpoint: null };
  const digest = fork.toString(16).padStart(64, 'f').slice(-64);
  return { ...message, prepared: [{ view: 0, sequence: 1, digest }] };
}

/**
 * Orders the null request, or something that nobody knows, where the view-changes say otherwise.
 */
function otherOrders(message: NewView, fork: number): NewView {
  const [first, ...rest] = message.orders;
  if (first === undefined) {
    const digest = fork.toString(16).padStart(64, 'e').slice(-64);
    return { ...message, orders: [{ sequence: 1, digest }] };
  }
  return { ...message, orders: [{ ...first, digest: otherDigest(first.digest, fork) }, ...rest] };
}
