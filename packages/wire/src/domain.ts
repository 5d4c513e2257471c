import {
  encode,
  type Field,
  type Infer,
  integer,
  type MessageField,
  type MessagesField,
  type PrincipalId,
  record,
  request,
  SchemaError,
  scratchBytes,
  type Tagged,
  text,
  toUtf8,
  view,
  type Writer,
  whileEncoded,
  writeBytes,
  writeInteger,
  writer,
  written,
} from '@quorumlab/core';
import { sha256 } from './digest.ts';

/**
 * Where a signature means something. Two statements of different domains never verify as one
 * another.
 */
export interface Domain {
  /** Which cluster: no two clusters that share a key may share this name. */
  readonly cluster: string;
  /** Which consensus group of the cluster. */
  readonly group: string;
  /** Which membership of the group. */
  readonly epoch: number;
  /** The protocol's name. */
  readonly protocol: string;
  /** The version of the protocol's messages. */
  readonly version: number;
}

const parts = {
  cluster: text(255),
  group: text(255),
  epoch: integer(),
  protocol: text(255),
  version: integer(),
};

/** The canonical encoding of a {@link Domain}, each part with its length. */
export const domainField: Field<Infer<Field<Domain>>> = record(parts);

/** The domain of `protocol` in one group of one cluster. */
export const domainOf = (
  protocol: { readonly name: string; readonly version: number },
  place: { readonly cluster: string; readonly group: string; readonly epoch: number },
): Domain => ({
  cluster: place.cluster,
  group: place.group,
  epoch: place.epoch,
  protocol: protocol.name,
  version: protocol.version,
});

const statementTag: Uint8Array = toUtf8('quorumlab/statement/1\n');
const commonTag: Uint8Array = toUtf8('quorumlab/common/1\n');
const identityTag: Uint8Array = toUtf8('quorumlab/domain/1\n');

/** Bytes of {@link domainIdentity}. */
export const domainIdentityBytes = 8;

/**
 * A short name of `domain` for frames, so that a frame of another cluster or epoch is refused
 * before anything is decoded. Signatures never rest on it: they cover the whole domain.
 */
export const domainIdentity = (domain: Domain): Uint8Array =>
  sha256(joined(identityTag, encode(domainField, domain))).slice(0, domainIdentityBytes);

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const out = writer(pieces.reduce((sum, piece) => sum + piece.length, 0));
  for (const piece of pieces) writeBytes(out, piece);
  return written(out);
}

/**
 * The bytes that `from` signs to say a message of `kind` whose parts are encoded as `body`: a fixed
 * prefix, the domain, the speaker, the kind and the body, each self-delimiting (ADR 020).
 */
export function signingBytes(
  domain: Domain,
  from: PrincipalId,
  kind: string,
  body: Uint8Array,
): Uint8Array {
  const out = writer(128 + body.length);
  writeBytes(out, statementTag);
  domainField.write(out, domain);
  writeStatement(out, from, toUtf8(kind), body);
  return written(out);
}

function writeStatement(out: Writer, from: PrincipalId, kind: Uint8Array, body: Uint8Array): void {
  writeInteger(out, from);
  writeText(out, kind);
  writeText(out, body);
}

function writeText(out: Writer, part: Uint8Array): void {
  writeInteger(out, part.length);
  writeBytes(out, part);
}

/**
 * The schema of `kind` in `field`. A client's request needs none: every protocol carries requests.
 */
function kindField<M extends Tagged>(
  field: MessagesField<M>,
  kind: string,
): MessageField<Tagged> | undefined {
  // A schema of M is only ever given values whose kind has selected it.
  const own = field.of(kind) as unknown as MessageField<Tagged> | undefined;
  return own ?? (kind === request.kind ? (request as unknown as MessageField<Tagged>) : undefined);
}

/**
 * The encoding of `message`'s parts, without its tag. Throws {@link SchemaError} at unknown kinds.
 */
export const bodyBytes = <M extends Tagged>(field: MessagesField<M>, message: Tagged): Uint8Array =>
  encode(knownField(field, message.kind), message);

function knownField<M extends Tagged>(field: MessagesField<M>, kind: string): MessageField<Tagged> {
  const of = kindField(field, kind);
  if (of === undefined)
    throw new SchemaError(`"${kind}" is not a kind of message here; add it to the schema`);
  return of;
}

/**
 * {@link signingBytes} for many messages of one domain: the prefix is encoded once, and what one
 * call gives is overwritten by the next.
 */
export function statements<M extends Tagged>(
  domain: Domain,
  field: MessagesField<M>,
): (from: PrincipalId, message: Tagged) => Uint8Array {
  const prefix = joined(statementTag, encode(domainField, domain));
  const kinds = new Map<string, Uint8Array>();
  let out = writer(4096);
  return (from, message) => {
    const { kind: name } = message;
    let kind = kinds.get(name);
    if (kind === undefined) kinds.set(name, (kind = toUtf8(name)));
    const known = kind;
    return whileEncoded(knownField(field, name), message, (body) => {
      if (out.bytes.length > scratchBytes) out = writer(4096);
      out.length = 0;
      writeBytes(out, prefix);
      writeStatement(out, from, known, view(body));
      return view(out);
    });
  };
}

/**
 * The bytes that several sign to say the same message of one domain: as {@link signingBytes},
 * without the speaker, whom only the key tells. Their first line keeps the two apart.
 */
export function commonStatements<M extends Tagged>(
  domain: Domain,
  field: MessagesField<M>,
): (message: Tagged) => Uint8Array {
  const prefix = joined(commonTag, encode(domainField, domain));
  return (message) => {
    const kind = toUtf8(message.kind);
    const body = bodyBytes(field, message);
    const out = writer(prefix.length + kind.length + body.length + 14);
    writeBytes(out, prefix);
    writeText(out, kind);
    writeText(out, body);
    return written(out);
  };
}

/**
 * What `encoding` gives, or nothing if the value is none of its schema: then it was never signed.
 */
export function orNothing<T>(encoding: () => T): T | undefined {
  try {
    return encoding();
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}
