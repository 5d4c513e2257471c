/** Fields of text, and of words. */
import { fromUtf8, readByte, SchemaError, toUtf8, writeByte } from './bytes.ts';
import { bytes, type Field, mix } from './schema.ts';

/** Text of at most `limit` bytes of UTF-8. */
export function text(limit: number): Field<string> {
  const raw = bytes(limit);
  return {
    type: `text ≤ ${limit}`,
    maxBytes: raw.maxBytes,
    write: (to, value) => raw.write(to, toUtf8(value)),
    read: (from) => fromUtf8(raw.read(from)),
    mix(hash, value) {
      let out = mix(hash, value.length);
      for (let i = 0; i < value.length; i++) out = mix(out, value.charCodeAt(i));
      return out;
    },
    sample: (random) =>
      Array.from({ length: random.below(Math.min(limit, 8) + 1) }, () =>
        String.fromCharCode(97 + random.below(26)),
      ).join(''),
    mutate: (value) =>
      value.length === 0
        ? limit === 0
          ? value
          : 'a'
        : value.slice(0, -1) + (value.endsWith('a') ? 'b' : 'a'),
  };
}

/** Exactly one of the given words. */
export function word<const W extends string>(...words: readonly W[]): Field<W> {
  const place = new Map<string, number>(words.map((each, i) => [each, i]));
  return {
    type: words.map((each) => `'${each}'`).join(' | '),
    maxBytes: 1,
    write(to, value) {
      const index = place.get(value);
      if (index === undefined) throw new SchemaError(`"${value}" is none of ${words.join(', ')}`);
      writeByte(to, index);
    },
    read(from) {
      const value = words[readByte(from)];
      if (value === undefined) throw new SchemaError(`none of ${words.join(', ')}`);
      return value;
    },
    mix: (hash, value) => mix(hash, place.get(value) ?? -1),
    sample: (random) => words[random.below(words.length)] as W,
    mutate: (value) => words[((place.get(value) ?? 0) + 1) % words.length] as W,
  };
}
