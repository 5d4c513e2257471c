import {
  type Certificate,
  type MessagesField,
  type PrincipalId,
  type QuorumSystem,
  type Signed,
  sameBytes,
  type Tagged,
} from '@quorumlab/core';
import { bodyBytes } from './domain.ts';
import { type Keyring, sealsHold } from './keyring.ts';

/** Messages that do not make a certificate. */
export class CertificateError extends Error {
  override readonly name: string = 'CertificateError';
}

/**
 * The certificate of `votes`: equal messages of different replicas, in any order. Throws {@link
 * CertificateError} at no votes, unequal votes, or one signer twice: the caller has counted wrong.
 */
export function makeCertificate<M extends Tagged>(
  field: MessagesField<M>,
  votes: readonly Signed<M>[],
): Certificate<M> {
  const first = votes[0];
  if (first === undefined) throw new CertificateError('no votes; collect a quorum first');
  const body = bodyBytes(field, first);
  const seals = [...votes]
    .sort((one, other) => one.from - other.from)
    .map(({ from, signature }) => ({ from, signature }));
  for (const [i, { from }] of seals.entries())
    if (i > 0 && seals[i - 1]?.from === from)
      throw new CertificateError(`replica ${from} signed twice; count each signer once`);
  for (const vote of votes)
    if (vote.kind !== first.kind || !sameBytes(bodyBytes(field, vote), body))
      throw new CertificateError(
        `the ${vote.kind} of replica ${vote.from} says something else than the ${first.kind} of ` +
          `replica ${first.from}; group votes by what they say`,
      );
  return { body: unsealed(first), seals };
}

/** The message without its seal. */
export function unsealed<M extends Tagged>(message: Signed<M>): M {
  const { from: _from, signature: _signature, ...body } = message;
  // Nothing but the seal was taken away.
  return body as unknown as M;
}

/**
 * Whether `certificate` proves that a quorum said its body: signers distinct, ascending and
 * members, every signature good, and together a quorum.
 */
export function checkCertificate<M extends Tagged>(
  keyring: Keyring<M>,
  certificate: Certificate<M>,
  quorum: QuorumSystem,
): boolean {
  const members: ReadonlySet<PrincipalId> = new Set(quorum.members);
  return (
    quorum.has(certificate.seals.map(({ from }) => from)) &&
    sealsHold(
      certificate,
      (from, signature, body) => members.has(from) && keyring.checkSeal(from, signature, body),
      (signers, signature, body) =>
        signers.every((each) => members.has(each)) &&
        keyring.checkShared?.(signers, signature, body) === true,
    )
  );
}
