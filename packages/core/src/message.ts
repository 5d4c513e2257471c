/**
 * Messages: tagged records, the union of a protocol's messages, and their signed forms.
 */
import {
  type Reader,
  readByte,
  readBytes,
  readInteger,
  SchemaError,
  type Writer,
  writeByte,
  writeBytes,
  writeInteger,
} from './bytes.ts';
import { operationsIn } from './limits.ts';
import {
  bytes,
  certifiedIn,
  type Field,
  type Infer,
  integer,
  mix,
  type Random,
  record,
} from './schema.ts';
import { inSteps, readInSteps } from './steps.ts';
import type { Certificate, Seal, Signature, Signed, Tagged } from './vocabulary.ts';

/** The schema of one kind of message. */
export interface MessageField<M extends Tagged> extends Field<M> {
  readonly kind: M['kind'];
  /** Its parts by name, for documentation and for mutators that aim at one of them. */
  readonly parts: Readonly<Record<string, Field<unknown>>>;
}

/** The type of a message of `kind` with parts `F`. */
export type MessageOf<K extends string, F> = { readonly kind: K } & {
  readonly [P in keyof F]: Infer<F[P]>;
};

/** The messages of `kind` among `M`. */
export type OfKind<M extends Tagged, K extends M['kind']> = Extract<M, { readonly kind: K }>;

/** Declares a kind of message. The kind is the paper's word, the same in handlers and on screen. */
export function message<K extends string, F extends Readonly<Record<string, Field<unknown>>>>(
  kind: K,
  parts: F,
): MessageField<MessageOf<K, F>> {
  type M = MessageOf<K, F>;
  const names = Object.keys(parts);
  for (const name of ['kind', 'from', 'signature'])
    if (names.includes(name))
      throw new SchemaError(`${kind}.${name}: the envelope has that name; choose another`);
  const fields = Object.values<Field<unknown>>(parts);
  const inner = record(parts);
  return inSteps(fields, {
    ...certifiedIn(fields),
    kind: kind as M['kind'],
    parts,
    type: `${kind} ${inner.type}`,
    maxBytes: inner.maxBytes,
    write(to, value) {
      const from: Readonly<Record<string, unknown>> = value;
      for (let i = 0; i < fields.length; i++)
        (fields[i] as Field<unknown>).write(to, from[names[i] as string]);
    },
    read(from) {
      const value: Record<string, unknown> = { kind };
      for (let i = 0; i < fields.length; i++)
        value[names[i] as string] = (fields[i] as Field<unknown>).read(from);
      // Every part was read by its own field, in the declared order: this is an M.
      return value as M;
    },
    *steps(from) {
      const value: Record<string, unknown> = { kind };
      for (let i = 0; i < fields.length; i++)
        value[names[i] as string] = yield* readInSteps(fields[i] as Field<unknown>, from);
      return value as M;
    },
    mix(hash, value) {
      const from: Readonly<Record<string, unknown>> = value;
      let out = hash;
      for (let i = 0; i < fields.length; i++)
        out = (fields[i] as Field<unknown>).mix(out, from[names[i] as string]);
      return out;
    },
    sample: (random) => ({ kind, ...inner.sample(random) }) as M,
    mutate: (value, random) => ({ ...inner.mutate(value, random), kind }) as M,
  });
}

/** The union of a protocol's messages: one byte for the kind, then the message. */
export interface MessagesField<M extends Tagged> extends Field<M> {
  /** The kinds in the order of their tags. */
  readonly kinds: readonly MessageField<M>[];
  /** The schema of `kind`, or nothing if there is none. */
  of(kind: string): MessageField<M> | undefined;
}

/** Declares all messages of a protocol. Their order is their tag on the wire: only ever append. */
export function messages<const F extends readonly MessageField<Tagged>[]>(
  ...kinds: F
): MessagesField<Extract<Infer<F[number]>, Tagged>> {
  type M = Extract<Infer<F[number]>, Tagged>;
  const all = kinds as unknown as readonly MessageField<M>[];
  const tags = new Map(all.map((each, tag) => [each.kind as string, tag]));
  if (tags.size !== all.length) throw new SchemaError('two messages have the same kind');
  const tagOf = (value: M): number => {
    const tag = tags.get(value.kind);
    if (tag === undefined) throw new SchemaError(`"${value.kind}" is not a kind of message here`);
    return tag;
  };
  const field = (value: M): MessageField<M> => all[tagOf(value)] as MessageField<M>;
  const kindAt = (tag: number): MessageField<M> => {
    const kind = all[tag];
    if (kind === undefined) throw new SchemaError(`${tag} is not the tag of any message here`);
    return kind;
  };
  const begun = (from: Reader): MessageField<M> => {
    const kind = kindAt(readByte(from));
    from.operations = operationsIn(kind.maxBytes);
    return kind;
  };
  return inSteps(all, {
    ...certifiedIn(all),
    kinds: all,
    of: (kind) => all[tags.get(kind) ?? -1],
    type: all.map((each) => each.kind).join(' | '),
    maxBytes: 1 + Math.max(...all.map((each) => each.maxBytes)),
    write(to, value) {
      const tag = tagOf(value);
      const kind = all[tag] as MessageField<M>;
      writeByte(to, tag);
      to.operations = operationsIn(kind.maxBytes);
      try {
        kind.write(to, value);
      } finally {
        to.operations = Number.POSITIVE_INFINITY;
      }
    },
    read: (from) => begun(from).read(from),
    *steps(from) {
      return yield* readInSteps(begun(from), from);
    },
    mix(hash, value) {
      const tag = tagOf(value);
      return (all[tag] as MessageField<M>).mix(mix(hash, tag), value);
    },
    sample: (random) => (all[random.below(all.length)] as MessageField<M>).sample(random),
    mutate: (value, random) => field(value).mutate(value, random),
  });
}

/** Most bytes of one signature: Ed25519's 64; the other keyrings' are shorter. */
export const maxSignatureBytes = 64;

const signatureBytes = bytes(maxSignatureBytes);
const principal = integer();

const readSignature = (from: Reader): Signature => signatureBytes.read(from) as Signature;

/** A message inside a message, with its own signature: who said it, and the proof. */
export function signed<M>(of: Field<M>): Field<Signed<M>> {
  return inSteps([of], {
    ...certifiedIn([of]),
    type: `signed ${of.type}`,
    maxBytes: principal.maxBytes + signatureBytes.maxBytes + of.maxBytes,
    write(to, value) {
      principal.write(to, value.from);
      signatureBytes.write(to, value.signature);
      of.write(to, value);
    },
    read(from) {
      const by = principal.read(from);
      const signature = signatureBytes.read(from) as Signature;
      const body = of.read(from);
      return seal(body, by, signature);
    },
    *steps(from) {
      const by = principal.read(from);
      const signature = signatureBytes.read(from) as Signature;
      return seal(yield* readInSteps(of, from), by, signature);
    },
    mix: (hash, value) => of.mix(mix(hash, value.from), value),
    sample: (random) => seal(of.sample(random), random.below(4), sampleSignature(random)),
    mutate: (value, random) =>
      random.below(3) === 0
        ? { ...value, from: value.from + 1 }
        : seal(of.mutate(value, random), value.from, value.signature),
  });
}

const sampleSignature = (random: Random): Signature =>
  Uint8Array.from({ length: maxSignatureBytes }, () => random.below(256)) as Signature;

/** `message` as said by `from`. Holding the result proves nothing by itself: keyrings check it. */
export const seal = <M>(value: Readonly<M>, from: number, signature: Signature): Signed<M> => ({
  ...value,
  from,
  signature,
});

/** Bytes of an aggregate: of one compressed point of the larger group of BLS12-381. */
export const aggregateBytes = 96;

/** Whether `signature` stands for those of several: no signature of one has so many bytes. */
const isAggregate = ({ length }: Uint8Array): boolean => length === aggregateBytes;

/**
 * Whether some seals of a certificate have one signature in common: the first of them holds it, and
 * those of the others are empty.
 */
export const isAggregated = ({ seals }: Certificate<unknown>): boolean =>
  seals.some(({ signature }) => isAggregate(signature));

/** Whether a seal of a certificate that is aggregated has a part in the aggregate. */
export const sharesAggregate = (signature: Uint8Array): boolean =>
  signature.length === 0 || isAggregate(signature);

/** Who of `seals` shares the aggregate, if it stands where it has to and is of several. */
function sharersOf(seals: readonly Seal[]): readonly Seal[] {
  const sharers = seals.filter(({ signature }) => sharesAggregate(signature));
  if (
    sharers.length < 2 ||
    sharers.some(({ signature }, i) => isAggregate(signature) !== (i === 0))
  )
    throw new SchemaError('an aggregate is one of at least two, and stands at the first of them');
  return sharers;
}

/** Writes who signed: one bit for each of `members`. */
function writeSigners(to: Writer, seals: readonly Seal[], members: number): void {
  const bitmap = new Uint8Array(Math.ceil(members / 8));
  let last = -1;
  for (const { from } of seals) {
    if (!(from > last && from < members))
      throw new SchemaError(`signer ${from} is out of order or not one of ${members} members`);
    bitmap[from >> 3] = (bitmap[from >> 3] as number) | (1 << (from & 7));
    last = from;
  }
  writeBytes(to, bitmap);
}

function readSigners(from: Reader, members: number): readonly number[] {
  const bitmap = readBytes(from, Math.ceil(members / 8));
  const signers: number[] = [];
  for (let i = 0; i < bitmap.length * 8; i++) {
    if (((bitmap[i >> 3] as number) & (1 << (i & 7))) === 0) continue;
    if (i >= members) throw new SchemaError(`signer ${i} is not one of ${members} members`);
    signers.push(i);
  }
  return signers;
}

/** What follows the bitmap of the signers where some of them share an aggregate. */
function readAggregated(from: Reader, signers: readonly number[], members: number): Seal[] {
  const aggregate = readBytes(from, aggregateBytes) as Signature;
  const beside = new Set(readSigners(from, members));
  const sharers = signers.filter((each) => !beside.has(each));
  if (sharers.length < 2 || sharers.length + beside.size !== signers.length)
    throw new SchemaError('an aggregate is of at least two of the signers that are named');
  return signers.map((each) => {
    if (!beside.has(each))
      return { from: each, signature: each === sharers[0] ? aggregate : noSignature };
    const signature = readSignature(from);
    if (signature.length === 0) throw new SchemaError(`signer ${each} has no signature`);
    return { from: each, signature };
  });
}

const noSignature = new Uint8Array(0) as Signature;

/**
 * Signatures of up to `members` replicas over one body: a bitmap of the signers, then their
 * signatures in the order of the bitmap. A signer can only be named once and must be a member.
 * Where several share one signature ({@link isAggregated}), it comes first, told by its length;
 * after it a bitmap of the signers that have no part in it, and their signatures.
 */
export function certificate<M>(of: Field<M>, members: number): Field<Certificate<M>> {
  const kind = 'kind' in of && typeof of.kind === 'string' ? [of.kind] : [];
  return {
    ...certifiedIn([{ certifies: kind }, of]),
    type: `certificate over ${of.type}, ≤ ${members} signers`,
    maxBytes: of.maxBytes + Math.ceil(members / 8) + members * signatureBytes.maxBytes,
    write(to, value) {
      const { body, seals } = value;
      of.write(to, body);
      writeSigners(to, seals, members);
      let alone = seals;
      if (isAggregated(value)) {
        const sharers = sharersOf(seals);
        writeInteger(to, aggregateBytes);
        writeBytes(to, (sharers[0] as Seal).signature);
        alone = seals.filter(({ signature }) => !sharesAggregate(signature));
        writeSigners(to, alone, members);
      }
      for (const { signature } of alone) signatureBytes.write(to, signature);
    },
    read(from) {
      const body = of.read(from);
      const signers = readSigners(from, members);
      const start = from.at;
      if (signers.length > 0 && readInteger(from) === aggregateBytes)
        return { body, seals: readAggregated(from, signers, members) };
      from.at = start;
      return {
        body,
        seals: signers.map((each) => ({ from: each, signature: readSignature(from) })),
      };
    },
    mix(hash, { body, seals }) {
      let out = of.mix(hash, body);
      for (const { from } of seals) out = mix(out, from);
      return out;
    },
    sample: (random) => ({
      body: of.sample(random),
      seals: Array.from({ length: members }, (_, from) => from)
        .filter(() => random.below(2) === 0)
        .map((from) => ({ from, signature: sampleSignature(random) })),
    }),
    mutate: (value, random) =>
      value.seals.length > 0 && random.below(2) === 0
        ? { ...value, seals: value.seals.slice(1) }
        : { ...value, body: of.mutate(value.body as M, random) },
  };
}
