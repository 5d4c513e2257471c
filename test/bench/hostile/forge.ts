/**
 * Messages as a hostile member or client would make them, derived from the schemas alone: a kind
 * of message that is new is attacked without a line here.
 */
import {
  firstClient,
  type Random,
  SchemaError,
  type Signature,
  seal,
  type Tagged,
} from '@quorumlab/core';
import type { LogShape, Serviced } from '@quorumlab/log';
import { type Envelopes, isRefusal, type Keyring } from '@quorumlab/wire';

/** Any message of a group. */
export type Any = Serviced<LogShape>['Message'];

/** What an attacker knows of the group that it attacks. */
export interface Facts {
  /** Term, view or ballot. */
  readonly term: number;
  /** The last slot that has run. */
  readonly applied: number;
}

/** How a message of a kind is wrong, if it is. */
export const variants = ['valid', 'repeated', 'future', 'large', 'invalid'] as const;
/** See {@link variants}. */
export type Variant = (typeof variants)[number];

/** What messages are made with. */
export interface Forge {
  readonly self: number;
  readonly keyring: Keyring<Any>;
  readonly envelopes: Envelopes<Any>;
  readonly field: {
    readonly kind: string;
    sample(random: Random): Any;
    mutate(value: Any, random: Random): Any;
  };
  readonly facts: Facts;
  /** Frames of this kind that others have sent to this one. */
  readonly heard: readonly Uint8Array[];
  readonly chance: (limit: number) => number;
  /** Most bytes of one frame that is made large; 6 MiB unless told. */
  readonly largeBytes?: number;
}

let count = 0;

/** One frame of a kind, or nothing if there is no such variant of it. */
export function forged(forge: Forge, variant: Variant): Uint8Array | undefined {
  const { heard, chance, envelopes, field } = forge;
  if (variant === 'repeated' && heard.length > 0) return heard[chance(heard.length)];
  const random = near(forge, variant === 'future');
  let message: Any = field.sample(random);
  const known = heard[chance(Math.max(1, heard.length))];
  if (variant === 'valid' && known !== undefined && chance(2) === 0) {
    const opened = envelopes.decode(known);
    if (!isRefusal(opened)) message = chance(2) === 0 ? opened : field.mutate(opened, random);
  }
  if (variant === 'large') message = grown(forge, message);
  const own = resigned(forge, bare(message)) as Any;
  const sealed = signed(forge, own);
  if (sealed === undefined) return undefined;
  if (variant !== 'invalid') return encoded(forge, sealed);
  const spoilt = spoiltInside(sealed);
  const signature = flipped(sealed.signature);
  return encoded(forge, spoilt ?? seal<Any>(own, forge.self, signature));
}

/** Under the attacker's own key; nothing where what was changed is more than the schema takes. */
function signed(
  { keyring }: Forge,
  message: Any,
): ReturnType<Forge['keyring']['sign']> | undefined {
  try {
    return keyring.sign(message);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

const encoded = ({ envelopes }: Forge, message: ReturnType<Forge['keyring']['sign']>) => {
  try {
    return envelopes.encode(message);
  } catch {
    // What was changed here is more than the schema takes.
    return undefined;
  }
};

/** The only chance a schema has: numbers near those that the group is at, or far above. */
function near({ facts, chance }: Forge, future: boolean): Random {
  const { term, applied } = facts;
  return {
    below(limit) {
      // Integers ask for one of four: their limit is left to the future.
      if (limit === 4) return future ? 1 + chance(3) : ([0, 2, 2, 3][chance(4)] as number);
      if (limit <= 2 ** 16) return chance(limit);
      const known = [term, term + 1, applied, applied + 1, applied + 2 + chance(200)];
      const number = known[chance(known.length)] as number;
      const ahead = future ? 10 ** (2 + chance(8)) : 0;
      return Math.min(limit - 1, number + ahead);
    },
  };
}

interface Plain {
  readonly [name: string]: unknown;
  readonly body?: unknown;
  readonly signature?: unknown;
}
const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);

/** Without its seal. */
function bare(message: Tagged): Tagged {
  const { from: _from, signature: _signature, ...rest } = message as Tagged & Plain;
  return rest as unknown as Tagged;
}

/** Everything signed inside is signed by the attacker itself, and good. */
function resigned(forge: Forge, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => resigned(forge, each));
  if (!isPlain(value)) return value;
  if ('seals' in value && 'body' in value) {
    const body = resigned(forge, value.body);
    const seals = forge.self < firstClient ? [sealOf(forge, body as Any)] : [];
    return { body, seals };
  }
  const inside = Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, resigned(forge, each)]),
  );
  if (!('signature' in value && 'from' in value)) return inside;
  const own = bare(inside as unknown as Tagged) as Tagged & Plain;
  if (own.kind === 'request')
    Object.assign(own, { client: forge.self, sequence: 2 ** 25 + ++count, acknowledged: 1 });
  return { ...own, ...sealOf(forge, own as unknown as Any) };
}

function sealOf(forge: Forge, message: Any): { from: number; signature: Signature } {
  try {
    const { from, signature } = forge.keyring.sign(message);
    return { from, signature };
  } catch {
    // No schema here has such a statement: then any signature is as good.
    return { from: forge.self, signature: new Uint8Array(64) as Signature };
  }
}

const flipped = (signature: Signature): Signature => {
  const other = (signature.length === 0 ? new Uint8Array(64) : signature.slice()) as Signature;
  other[5] = (other[5] ?? 0) ^ 1;
  return other;
};

/** `value` with the last signature inside it spoilt: all before it are computed in vain. */
function spoiltInside<T>(value: T): T | undefined {
  if (Array.isArray(value)) {
    for (let i = value.length - 1; i >= 0; i--) {
      const other = spoiltAt(value[i]);
      if (other !== undefined) return value.map((each, at) => (at === i ? other : each)) as T;
    }
    return undefined;
  }
  if (!isPlain(value)) return undefined;
  for (const [name, each] of Object.entries(value).reverse()) {
    if (name === 'signature') continue;
    const other = spoiltInside(each) ?? (Array.isArray(each) ? undefined : spoiltAt(each));
    if (other !== undefined) return { ...value, [name]: other };
  }
  return undefined;
}

function spoiltAt(value: unknown): unknown {
  if (isPlain(value) && 'signature' in value)
    return { ...value, signature: flipped(value.signature as Signature) };
  return spoiltInside(value);
}

/** `message` with its lists and byte strings as long as its schema takes them. */
function grown(forge: Forge, message: Any): Any {
  const most = forge.largeBytes ?? 6 * 2 ** 20;
  let best: unknown = message;
  const size = (value: unknown): number => {
    const frame = encoded(
      forge,
      seal<Any>(value as Any, forge.self, new Uint8Array(64) as Signature),
    );
    return frame === undefined || frame.length > most ? -1 : frame.length;
  };
  for (let pass = 0; pass < 2; pass++)
    for (const path of pathsIn(best))
      for (let low = 1, high = Math.min(2 ** 17, most); low <= high; ) {
        const middle = (low + high) >> 1;
        const other = withLength(best, path, middle);
        if (other !== undefined && size(other) > 0) {
          if (size(other) >= size(best)) best = other;
          low = middle + 1;
        } else high = middle - 1;
      }
  return best as Any;
}

type Path = readonly (string | number)[];

/** Where there are lists and byte strings, lists first. */
function pathsIn(value: unknown, at: Path = []): Path[] {
  if (value instanceof Uint8Array) return [at];
  if (Array.isArray(value))
    return [at, ...value.slice(0, 1).flatMap((each) => pathsIn(each, [...at, 0]))];
  if (!isPlain(value)) return [];
  return Object.entries(value).flatMap(([name, each]) =>
    name === 'signature' || name === 'seals' ? [] : pathsIn(each, [...at, name]),
  );
}

function withLength(value: unknown, path: Path, length: number): unknown {
  const [name, ...rest] = path;
  if (name === undefined) {
    if (value instanceof Uint8Array) return new Uint8Array(length).fill(97);
    if (!Array.isArray(value) || value.length === 0) return undefined;
    return Array.from({ length }, (_, i) => counted(value[0], i));
  }
  if (Array.isArray(value)) {
    const other = withLength(value[0], rest, length);
    return other === undefined ? undefined : value.map((_, i) => counted(other, i));
  }
  const plain = value as Plain;
  const other = withLength(plain[name], rest, length);
  return other === undefined ? undefined : { ...plain, [name]: other };
}

/** The `i`-th of many alike: with other numbers in it, so that none is a repetition. */
function counted(value: unknown, i: number): unknown {
  if (typeof value === 'number') return value + i;
  if (Array.isArray(value) || !isPlain(value)) return value;
  if ('seals' in value) return { ...value, body: counted(value.body, i) };
  const numbers = Object.entries(value).map(([name, each]) => [
    name,
    name === 'sequence' || name === 'slot' || name === 'index' ? counted(each, i) : each,
  ]);
  return Object.fromEntries(numbers);
}
