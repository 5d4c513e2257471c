/** A short name of plain data: equal data has equal names, different data nearly never. */

const prime = 0x01000193;

/** Two halves of a name: traitors compare some ten thousand messages of one run. */
interface Name {
  one: number;
  other: number;
}

/**
 * A name that two values of plain data share only if they are equal, up to chance. The seal of a
 * message, the fields `from` and `signature` of `value` itself, does not count.
 */
export function fingerprint(value: object): string {
  const name: Name = { one: 0x811c9dc5, other: 0x2545f491 };
  mixParts(name, value, true);
  return hex(name.one) + hex(name.other);
}

const hex = (half: number): string => (half >>> 0).toString(16).padStart(8, '0');

/** Of at most 16 bits, as a character is. */
function mix(name: Name, bits: number): void {
  name.one = Math.imul(name.one ^ bits, prime);
  name.other = Math.imul(name.other ^ bits, prime);
}

/** Its length comes first, so that no text ends where another one begins. */
function mixText(name: Name, text: string): void {
  mixNumber(name, text.length);
  for (let i = 0; i < text.length; i++) mix(name, text.charCodeAt(i));
}

function mixNumber(name: Name, value: number): void {
  mix(name, value & 0xffff);
  mix(name, value >>> 16);
}

/** What comes next: parts of one kind are never taken for those of another. */
const kinds = { whole: 1, text: 2, bytes: 3, list: 4, parts: 5, other: 6 } as const;

function mixValue(name: Name, value: unknown): void {
  if (typeof value === 'object' && value !== null) return mixParts(name, value, false);
  if (typeof value === 'number' && value === value >>> 0 && !Object.is(value, -0)) {
    mix(name, kinds.whole);
    return mixNumber(name, value);
  }
  if (typeof value === 'string') {
    mix(name, kinds.text);
    return mixText(name, value);
  }
  mix(name, kinds.other);
  mixText(name, `${typeof value} ${String(value)}`);
}

function mixParts(name: Name, value: object, isSealed: boolean): void {
  if (value instanceof Uint8Array) return mixBytes(name, value);
  if (Array.isArray(value)) {
    mix(name, kinds.list);
    mixNumber(name, value.length);
    for (const part of value) mixValue(name, part);
    return;
  }
  mix(name, kinds.parts);
  if (value instanceof Map) for (const [key, part] of value) mixPart(name, String(key), part);
  else
    for (const key of Object.keys(value).sort())
      if (!isSealed || (key !== 'from' && key !== 'signature'))
        mixPart(name, key, (value as Readonly<Record<string, unknown>>)[key]);
  mix(name, 0);
}

/** No kind is 0, which ends the parts. */
function mixPart(name: Name, key: string, part: unknown): void {
  mix(name, kinds.text);
  mixText(name, key);
  mixValue(name, part);
}

function mixBytes(name: Name, bytes: Uint8Array): void {
  mix(name, kinds.bytes);
  mixNumber(name, bytes.length);
  for (let i = 0; i < bytes.length; i++) mix(name, bytes[i] as number);
}
