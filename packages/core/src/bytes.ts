/**
 * The primitives of the wire: one encoding per value. A decoder here refuses every byte string
 * that its encoder would not have produced, so two nodes never read one message in two ways.
 */

/** Largest number on the wire. Above it `n + 1` would soon stop being larger than `n`. */
export const maxInteger: number = 2 ** 48;

/** Bytes or a value that no schema allows. Thrown by encoders; decoders turn it into a refusal. */
export class SchemaError extends Error {
  override readonly name: string = 'SchemaError';
}

/** A growing buffer. Make one with {@link writer}, empty it with {@link written}. */
export interface Writer {
  bytes: Uint8Array;
  length: number;
  /** How many operations may still be written. */
  operations: number;
}

/** A place in a byte string. Everything from `at` to `end` is still to be read. */
export interface Reader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  /** Entries of the lists that were read in one go: they cost more than their bytes tell. */
  parts: number;
  /** How many operations may still be read: small ones take a hundred times their bytes. */
  operations: number;
}

/** An empty writer with room for `capacity` bytes before it has to grow. */
export const writer = (capacity = 256): Writer => ({
  bytes: new Uint8Array(capacity),
  length: 0,
  operations: Number.POSITIVE_INFINITY,
});

/** A copy of what has been written; the writer is empty afterwards and can be used again. */
export function written(to: Writer): Uint8Array {
  const bytes = copyOf(to.bytes, 0, to.length);
  to.length = 0;
  return bytes;
}

/** What has been written, until more is written. */
export const view = ({ bytes, length }: Writer): Uint8Array => bytes.subarray(0, length);

/** Byte strings up to this length share a slab: a buffer of its own costs ten times as much. */
const slabLimit = 1024;
const slabBytes = 16_384;
let slab = new Uint8Array(slabBytes);
let slabUsed = 0;

/** An independent copy of `bytes[start, end)`. Short ones share a buffer: never use `.buffer`. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length > slabLimit) return bytes.slice(start, end);
  if (slabUsed + length > slabBytes) {
    slab = new Uint8Array(slabBytes);
    slabUsed = 0;
  }
  const copy = slab.subarray(slabUsed, slabUsed + length);
  slabUsed += length;
  if (length > 32) copy.set(bytes.subarray(start, end));
  else for (let i = 0; i < length; i++) copy[i] = bytes[start + i] as number;
  return copy;
}

/** A reader over the whole of `bytes`. */
export const reader = (bytes: Uint8Array): Reader => ({
  bytes,
  at: 0,
  end: bytes.length,
  parts: 0,
  operations: Number.POSITIVE_INFINITY,
});

function room(to: Writer, more: number): void {
  const need = to.length + more;
  if (need <= to.bytes.length) return;
  const grown = new Uint8Array(Math.max(need, to.bytes.length * 2));
  grown.set(to.bytes.subarray(0, to.length));
  to.bytes = grown;
}

/** Seven bits a byte, lowest first, shortest form only: 1 byte below 128, at most 7. */
export function writeInteger(to: Writer, value: number): void {
  if (!(Number.isInteger(value) && value >= 0 && value <= maxInteger))
    throw new SchemaError(`${value} is not an integer from 0 to 2^48; send a smaller number`);
  room(to, 8);
  let rest = value;
  while (rest >= 0x80) {
    to.bytes[to.length++] = (rest % 0x80) | 0x80;
    rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80);
  }
  to.bytes[to.length++] = rest;
}

/** Reads what {@link writeInteger} wrote; refuses longer forms and numbers above 2^48. */
export function readInteger(from: Reader): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 7; i++) {
    const byte = readByte(from);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (byte === 0 && i > 0) throw new SchemaError('an integer is not in its shortest form');
      if (value > maxInteger) throw new SchemaError('an integer is above 2^48');
      return value;
    }
    scale *= 0x80;
  }
  throw new SchemaError('an integer is longer than 7 bytes');
}

/** One raw byte. */
export function writeByte(to: Writer, byte: number): void {
  room(to, 1);
  to.bytes[to.length++] = byte;
}

/** The next byte. */
export function readByte(from: Reader): number {
  if (from.at >= from.end) throw new SchemaError('the bytes end too early');
  return from.bytes[from.at++] as number;
}

/** Raw bytes without a length. */
export function writeBytes(to: Writer, bytes: Uint8Array): void {
  room(to, bytes.length);
  to.bytes.set(bytes, to.length);
  to.length += bytes.length;
}

/** The next `length` bytes, copied, so that the frame they came in can be let go. */
export function readBytes(from: Reader, length: number): Uint8Array {
  if (length > from.end - from.at) throw new SchemaError('the bytes end too early');
  const bytes = copyOf(from.bytes, from.at, from.at + length);
  from.at += length;
  return bytes;
}

/** UTF-8 of well-formed text; lone surrogates have no encoding and are refused. */
export function toUtf8(text: string): Uint8Array {
  const plain = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return toUtf8Slowly(text);
    plain[i] = code;
  }
  return plain;
}

function toUtf8Slowly(text: string): Uint8Array {
  const out = writer(text.length + 8);
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code < 0x80) writeByte(out, code);
    else if (code < 0x800) writeTail(out, 0xc0, code, 1);
    else if (code >= 0xd800 && code <= 0xdfff)
      throw new SchemaError('the text holds half a character (a lone surrogate)');
    else if (code < 0x10000) writeTail(out, 0xe0, code, 2);
    else writeTail(out, 0xf0, code, 3);
  }
  return written(out);
}

function writeTail(out: Writer, lead: number, code: number, more: number): void {
  writeByte(out, lead | (code >> (6 * more)));
  for (let i = more - 1; i >= 0; i--) writeByte(out, 0x80 | ((code >> (6 * i)) & 0x3f));
}

/** Text of well-formed, shortest-form UTF-8; anything else is refused. */
export function fromUtf8(bytes: Uint8Array): string {
  const from = reader(bytes);
  let text = '';
  while (from.at < from.end) {
    const lead = readByte(from);
    if (lead < 0x80) {
      text += String.fromCharCode(lead);
      continue;
    }
    const more =
      lead >= 0xf0 && lead < 0xf5
        ? 3
        : lead >= 0xe0 && lead < 0xf0
          ? 2
          : lead >= 0xc2 && lead < 0xe0
            ? 1
            : 0;
    if (more === 0) throw new SchemaError('the text is not UTF-8');
    let code = lead & (0x3f >> more);
    for (let i = 0; i < more; i++) {
      const next = readByte(from);
      if ((next & 0xc0) !== 0x80) throw new SchemaError('the text is not UTF-8');
      code = (code << 6) | (next & 0x3f);
    }
    const least = more === 1 ? 0x80 : more === 2 ? 0x800 : 0x10000;
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      throw new SchemaError('the text is not UTF-8');
    text += String.fromCodePoint(code);
  }
  return text;
}

const digits = '0123456789abcdef';
const pairs: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => (digits[byte >> 4] as string) + (digits[byte & 15] as string),
);

/** What engines have since 2025: ten times as fast, and a large state has thousands of digests. */
interface Hexadecimal {
  readonly toHex?: () => string;
  readonly setFromHex?: (text: string) => unknown;
}
// The compiler's library does not know them yet.
const { toHex: nativeToHex, setFromHex: nativeSetFromHex } = Uint8Array.prototype as Uint8Array &
  Hexadecimal;

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  if (nativeToHex !== undefined) return nativeToHex.call(bytes);
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += pairs[bytes[i] as number];
  return text;
}

/** The next `length` bytes as text, without a copy of their own. */
export function readHex(from: Reader, length: number): string {
  if (length > from.end - from.at) throw new SchemaError('the bytes end too early');
  from.at += length;
  return toHex(from.bytes.subarray(from.at - length, from.at));
}

/** Bytes of lower-case hexadecimal text. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new SchemaError(`"${text}" has an odd number of digits`);
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = byteAt(text, 2 * i);
  return bytes;
}

/** Up to so many digits, such as those of a digest, a loop is faster than what engines have. */
const shortHex = 128;

/** The bytes of lower-case hexadecimal text, without a copy of their own. */
export function writeHex(to: Writer, text: string): void {
  room(to, text.length / 2);
  const isLong = text.length > shortHex;
  if (isLong && nativeSetFromHex !== undefined && /^(?:[0-9a-f]{2})*$/.test(text)) {
    const end = to.length + text.length / 2;
    nativeSetFromHex.call(to.bytes.subarray(to.length, end), text);
    to.length = end;
    return;
  }
  const { bytes, length } = to;
  for (let i = 0; i < text.length; i += 2) bytes[length + (i >> 1)] = byteAt(text, i);
  to.length = length + text.length / 2;
}

function byteAt(text: string, i: number): number {
  const high = nibble(text.charCodeAt(i));
  const low = nibble(text.charCodeAt(i + 1));
  if (high < 0 || low < 0) throw new SchemaError(`"${text}" is not lower-case hexadecimal`);
  return (high << 4) | low;
}

/** The value of each digit by its code, -1 for what is none. */
const nibbles: Int8Array = Int8Array.from({ length: 128 }, (_, code) =>
  digits.indexOf(String.fromCharCode(code)),
);

const nibble = (code: number): number => nibbles[code] ?? -1;

/** Whether two byte strings have the same content. */
export function sameBytes(first: Uint8Array, second: Uint8Array): boolean {
  if (first === second) return true;
  if (first.length !== second.length) return false;
  for (let i = 0; i < first.length; i++) if (first[i] !== second[i]) return false;
  return true;
}
