import {
  bytes,
  type Digest,
  decode,
  encode,
  fromHex,
  type PrincipalId,
  reader,
  SchemaError,
  type Signature,
  type Signed,
  sameBytes,
  seal,
  type Tagged,
  text,
  toHex,
} from '@quorumlab/core';
import { digestOfEncoding } from './digest.ts';
import { bodyBytes, type Domain, domainField, signingBytes } from './domain.ts';
import { admitPublicKey, type FastPath, KeyError, verifier } from './ed25519.ts';
import { type Guilty, type Judged, wrongIn } from './judge.ts';
import type { VowSource } from './vows.ts';

/** First part of every proof of guilt. */
export const guiltSchema = 'quorumlab.proof/2';

/** What was signed, and by what signature: hexadecimal. */
interface StatementText {
  readonly signed: string;
  readonly signature: string;
}

/** One member and what it has signed. */
interface CulpritText {
  readonly member: number;
  /** What it has done, in words that follow its name. */
  readonly rule: string;
  readonly first: StatementText;
  readonly second: StatementText;
}

/** A group as a proof describes it: a stranger compares this with what it knows of the group. */
export interface ProofGroup {
  readonly domain: Domain;
  readonly f: number;
  /** What the protocol was told besides its size: by that it is known which rules hold. */
  readonly options: Readonly<Record<string, number | boolean | string>>;
  /** The public keys of members 0 to n-1. */
  readonly publicKeys: readonly Uint8Array[];
  /**
   * How many numbers there are for members, those included that come later: certificates are as
   * wide. Absent: nobody comes.
   */
  readonly seats?: number;
}

/** What is in the file of a proof. */
interface ProofText {
  readonly schema: string;
  readonly domain: Domain;
  readonly f: number;
  readonly options: ProofGroup['options'];
  /** Hexadecimal. */
  readonly members: readonly string[];
  /** Absent where nobody comes later. */
  readonly seats?: number;
  /** Encodings that the statements name by their digests: hexadecimal. */
  readonly contents: readonly string[];
  readonly culprits: readonly CulpritText[];
}

/** Most members of a group that a proof is about. */
const mostMembers = 1024;

/** Largest body of one statement: 16 MiB. */
const maxBodyBytes = 16 * 1024 * 1024;

/**
 * The file of a proof that `guilty` members of `group` have lied: JSON text that a stranger can
 * check with {@link openGuiltProof} and {@link checkGuiltProof}. One proof has one text. Throws
 * {@link SchemaError} if there is nobody to convict.
 */
export function guiltProof<M extends Tagged>(
  protocol: VowSource<M>,
  group: ProofGroup,
  guilty: readonly Guilty<M>[],
): string {
  if (guilty.length === 0) throw new SchemaError('nobody is guilty: there is nothing to prove');
  const statement = (message: Signed<M>): StatementText => ({
    signed: toHex(
      signingBytes(group.domain, message.from, message.kind, bodyBytes(protocol.messages, message)),
    ),
    signature: toHex(message.signature),
  });
  return written({
    schema: guiltSchema,
    domain: group.domain,
    f: group.f,
    options: group.options,
    members: group.publicKeys.map(toHex),
    ...(group.seats === undefined ? {} : { seats: group.seats }),
    contents: [...new Set(guilty.flatMap(({ contents }) => contents.map(toHex)))],
    culprits: guilty.map(({ signer, rule, first, second }) => ({
      member: signer,
      rule,
      first: statement(first),
      second: statement(second),
    })),
  });
}

/** The text in its one form: parts in this order, and nothing else. */
function written(text: ProofText): string {
  const { schema, domain, f, options, members, seats, contents, culprits } = text;
  const { cluster, group, epoch, protocol, version } = domain;
  const statement = ({ signed, signature }: StatementText): StatementText => ({
    signed,
    signature,
  });
  const all: ProofText = {
    schema,
    domain: { cluster, group, epoch, protocol, version },
    f,
    options: Object.fromEntries(
      Object.entries(options).sort(([one], [two]) => (one < two ? -1 : 1)),
    ),
    members: members.map(String),
    ...(seats === undefined ? {} : { seats: Number(seats) }),
    contents: contents.map(String),
    culprits: culprits.map(({ member, rule, first, second }) => ({
      member,
      rule,
      first: statement(first),
      second: statement(second),
    })),
  };
  return `${JSON.stringify(all, undefined, 2)}\n`;
}

/** A proof that was read, and not yet checked. */
export interface OpenedProof extends ProofGroup {
  readonly text: ProofText;
}

/**
 * Reads the file of a proof. Throws {@link SchemaError} with what is wrong at text that is none, or
 * that was cut off or changed in its form: only {@link checkGuiltProof} says whether it holds.
 */
export function openGuiltProof(json: string): OpenedProof {
  let text: ProofText;
  try {
    text = JSON.parse(json);
  } catch {
    throw new SchemaError('this is not JSON, or it was cut off; copy the whole file');
  }
  if (text?.schema !== guiltSchema)
    throw new SchemaError(`this is not a proof of the schema ${guiltSchema}`);
  try {
    if (written(text) !== json)
      throw new SchemaError('this is not the text of a proof as it was written; do not edit it');
    const publicKeys = text.members.map(fromHex);
    if (publicKeys.length === 0 || publicKeys.length > mostMembers)
      throw new SchemaError(
        `a group of ${publicKeys.length} members is none that a proof is about`,
      );
    // Throws at what cannot be a domain.
    encode(domainField, text.domain);
    const { domain, f, options, seats } = text;
    if (seats !== undefined && !(seats >= publicKeys.length && seats <= mostMembers))
      throw new SchemaError(`a group with room for ${seats} members is none that a proof is about`);
    return { domain, f, options, publicKeys, ...(seats === undefined ? {} : { seats }), text };
  } catch (error) {
    if (error instanceof SchemaError) throw error;
    // Parts of wrong types end as properties of nothing.
    throw new SchemaError(
      'a part of this proof is missing or of the wrong kind; copy the file again',
    );
  }
}

/** What the stranger knows already. */
export interface GuiltTrust {
  /** The group that the proof must be about: its keys, its name, its rules. */
  readonly group?: ProofGroup;
  readonly fast?: FastPath;
}

/** One member that a proof convicts. */
export interface Convicted<M extends Tagged> extends Guilty<M> {
  /** Whose owner has lied. Who that is, only a list of keys that one trusts can say. */
  readonly publicKey: Uint8Array;
}

/** What a proof comes to: all its culprits are convicted, or it proves nothing and why. */
export type GuiltVerdict<M extends Tagged> =
  | { readonly holds: true; readonly culprits: readonly Convicted<M>[] }
  | { readonly holds: false; readonly reason: string };

/**
 * Checks a proof by nothing but its own bytes, the protocol's rules and what is trusted: each
 * culprit's two signatures under its own key in the list of members, and that no honest member
 * signs both. Never throws at bad proofs.
 */
export function checkGuiltProof<M extends Tagged>(
  proof: OpenedProof,
  protocol: VowSource<M> & Judged<M> & { readonly name: string; readonly version: number },
  trust: GuiltTrust = {},
): GuiltVerdict<M> {
  try {
    const foreign = foreignIn(proof, protocol, trust);
    if (foreign !== undefined) return { holds: false, reason: foreign };
    const known = new Map(
      proof.text.contents.map((each): [Digest, Uint8Array] => {
        const bytes = fromHex(each);
        return [digestOfEncoding(bytes), bytes];
      }),
    );
    const culprits = proof.text.culprits.map((each) =>
      convicted(proof, protocol, each, known, trust),
    );
    if (culprits.length === 0) return { holds: false, reason: 'it names nobody' };
    if (new Set(culprits.map(({ signer }) => signer)).size < culprits.length)
      return { holds: false, reason: 'it names one member twice' };
    return { holds: true, culprits };
  } catch (error) {
    if (error instanceof SchemaError || error instanceof KeyError)
      return { holds: false, reason: error.message };
    throw error;
  }
}

/** Why a proof is not about what the stranger knows, if it is not. */
function foreignIn(
  { domain, f, options, publicKeys, seats }: OpenedProof,
  protocol: { readonly name: string; readonly version: number },
  { group }: GuiltTrust,
): string | undefined {
  if (domain.protocol !== protocol.name || domain.version !== protocol.version)
    return (
      `it is about ${domain.protocol} ${domain.version}, ` +
      `not ${protocol.name} ${protocol.version}`
    );
  if (group === undefined) return undefined;
  if (!sameBytes(encode(domainField, domain), encode(domainField, group.domain)))
    return 'it is about another cluster, group, epoch or protocol than the one that you trust';
  const sameKeys =
    publicKeys.length === group.publicKeys.length &&
    publicKeys.every((each, i) => sameBytes(each, group.publicKeys[i] as Uint8Array));
  if (!sameKeys) return 'its keys are not those of the members that you trust; somebody made it up';
  const rulesOf = (of: ProofGroup['options']) => JSON.stringify(Object.entries(of).sort());
  return f === group.f && seats === group.seats && rulesOf(options) === rulesOf(group.options)
    ? undefined
    : 'it goes by other rules than those of the group that you trust';
}

/** One culprit, checked. Throws {@link SchemaError} with why it is not convicted. */
function convicted<M extends Tagged>(
  { domain, publicKeys }: OpenedProof,
  protocol: VowSource<M> & Judged<M>,
  { member, rule, first, second }: CulpritText,
  known: ReadonlyMap<Digest, Uint8Array>,
  { fast }: GuiltTrust,
): Convicted<M> {
  const publicKey = Number.isInteger(member) ? publicKeys[member] : undefined;
  if (publicKey === undefined) throw new SchemaError(`it names n${member}, who is no member`);
  admitPublicKey(publicKey, `n${member}`);
  const verify = verifier(publicKey, fast);
  const [one, other] = [first, second].map((each, i) => {
    const said = fromHex(each.signed);
    const signature = fromHex(each.signature);
    const which = `the ${i === 0 ? 'first' : 'second'} statement of n${member}`;
    if (!verify(signature, said)) throw new SchemaError(`${which} was not signed by its key`);
    return spokenIn(protocol, { domain, member, which }, said, signature);
  }) as [Signed<M>, Signed<M>];
  const wrong = wrongIn(protocol, one, other, (digest) => known.get(digest));
  if (wrong === undefined)
    throw new SchemaError(`an honest member may sign both statements that it shows of n${member}`);
  if (wrong.rule !== rule)
    throw new SchemaError(`what it says of n${member} is not what the statements show`);
  return { signer: member, first: one, second: other, publicKey, ...wrong };
}

const kindField = text(255);
const bodyField = bytes(maxBodyBytes);

/** Reads signed bytes back: those of a member, in the domain of the proof, and nothing else. */
function spokenIn<M extends Tagged>(
  protocol: VowSource<M>,
  place: { readonly domain: Domain; readonly member: PrincipalId; readonly which: string },
  said: Uint8Array,
  signature: Uint8Array,
): Signed<M> {
  const { domain, member, which } = place;
  const prefix = signingBytes(domain, member, '', new Uint8Array());
  // Both end with the lengths of a kind and of a body, which are 0 here: one byte each.
  const start = prefix.length - 2;
  if (!sameBytes(said.subarray(0, start), prefix.subarray(0, start)))
    throw new SchemaError(`${which} is of another member, cluster, group, epoch or protocol`);
  const from = reader(said);
  from.at = start;
  const kind = kindField.read(from);
  const body = bodyField.read(from);
  const field = protocol.messages.of(kind);
  if (field === undefined || from.at !== from.end)
    throw new SchemaError(`${which} is no message of this protocol`);
  return seal<M>(decode(field, body), member, signature as Signature);
}
