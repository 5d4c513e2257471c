/**
 * Messages: tagged records, the union of a protocol's messages, and their signed forms.
 */
import { readByte, readBytes, SchemaError, writeByte, writeBytes } from './bytes.ts';
import {
  maxChangeBytes,
  maxEncodedOperationsBytes,
  maxOperationBytes,
  maxOperations,
} from './limits.ts';
import type { Certificate, Seal, Signature, Signed } from './protocol.ts';
import {
  bounded,
  bytes,
  type Field,
  type Infer,
  integer,
  list,
  mix,
  type Random,
  record,
} from './schema.ts';

/** What a message looks like to code that does not know its protocol. */
export interface Tagged {
  readonly kind: string;
}

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
  return {
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
    mix(hash, value) {
      const from: Readonly<Record<string, unknown>> = value;
      let out = hash;
      for (let i = 0; i < fields.length; i++)
        out = (fields[i] as Field<unknown>).mix(out, from[names[i] as string]);
      return out;
    },
    sample: (random) => ({ kind, ...inner.sample(random) }) as M,
    mutate: (value, random) => ({ ...inner.mutate(value, random), kind }) as M,
  };
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
  return {
    kinds: all,
    of: (kind) => all[tags.get(kind) ?? -1],
    type: all.map((each) => each.kind).join(' | '),
    maxBytes: 1 + Math.max(...all.map((each) => each.maxBytes)),
    write(to, value) {
      const tag = tagOf(value);
      writeByte(to, tag);
      (all[tag] as MessageField<M>).write(to, value);
    },
    read(from) {
      const tag = readByte(from);
      const kind = all[tag];
      if (kind === undefined) throw new SchemaError(`${tag} is not the tag of any message here`);
      return kind.read(from);
    },
    mix(hash, value) {
      const tag = tagOf(value);
      return (all[tag] as MessageField<M>).mix(mix(hash, tag), value);
    },
    sample: (random) => (all[random.below(all.length)] as MessageField<M>).sample(random),
    mutate: (value, random) => field(value).mutate(value, random),
  };
}

/** Most bytes of one signature: Ed25519's 64; the other keyrings' are shorter. */
export const maxSignatureBytes = 64;

const signatureBytes = bytes(maxSignatureBytes);
const principal = integer();

/** A message inside a message, with its own signature: who said it, and the proof. */
export function signed<M>(of: Field<M>): Field<Signed<M>> {
  return {
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
    mix: (hash, value) => of.mix(mix(hash, value.from), value),
    sample: (random) => seal(of.sample(random), random.below(4), sampleSignature(random)),
    mutate: (value, random) =>
      random.below(3) === 0
        ? { ...value, from: value.from + 1 }
        : seal(of.mutate(value, random), value.from, value.signature),
  };
}

const sampleSignature = (random: Random): Signature =>
  Uint8Array.from({ length: maxSignatureBytes }, () => random.below(256)) as Signature;

/** `message` as said by `from`. Holding the result proves nothing by itself: keyrings check it. */
export const seal = <M>(value: Readonly<M>, from: number, signature: Signature): Signed<M> => ({
  ...value,
  from,
  signature,
});

/**
 * Signatures of up to `members` replicas over one body: a bitmap of the signers, then their
 * signatures in the order of the bitmap. A signer can only be named once and must be a member.
 */
export function certificate<M>(of: Field<M>, members: number): Field<Certificate<M>> {
  const width = Math.ceil(members / 8);
  return {
    type: `certificate over ${of.type}, ≤ ${members} signers`,
    maxBytes: of.maxBytes + width + members * signatureBytes.maxBytes,
    write(to, { body, seals }) {
      of.write(to, body);
      const bitmap = new Uint8Array(width);
      let last = -1;
      for (const { from } of seals) {
        if (!(from > last && from < members))
          throw new SchemaError(`signer ${from} is out of order or not one of ${members} members`);
        bitmap[from >> 3] = (bitmap[from >> 3] as number) | (1 << (from & 7));
        last = from;
      }
      writeBytes(to, bitmap);
      for (const { signature } of seals) signatureBytes.write(to, signature);
    },
    read(from) {
      const body = of.read(from);
      const bitmap = readBytes(from, width);
      const seals: Seal[] = [];
      for (let i = 0; i < width * 8; i++) {
        if (((bitmap[i >> 3] as number) & (1 << (i & 7))) === 0) continue;
        if (i >= members) throw new SchemaError(`signer ${i} is not one of ${members} members`);
        seals.push({ from: i, signature: signatureBytes.read(from) as Signature });
      }
      return { body, seals };
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

/**
 * A client asks for `operations` to be ordered and run, all of them at one position. A repeated
 * request is the same object under the same sequence; `acknowledged` is the lowest sequence whose
 * reply the client still waits for, so replicas may forget replies below it (Ongaro's thesis 6.3).
 * All operations of one request take at most 512 KiB, so that frames and batches stay small. One
 * without operations and without a change of the group asks which session its client may open.
 */
export const request: MessageField<Request> = requestField();

/** See {@link request}. */
export interface Request {
  readonly kind: 'request';
  readonly client: number;
  /** Never used again by its client: its upper half ({@link lifeOf}) tells lives apart. */
  readonly sequence: number;
  readonly acknowledged: number;
  /**
   * How many sessions its client has opened before the one that this request is of. A session is
   * opened by the first request with the number that is next. Absent: 0.
   */
  readonly session?: number;
  readonly operations: readonly Uint8Array[];
  /**
   * In place of operations: a change of the group itself, such as its members, for the protocol
   * and not for the application. Only the protocol can read it.
   */
  readonly configuration?: Uint8Array;
}

/** Lives of a client that its sequences tell apart, and sequences of each; 2^48 in all. */
const lives: number = 2 ** 24;
const sequencesOfLife: number = 2 ** 24;

/** Which life of its client a sequence belongs to: `Start.incarnation`, its last 24 bits. */
export const lifeOf = (sequence: number): number => Math.floor(sequence / sequencesOfLife);

/** The first sequence of a life; 0 is never used. */
export const firstSequenceOf = (incarnation: number): number =>
  (incarnation % lives) * sequencesOfLife + 1;

/** Whether this only asks for the number of its client's next session: it changes nothing. */
export const asksForSession = ({ operations, configuration }: Request): boolean =>
  operations.length === 0 && configuration === undefined;

/** At least the bytes that `request` and its seal take when encoded, without encoding it. */
export function requestBytes({ operations, configuration }: Request): number {
  let size = 128 + (configuration?.length ?? 0);
  for (let i = 0; i < operations.length; i++) size += (operations[i] as Uint8Array).length + 3;
  return size;
}

/** An ordinary request has operations, so it takes no room to say that there is nothing else. */
function requestField(): MessageField<Request> {
  const parts = message('request', {
    client: integer(),
    sequence: integer(),
    acknowledged: integer(),
    session: integer(),
    operations: bounded(list(bytes(maxOperationBytes), maxOperations), maxEncodedOperationsBytes),
  });
  // Of most clients there is one session, and its number is left out as an absent part is.
  const whole = (value: Request): Infer<typeof parts> => ({
    ...value,
    session: value.session ?? 0,
  });
  const short = ({ session, ...value }: Infer<typeof parts>): Request =>
    session === 0 ? value : { ...value, session };
  const plain: MessageField<Request> = {
    ...parts,
    write: (to, value) => parts.write(to, whole(value)),
    read: (from) => short(parts.read(from)),
    mix: (hash, value) => parts.mix(hash, whole(value)),
    sample: (random) => short(parts.sample(random)),
    mutate: (value, random) => short(parts.mutate(whole(value), random)),
  };
  const configuration = bytes(maxChangeBytes);
  const joined = (value: Request, about: Uint8Array): Request =>
    about.length === 0 ? value : { ...value, configuration: about };
  return {
    ...plain,
    type: `${plain.type}, without operations: configuration ${configuration.type}`,
    maxBytes: plain.maxBytes + configuration.maxBytes,
    write(to, value) {
      plain.write(to, value);
      if (value.operations.length === 0) configuration.write(to, value.configuration ?? nothing);
      else if (value.configuration !== undefined)
        throw new SchemaError('a request changes the group or runs operations, never both');
    },
    read(from) {
      const value = plain.read(from);
      return value.operations.length === 0 ? joined(value, configuration.read(from)) : value;
    },
    mix(hash, value) {
      const out = plain.mix(hash, value);
      return value.configuration === undefined ? out : configuration.mix(out, value.configuration);
    },
    sample(random) {
      const value = plain.sample(random);
      return value.operations.length === 0 ? joined(value, configuration.sample(random)) : value;
    },
    mutate(value, random) {
      const { configuration: about, ...rest } = value;
      const other = plain.mutate(rest, random);
      if (other.operations.length > 0) return other;
      return joined(other, about ?? configuration.sample(random));
    },
  };
}

const nothing = new Uint8Array();

/** The number of the first client; smaller numbers are replicas. */
export const firstClient = 65_536;
