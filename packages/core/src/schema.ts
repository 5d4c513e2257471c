/**
 * One declaration of a value gives everything that can be asked of it: its TypeScript type, its
 * canonical encoding and decoder with limits, a fuzz generator, a field-wise mutator, a rolling
 * hash for traces and the row of the documentation that describes it.
 */
import {
  maxInteger,
  type Reader,
  readByte,
  readBytes,
  readHex,
  readInteger,
  SchemaError,
  toHex,
  type Writer,
  writeByte,
  writeBytes,
  writeHex,
  writeInteger,
} from './bytes.ts';
import { hasSteps, inSteps, readInSteps, type Steps } from './steps.ts';

/** The only source of chance: one seeded stream, drawn from in a fixed order. */
export interface Random {
  /** A uniform integer from 0 up to, not including, `limit` (at most 2^48). */
  below(limit: number): number;
}

/** A kind of value that can travel. */
export interface Field<T> {
  /** How the documentation names it, with its limit: `bytes ≤ 1024`. */
  readonly type: string;
  /** Most bytes that an encoded value can take. */
  readonly maxBytes: number;
  /** A disk keeps a table of such values beside its log, and reads one when it is asked for. */
  readonly isLarge?: true;
  /** Kinds of messages of which a value may hold certificates, however deep; none if absent. */
  readonly certifies?: readonly string[];
  /** Appends the one encoding of `value`. Throws {@link SchemaError} if it breaks a limit. */
  write(to: Writer, value: T): void;
  /** Reads a value. Throws {@link SchemaError} at anything `write` would not have written. */
  read(from: Reader): T;
  /** As `read`, of fields that were made by {@link inSteps}. */
  steps?(from: Reader): Steps<T>;
  /** Folds `value` into a rolling 32-bit hash. Not collision-resistant: traces only. */
  mix(hash: number, value: T): number;
  /** A valid value, small ones and limits first of all. */
  sample(random: Random): T;
  /** A valid value that differs from `value` in one place, or `value` if there is no other. */
  mutate(value: T, random: Random): T;
}

/** Of which kinds of messages there are certificates in any of these fields. */
export function certifiedIn(
  fields: readonly Pick<Field<never>, 'certifies'>[],
): Pick<Field<never>, 'certifies'> {
  const kinds = [...new Set(fields.flatMap(({ certifies = [] }) => certifies))];
  return kinds.length === 0 ? {} : { certifies: kinds };
}

/** The TypeScript type that a field describes. */
export type Infer<F> = F extends Field<infer T> ? T : never;

/**
 * Folds one 32-bit word into a rolling hash: multiply by an odd constant, then let high bits fall.
 * The result is a signed 32-bit integer: engines make an object of every larger one.
 */
export function mix(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}

/** An integer from 0 to `limit`, which is 2^48 unless told otherwise. */
export function integer(limit: number = maxInteger): Field<number> {
  return {
    type: limit === maxInteger ? 'integer' : `integer ≤ ${limit}`,
    maxBytes: 7,
    write(to, value) {
      if (value > limit) throw new SchemaError(`${value} is above the limit ${limit}`);
      writeInteger(to, value);
    },
    read(from) {
      const value = readInteger(from);
      if (value > limit) throw new SchemaError(`${value} is above the limit ${limit}`);
      return value;
    },
    // Nearly all are below 2^32, and dividing takes longer than the rest.
    mix: (hash, value) =>
      mix(mix(hash, value | 0), value < 0x100000000 ? 0 : Math.floor(value / 0x100000000)),
    sample(random) {
      const choice = random.below(4);
      if (choice === 0) return random.below(Math.min(limit, 3) + 1);
      return choice === 1 ? limit - random.below(Math.min(limit, 2) + 1) : random.below(limit);
    },
    mutate(value, random) {
      if (limit === 0) return value;
      const near = random.below(2) === 0 ? value - 1 : value + 1;
      if (random.below(3) > 0 && near >= 0 && near <= limit) return near;
      const other = random.below(limit);
      return other === value ? limit : other;
    },
  };
}

/** True or false, as one byte. */
export const boolean: Field<boolean> = {
  type: 'boolean',
  maxBytes: 1,
  write: (to, value) => writeByte(to, value ? 1 : 0),
  read(from) {
    const byte = readByte(from);
    if (byte > 1) throw new SchemaError(`${byte} is not a boolean`);
    return byte === 1;
  },
  mix: (hash, value) => mix(hash, value ? 1 : 0),
  sample: (random) => random.below(2) === 1,
  mutate: (value) => !value,
};

const sampleBytes = (random: Random, limit: number): Uint8Array =>
  Uint8Array.from({ length: random.below(Math.min(limit, 24) + 1) }, () => random.below(256));

function mutateBytes(value: Uint8Array, random: Random, limit: number): Uint8Array {
  const other = value.slice();
  if (other.length > 0 && random.below(3) > 0) {
    const at = random.below(other.length);
    other[at] = (other[at] as number) ^ (1 << random.below(8));
    return other;
  }
  if (other.length < limit) return Uint8Array.from([...other, random.below(256)]);
  return other.length > 0 ? other.slice(0, -1) : other;
}

const mixBytes = (hash: number, value: Uint8Array): number => {
  let out = mix(hash, value.length);
  for (let i = 0; i < value.length; i++) out = mix(out, value[i] as number);
  return out;
};

/** Up to `limit` bytes. */
export const bytes = (limit: number): Field<Uint8Array> => ({
  type: `bytes ≤ ${limit}`,
  maxBytes: limit + 7,
  write(to, value) {
    if (value.length > limit)
      throw new SchemaError(`${value.length} bytes are more than the ${limit} allowed here`);
    writeInteger(to, value.length);
    writeBytes(to, value);
  },
  read(from) {
    const length = readInteger(from);
    if (length > limit) throw new SchemaError(`${length} bytes are more than ${limit}`);
    return readBytes(from, length);
  },
  mix: mixBytes,
  sample: (random) => sampleBytes(random, limit),
  mutate: (value, random) => mutateBytes(value, random, limit),
});

/** `of`, where a table of it is too large for memory and for the log. */
export const large = <T>(of: Field<T>): Field<T> => ({ ...of, isLarge: true });

/** A collision-resistant hash, 32 bytes on the wire, lower-case hexadecimal in memory. */
export type Digest = string;

/** A {@link Digest}. */
export const digest: Field<Digest> = {
  type: 'digest',
  maxBytes: 32,
  write(to, value) {
    if (value.length !== 64) throw new SchemaError(`"${value}" is not a digest of 64 digits`);
    writeHex(to, value);
  },
  read: (from) => readHex(from, 32),
  mix(hash, value) {
    let out = hash;
    for (let i = 0; i < 16; i += 2)
      out = mix(out, value.charCodeAt(i) | (value.charCodeAt(i + 1) << 8));
    return out;
  },
  sample: (random) => toHex(Uint8Array.from({ length: 32 }, () => random.below(256))),
  mutate: (value) => (value.startsWith('0') ? '1' : '0') + value.slice(1),
};

/** `of`, or null. */
export const nullable = <T>(of: Field<T>): Field<T | null> =>
  inSteps([of], {
    ...certifiedIn([of]),
    type: `${of.type} or null`,
    maxBytes: of.maxBytes + 1,
    write(to, value) {
      writeByte(to, value === null ? 0 : 1);
      if (value !== null) of.write(to, value);
    },
    read: (from) => (boolean.read(from) ? of.read(from) : null),
    *steps(from) {
      return boolean.read(from) ? yield* readInSteps(of, from) : null;
    },
    mix: (hash, value) => (value === null ? mix(hash, 0) : of.mix(mix(hash, 1), value)),
    sample: (random) => (random.below(3) === 0 ? null : of.sample(random)),
    mutate: (value, random) =>
      value === null || random.below(3) === 0
        ? value === null
          ? of.sample(random)
          : null
        : of.mutate(value, random),
  });

/** Entries of a list that are read in one step, where none of them takes long by itself. */
const entriesOfStep = 64;

/** How many entries of a list follow. */
function readLength(from: Reader, limit: number): number {
  const length = readInteger(from);
  if (length > limit) throw new SchemaError(`${length} entries are more than ${limit}`);
  return length;
}

/** Up to `limit` values. */
export const list = <T>(of: Field<T>, limit: number): Field<readonly T[]> =>
  inSteps([], {
    ...certifiedIn([of]),
    type: `list of ${of.type}, ≤ ${limit}`,
    maxBytes: 7 + limit * of.maxBytes,
    write(to, values) {
      if (values.length > limit)
        throw new SchemaError(`${values.length} entries are more than the ${limit} allowed here`);
      writeInteger(to, values.length);
      for (let i = 0; i < values.length; i++) of.write(to, values[i] as T);
    },
    read(from) {
      const length = readLength(from, limit);
      from.parts += length;
      const values: T[] = [];
      for (let i = 0; i < length; i++) values.push(of.read(from));
      return values;
    },
    *steps(from) {
      const length = readLength(from, limit);
      const values: T[] = [];
      const isLong = hasSteps(of);
      const most = isLong ? 1 : entriesOfStep;
      while (values.length < length) {
        const next = Math.min(most, length - values.length);
        for (let i = 0; i < next; i++)
          values.push(isLong ? yield* readInSteps(of, from) : of.read(from));
        yield next;
      }
      return values;
    },
    mix(hash, values) {
      let out = mix(hash, values.length);
      for (let i = 0; i < values.length; i++) out = of.mix(out, values[i] as T);
      return out;
    },
    sample: (random) =>
      Array.from({ length: random.below(Math.min(limit, 3) + 1) }, () => of.sample(random)),
    mutate(values, random) {
      const choice = random.below(3);
      if (values.length > 0 && choice === 0) {
        const at = random.below(values.length);
        return values.map((value, i) => (i === at ? of.mutate(value, random) : value));
      }
      if (values.length < limit && (choice === 1 || values.length === 0))
        return [
          ...values,
          values.length > 0 && random.below(2) === 0 ? (values[0] as T) : of.sample(random),
        ];
      const cut = random.below(Math.max(values.length, 1));
      return values.filter((_, i) => i !== cut);
    },
  });

function requireWithin(bytes: number, most: number): void {
  if (bytes > most) throw new SchemaError(`${bytes} bytes are more than ${most}`);
}

/** `of` in at most `maxBytes` encoded bytes, for lists whose entries are never all of full size. */
export const bounded = <T>(of: Field<T>, maxBytes: number): Field<T> =>
  inSteps([of], {
    ...of,
    type: `${of.type}, ≤ ${maxBytes} bytes in all`,
    maxBytes: Math.min(of.maxBytes, maxBytes),
    write(to, value) {
      const before = to.length;
      of.write(to, value);
      if (to.length - before > maxBytes)
        throw new SchemaError(
          `${to.length - before} bytes are more than the ${maxBytes} allowed here`,
        );
    },
    read(from) {
      const before = from.at;
      const value = of.read(from);
      requireWithin(from.at - before, maxBytes);
      return value;
    },
    *steps(from) {
      const before = from.at;
      const value = yield* readInSteps(of, from);
      requireWithin(from.at - before, maxBytes);
      return value;
    },
  });

/** A value with named parts, encoded in the order in which they are declared. */
export function record<F extends Readonly<Record<string, Field<unknown>>>>(
  fields: F,
): Field<{ readonly [P in keyof F]: Infer<F[P]> }> {
  type T = { readonly [P in keyof F]: Infer<F[P]> };
  const parts: readonly (readonly [keyof F & string, Field<unknown>])[] = Object.entries(fields);
  // By index: pairs that a loop takes apart cost as much as what is read, written or mixed.
  const names = parts.map(([name]) => name);
  const all = parts.map(([, field]) => field);
  return inSteps(all, {
    ...certifiedIn(all),
    type: `{ ${parts.map(([name, field]) => `${name}: ${field.type}`).join('; ')} }`,
    maxBytes: parts.reduce((sum, [, field]) => sum + field.maxBytes, 0),
    write(to, value) {
      for (let i = 0; i < all.length; i++)
        (all[i] as Field<unknown>).write(to, value[names[i] as string]);
    },
    read(from) {
      const value: Record<string, unknown> = {};
      for (let i = 0; i < all.length; i++)
        value[names[i] as string] = (all[i] as Field<unknown>).read(from);
      return value as T;
    },
    *steps(from) {
      const value: Record<string, unknown> = {};
      for (const [name, field] of parts) value[name] = yield* readInSteps(field, from);
      return value as T;
    },
    mix(hash, value) {
      let out = hash;
      for (let i = 0; i < all.length; i++)
        out = (all[i] as Field<unknown>).mix(out, value[names[i] as string]);
      return out;
    },
    sample: (random) =>
      Object.fromEntries(parts.map(([name, field]) => [name, field.sample(random)])) as T,
    mutate(value, random) {
      if (parts.length === 0) return value;
      const [name, field] = parts[random.below(parts.length)] as (typeof parts)[number];
      return { ...value, [name]: field.mutate(value[name], random) };
    },
  });
}

/**
 * `of` under another name in the documentation, and with `check` saying what is wrong, if anything.
 */
export const checked = <T>(
  of: Field<T>,
  type: string,
  check: (value: T) => string | undefined,
): Field<T> => {
  const right = (value: T): T => {
    const wrong = check(value);
    if (wrong !== undefined) throw new SchemaError(wrong);
    return value;
  };
  return inSteps([of], {
    ...of,
    type,
    write: (to, value) => of.write(to, right(value)),
    read: (from) => right(of.read(from)),
    *steps(from) {
      return right(yield* readInSteps(of, from));
    },
    sample(random) {
      for (let i = 0; i < 100; i++) {
        const value = of.sample(random);
        if (check(value) === undefined) return value;
      }
      throw new SchemaError(`100 samples of ${type} were all refused by its check`);
    },
    mutate(value, random) {
      for (let i = 0; i < 10; i++) {
        const other = of.mutate(value, random);
        if (check(other) === undefined) return other;
      }
      return value;
    },
  });
};
