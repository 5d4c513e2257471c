/**
 * What signing Tendermint's messages promises, and what breaking that promise looks like. Observers
 * use it to prove that a member lied, adversaries to lie on purpose.
 */
import { type Batch, type Digest, otherBatch, otherDigest } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Message, Proposal } from './messages.ts';

/**
 * What an honest replica says only once: [about what, what]. In each round of a height it proposes,
 * prevotes and precommits at most once, and names one set of validators.
 */
export function* vows(
  group: Group,
  message: Message,
): Iterable<readonly [about: string, what: string]> {
  switch (message.kind) {
    case 'proposal':
      yield [
        placeOf(message),
        `${idIn(group, message)} ${message.validRound ?? 'new'}${setOf(message)}`,
      ];
      return;
    case 'prevote':
      yield [
        placeOf(message),
        `${message.value ?? 'nil'} ${message.validRound ?? 'new'}${setOf(message)}`,
      ];
      return;
    case 'precommit':
      yield [placeOf(message), `${message.value ?? 'nil'}${setOf(message)}`];
      return;
    case 'checkpoint':
      yield [`checkpoint/${message.height}`, `${message.state}${setOf(message)}`];
      return;
    case 'polka':
    case 'decision':
    case 'relay':
    case 'status':
    case 'fetch-batch':
    case 'batch':
    case 'stable-checkpoint':
  }
}

/** As long as nobody has changed the group, there is nothing to say of its first set. */
const setOf = ({ set }: { readonly set: number }): string => (set === 1 ? '' : ` of set ${set}`);

/** One signature a round, height and kind. */
const placeOf = (said: {
  readonly kind: string;
  readonly round: number;
  readonly height: number;
}) => `${said.kind}/${said.round}/${said.height}`;

const idIn = ({ schemas, digest }: Group, { batch }: Proposal): Digest =>
  digest(schemas.content, batch);

/**
 * `message` with a vow broken: what an equivocator sends to some. `known` are requests of real
 * clients.
 */
export function conflict(group: Group, message: Message, fork: number, known: Batch): Message {
  switch (message.kind) {
    case 'proposal':
      return otherProposal(group, message, fork, known);
    case 'prevote':
      return { ...message, ...otherValue(message.value, fork), validRound: null };
    case 'precommit':
      return { ...message, ...otherValue(message.value, fork) };
    case 'checkpoint':
      return { ...message, state: otherDigest(message.state, fork) };
    case 'polka':
    case 'decision':
    case 'relay':
    case 'status':
    case 'fetch-batch':
    case 'batch':
    case 'stable-checkpoint':
      return message;
  }
}

/** Another value, as if it were new: whoever sees only this one finds nothing wrong. */
function otherProposal(group: Group, message: Proposal, fork: number, known: Batch): Proposal {
  const batch = otherBatch(message.batch, fork, known);
  const other = { ...message, batch, validRound: null, polka: null };
  return idIn(group, other) === idIn(group, message) ? message : other;
}

/** Something that nobody has proposed; for nil, likewise. */
const otherValue = (value: Digest | null, fork: number): { readonly value: Digest } => ({
  value: otherDigest(value ?? '0'.repeat(64), fork),
});
