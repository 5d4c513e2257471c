import {
  type MessagesField,
  maxFrameBytes,
  maxSignatureBytes,
  type PrincipalId,
  type Reader,
  readByte,
  readBytes,
  reader,
  readInSteps,
  readInteger,
  type Signature,
  type Signed,
  type Steps,
  sameBytes,
  scratchBytes,
  seal,
  type Tagged,
  view,
  type Writer,
  writeByte,
  writeBytes,
  writeInteger,
  writer,
  written,
} from '@quorumlab/core';
import { type Domain, domainIdentity, domainIdentityBytes } from './domain.ts';

/** First byte of a frame. A change of the frame's layout raises it. */
export const frameVersion = 1;

/** First byte of a frame behind whose message stands a share of an aggregate. */
export const sharedFrameVersion = 2;

/** What stands behind some messages, and is no part of what their signers have signed. */
export interface Shares<M extends Tagged> {
  /** The kinds that may have one. */
  readonly kinds: ReadonlySet<string>;
  /** Bytes of each. */
  readonly bytes: number;
  /** The one that goes with a message, if it has one. */
  of(message: Signed<M>): Uint8Array | undefined;
  /** Takes the one that came with a message; no signature has been checked yet. */
  came(message: Signed<M>, share: Uint8Array): void;
}

/** Why a frame was not taken. */
export type RefusalReason =
  | 'oversized'
  | 'wrong-version'
  | 'wrong-domain'
  | 'not-a-member'
  | 'not-the-sender'
  | 'unknown-kind'
  | 'malformed';

/**
 * A frame that was not taken, and why. It has no `kind`, which is how it differs from a message.
 */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly detail: string;
}

/** Whether decoding gave a {@link Refusal}. */
export const isRefusal = (result: object): result is Refusal => !('kind' in result);

/** What a receiver knows that the frame's bytes do not say. */
export interface DecodeLimits {
  /** Largest frame in bytes; core's `maxFrameBytes` unless told. */
  readonly maxFrameBytes?: number;
  /**
   * Largest encoding of a kind's parts in bytes, where that is to be less than its schema allows.
   */
  readonly maxBytesOf?: (kind: string) => number | undefined;
  /** Whether the principal is known here. Everybody is, unless told. */
  readonly knows?: (principal: PrincipalId) => boolean;
  /** Who the channel has proven to be at its other end, if messages may not be relayed. */
  readonly sender?: PrincipalId;
}

/** Turns signed messages into frames and strangers' frames into signed messages. */
export interface Envelopes<M extends Tagged> {
  /** The one frame of `message`. Throws `SchemaError` if it breaks a limit of its schema. */
  encode(message: Signed<M>): Uint8Array;
  /** As {@link Envelopes.encode}; the next frame that is encoded is written over this one. */
  lend(message: Signed<M>): Uint8Array;
  /**
   * The message of `frame`, its signature not yet checked, or why there is none. Never throws. The
   * cheap checks come first; what is accepted encodes to `frame` again.
   */
  decode(frame: Uint8Array, limits?: DecodeLimits): Signed<M> | Refusal;
  /**
   * As {@link Envelopes.decode}, in steps: for hosts that have others to serve meanwhile. Each step
   * yields how many entries of lists it has read; a frame of up to 4 KiB is one step.
   */
  decodeInSteps(frame: Uint8Array, limits?: DecodeLimits): Steps<Signed<M> | Refusal>;
  /**
   * Who signed `frame` and what kind of message it holds, or why it is refused: the checks of
   * {@link Envelopes.decode} that need not read the message. Never throws.
   */
  glance(frame: Uint8Array, limits?: DecodeLimits): Glance | Refusal;
}

/** See {@link Envelopes.glance}. */
export interface Glance {
  readonly kind: string;
  readonly from: PrincipalId;
}

/** Room for most frames; a larger buffer than `scratchBytes` is let go with the next frame. */
const firstBytes = 65_536;

/** The envelopes of one domain; with `shares`, also those of frames that hold them. */
export function envelopes<M extends Tagged>(
  domain: Domain,
  field: MessagesField<M>,
  shares?: Shares<M>,
): Envelopes<M> {
  const identity = domainIdentity(domain);
  const opening: Opening<M> = { identity, field, shares };
  const opened = (found: Header, message: M): Signed<M> | Refusal => {
    const read = whole(found, message);
    if (found.share !== undefined && !isRefusal(read)) shares?.came(read, found.share);
    return read;
  };
  let out = writer(firstBytes);
  function write(message: Signed<M>): Writer {
    // One buffer for all frames: making one for each costs more than filling it.
    if (out.bytes.length > scratchBytes) out = writer(firstBytes);
    out.length = 0;
    const share = shares?.of(message);
    writeByte(out, share === undefined ? frameVersion : sharedFrameVersion);
    writeBytes(out, identity);
    writeInteger(out, message.from);
    writeInteger(out, message.signature.length);
    writeBytes(out, message.signature);
    field.write(out, message);
    if (share !== undefined) writeBytes(out, share);
    return out;
  }
  return {
    encode: (message) => written(write(message)),
    lend: (message) => view(write(message)),
    glance(frame, limits = {}) {
      try {
        const found = header(frame, limits, opening);
        return 'reason' in found ? found : { kind: found.kind, from: found.from };
      } catch (error) {
        return unreadable(error);
      }
    },
    decode(frame, limits = {}) {
      try {
        const found = header(frame, limits, opening);
        return 'reason' in found ? found : opened(found, field.read(found.input));
      } catch (error) {
        return unreadable(error);
      }
    },
    *decodeInSteps(frame, limits = {}) {
      let input: Reader | undefined;
      let result: Signed<M> | Refusal;
      try {
        const found = header(frame, limits, opening);
        if ('reason' in found) return found;
        input = found.input;
        const isSmall = frame.byteLength <= bytesOfStep;
        result = opened(found, isSmall ? field.read(input) : yield* readInSteps(field, input));
      } catch (error) {
        result = unreadable(error);
      }
      if (input !== undefined && input.parts > 0) yield input.parts;
      return result;
    },
  };
}

/** A frame up to this size is read in one go: in half a millisecond at most. */
const bytesOfStep = 4096;

const refused = (reason: RefusalReason, detail: string): Refusal => ({ reason, detail });

const addressOf = (identity: Uint8Array): string => String.fromCharCode(...identity);

/** What {@link addressIn} finds in the frames of `domain`: a key for maps. */
export const addressFor = (domain: Domain): string => addressOf(domainIdentity(domain));

/**
 * For which domain `frame` is, by its first bytes: where several groups share a channel. Nothing
 * else of it is looked at. A refusal: it is no frame of an envelope.
 */
export function addressIn(frame: Uint8Array): string | Refusal {
  const version = frame[0];
  if (version !== frameVersion && version !== sharedFrameVersion)
    return refused('wrong-version', `frame version ${version}, here ${frameVersion}`);
  if (frame.length <= domainIdentityBytes) return refused('malformed', 'no domain');
  return addressOf(frame.subarray(1, 1 + domainIdentityBytes));
}

/** Nothing that a stranger sends may stop a node, whatever a schema does with it. */
const unreadable = (error: unknown): Refusal =>
  refused('malformed', error instanceof Error ? error.message : String(error));

interface Header extends Glance {
  readonly signature: Signature;
  /** At the message. */
  readonly input: Reader;
  /** What stands behind the message. */
  readonly share?: Uint8Array;
}

/** What frames are opened by. */
interface Opening<M extends Tagged> {
  readonly identity: Uint8Array;
  readonly field: MessagesField<M>;
  readonly shares: Shares<M> | undefined;
}

function header<M extends Tagged>(
  frame: Uint8Array,
  limits: DecodeLimits,
  { identity, field, shares }: Opening<M>,
): Header | Refusal {
  const most = limits.maxFrameBytes ?? maxFrameBytes;
  if (frame.length > most) return refused('oversized', `${frame.length} bytes, at most ${most}`);
  const version = readByte(reader(frame));
  const isShared = version === sharedFrameVersion && shares !== undefined;
  if (version !== frameVersion && !isShared)
    return refused('wrong-version', `frame version ${version}, here ${frameVersion}`);
  const end = isShared ? Math.max(1, frame.length - shares.bytes) : frame.length;
  const input = reader(isShared ? frame.subarray(0, end) : frame);
  input.at = 1;
  if (!sameBytes(readBytes(input, domainIdentityBytes), identity))
    return refused('wrong-domain', 'another cluster, group, epoch, protocol or version');
  const from = readInteger(input);
  if (limits.sender !== undefined && from !== limits.sender)
    return refused('not-the-sender', `principal ${limits.sender} sent a message of ${from}`);
  if (limits.knows?.(from) === false)
    return refused('not-a-member', `principal ${from} is not known here`);
  const length = readInteger(input);
  if (length > maxSignatureBytes)
    return refused('malformed', `a signature of ${length} bytes, at most ${maxSignatureBytes}`);
  const signature = readBytes(input, length) as Signature;
  const kind = kindOf(input, limits, field);
  if (typeof kind !== 'string') return kind;
  if (!isShared) return { kind, from, signature, input };
  if (!shares.kinds.has(kind)) return refused('malformed', `${kind}: no share belongs to it`);
  return { kind, from, signature, input, share: frame.slice(end) };
}

/** Looks at the tag without moving on. */
function kindOf<M extends Tagged>(
  input: Reader,
  limits: DecodeLimits,
  field: MessagesField<M>,
): string | Refusal {
  const tag = input.bytes[input.at];
  if (tag === undefined || input.at >= input.end) return refused('malformed', 'no message');
  const of = field.kinds[tag];
  if (of === undefined) return refused('unknown-kind', `no message has the tag ${tag}`);
  const most = Math.min(of.maxBytes, limits.maxBytesOf?.(of.kind) ?? of.maxBytes);
  const size = input.end - input.at - 1;
  if (size > most) return refused('oversized', `${of.kind}: ${size} bytes, at most ${most}`);
  return of.kind;
}

function whole<M extends Tagged>(
  { input, from, signature }: Header,
  message: M,
): Signed<M> | Refusal {
  if (input.at !== input.end)
    return refused('malformed', `${input.end - input.at} bytes are left over`);
  return seal<M>(message, from, signature);
}
