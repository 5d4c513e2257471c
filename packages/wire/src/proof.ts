import {
  bytes,
  decode,
  encode,
  type Field,
  integer,
  maxSignatureBytes,
  type PrincipalId,
  record,
  SchemaError,
  type Signature,
  type Signed,
  sameBytes,
  seal,
  type Tagged,
  text,
} from '@quorumlab/core';
import { bodyBytes, type Domain, domainField, signingBytes } from './domain.ts';
import { admitPublicKey, type FastPath, KeyError, verifier } from './ed25519.ts';
import type { Proof, VowSource } from './vows.ts';

/** Largest encoding of one message inside a proof: 16 MiB. */
const maxBodyBytes = 16 * 1024 * 1024;

interface StatementBytes {
  readonly kind: string;
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

/** A proof as data: everything that a stranger needs besides the protocol's rules. */
export interface ProofRecord {
  readonly schema: string;
  readonly domain: Domain;
  readonly signer: PrincipalId;
  readonly publicKey: Uint8Array;
  readonly about: string;
  readonly first: StatementBytes;
  readonly second: StatementBytes;
}

/** First part of every proof. */
export const proofSchema = 'quorumlab.proof/1';

const statement: Field<StatementBytes> = record({
  kind: text(255),
  body: bytes(maxBodyBytes),
  signature: bytes(maxSignatureBytes),
});

/** The canonical encoding of a proof. */
export const proofField: Field<ProofRecord> = record({
  schema: text(32),
  domain: domainField,
  signer: integer(),
  publicKey: bytes(32),
  about: text(1024),
  first: statement,
  second: statement,
});

/** What a proof was made in. */
export interface ProofPlace {
  readonly domain: Domain;
  /** The signer's. */
  readonly publicKey: Uint8Array;
}

/** `proof` as data. */
function proofRecord<M extends Tagged>(
  proof: Proof<M>,
  protocol: VowSource<M>,
  { domain, publicKey }: ProofPlace,
): ProofRecord {
  const part = (message: Signed<M>): StatementBytes => ({
    kind: message.kind,
    body: bodyBytes(protocol.messages, message),
    signature: message.signature,
  });
  return {
    schema: proofSchema,
    domain,
    signer: proof.signer,
    publicKey,
    about: proof.about,
    first: part(proof.first),
    second: part(proof.second),
  };
}

/** `proof` as bytes that a stranger can check with {@link verifyProof}. */
export const encodeProof = <M extends Tagged>(
  proof: Proof<M>,
  protocol: VowSource<M>,
  place: ProofPlace,
): Uint8Array => encode(proofField, proofRecord(proof, protocol, place));

/** A proof that holds. */
export interface ProvenLie<M> extends Proof<M> {
  readonly domain: Domain;
  /** Whose owner has lied. Who that is, only a list of keys that one trusts can say. */
  readonly publicKey: Uint8Array;
  /** What the signer said about {@link Proof.about}, first and then. */
  readonly said: readonly [string, string];
}

/** A proof that does not hold. */
export interface NoProof {
  readonly reason: string;
}

/** What the stranger knows already. */
export interface VerifyProofOptions {
  /** The members' keys: then the signer must be one of them, under its own number. */
  readonly publicKeys?: ReadonlyMap<PrincipalId, Uint8Array>;
  /** The cluster the proof must be about. */
  readonly domain?: Domain;
  readonly fast?: FastPath;
}

/**
 * Checks a proof from its bytes alone: both signatures by the key inside, and that by the
 * protocol's `vows` the two messages say different things about one thing. Never throws at bad
 * proofs.
 */
export function verifyProof<M extends Tagged>(
  proof: Uint8Array,
  protocol: VowSource<M> & { readonly name: string; readonly version: number },
  options: VerifyProofOptions = {},
): ProvenLie<M> | NoProof {
  try {
    return verified(decode(proofField, proof), protocol, options);
  } catch (error) {
    if (error instanceof SchemaError || error instanceof KeyError) return { reason: error.message };
    throw error;
  }
}

/** Whether {@link verifyProof} found a proof that holds. */
export const isProven = <M>(verdict: ProvenLie<M> | NoProof): verdict is ProvenLie<M> =>
  'signer' in verdict;

function verified<M extends Tagged>(
  proof: ProofRecord,
  protocol: VowSource<M> & { readonly name: string; readonly version: number },
  options: VerifyProofOptions,
): ProvenLie<M> | NoProof {
  const { domain, signer, publicKey, about } = proof;
  if (proof.schema !== proofSchema)
    return { reason: `"${proof.schema}" is not the schema ${proofSchema}` };
  if (domain.protocol !== protocol.name || domain.version !== protocol.version)
    return {
      reason: `a proof about ${domain.protocol} ${domain.version}, not ${protocol.name}`,
    };
  if (
    options.domain !== undefined &&
    !sameBytes(encode(domainField, domain), encode(domainField, options.domain))
  )
    return { reason: 'a proof about another cluster, group or epoch' };
  const trusted = options.publicKeys?.get(signer);
  if (options.publicKeys !== undefined && !(trusted && sameBytes(trusted, publicKey)))
    return { reason: `the key is not that of principal ${signer}` };
  admitPublicKey(publicKey, `principal ${signer}`);
  const verify = verifier(publicKey, options.fast);
  const opened = (part: StatementBytes): Signed<M> | undefined => {
    const field = protocol.messages.of(part.kind);
    if (field === undefined) return undefined;
    if (!verify(part.signature, signingBytes(domain, signer, part.kind, part.body)))
      return undefined;
    return seal<M>(decode(field, part.body), signer, part.signature as Signature);
  };
  const first = opened(proof.first);
  const second = opened(proof.second);
  if (first === undefined || second === undefined)
    return { reason: 'a message was not signed by this key, or is none of this protocol' };
  const said = broken(protocol, first, second, about);
  if (said === undefined)
    return { reason: `the messages do not contradict each other on ${about}` };
  return { domain, publicKey, signer, about, first, second, said };
}

/** What two messages say about `about`, if both speak of it and differ. */
function broken<M extends Tagged>(
  protocol: VowSource<M>,
  first: M,
  second: M,
  about: string,
): readonly [string, string] | undefined {
  const one = new Map(protocol.vows?.(first) ?? []).get(about);
  const other = new Map(protocol.vows?.(second) ?? []).get(about);
  return one === undefined || other === undefined || one === other ? undefined : [one, other];
}
