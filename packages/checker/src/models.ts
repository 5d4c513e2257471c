import type { Model } from './history.ts';

/** An operation on one register. */
export type RegisterInput<V> =
  | { readonly kind: 'read' }
  | { readonly kind: 'write'; readonly value: V }
  | { readonly kind: 'compare-and-set'; readonly expected: V | null; readonly value: V };

/** What a compare-and-set that did not take effect found instead of what it expected. */
export interface Found<V> {
  readonly found: V | null;
}

/** Why an object did not do what it was asked: then it did nothing. */
export interface Refused {
  readonly refused: string;
}

/**
 * What a read saw, null before the first write; whether a compare-and-set took effect, or what it
 * found instead.
 */
export type RegisterOutput<V> = V | null | boolean | Found<V>;

/** One register, empty (null) at first. */
export function registerModel<V extends string | number>(): Model<
  V | null,
  RegisterInput<V>,
  RegisterOutput<V>
> {
  return {
    initial: null,
    step(state, input, output) {
      switch (input.kind) {
        case 'read':
          return output === undefined || output === state ? state : undefined;
        case 'write':
          return input.value;
        case 'compare-and-set':
          return swapped(state, input, output);
      }
    },
    isRead: ({ kind }) => kind === 'read',
    describe: (input, output) =>
      input.kind === 'read'
        ? `read${gave(output)}`
        : input.kind === 'write'
          ? `write ${shown(input.value)}`
          : `compare-and-set ${shown(input.expected)} to ${shown(input.value)}${gave(output)}`,
  };
}

/** An operation on one key of a store. */
export type KeyValueInput =
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'put' | 'append'; readonly key: string; readonly value: string }
  | {
      readonly kind: 'compare-and-set';
      readonly key: string;
      readonly expected: string | null;
      readonly value: string;
    };

/** Why a {@link keyValueModel} refuses an append that would make a value too long. */
export const tooLong = 'too long';

/**
 * What a get saw; whether a compare-and-set took effect, or what it found instead; whether a delete
 * found anything; why an operation was refused. True of an operation that can only be done.
 */
export type KeyValueOutput = string | null | boolean | Found<string> | Refused;

/**
 * A store of strings by key. `absent` is what a get of a missing key gives: null unless told;
 * stores that do not tell missing from empty give ''. To append to a missing key is to put. An
 * append that would make a value longer than `lengthMax` is refused as {@link tooLong}, and no
 * other is; whatever is refused for another reason changes nothing either.
 */
export function keyValueModel(
  absent: '' | null = null,
  lengthMax: number = Number.POSITIVE_INFINITY,
): Model<string | null, KeyValueInput, KeyValueOutput> {
  return {
    initial: absent,
    step(state, input, output) {
      const length = input.kind === 'append' ? (state ?? '').length + input.value.length : 0;
      const fits = length <= lengthMax;
      if (isRefused(output)) {
        if (input.kind === 'get') return undefined;
        return output.refused === tooLong && fits ? undefined : state;
      }
      switch (input.kind) {
        case 'get':
          return output === undefined || output === state ? state : undefined;
        case 'delete':
          return output === undefined || output === (state !== absent) ? absent : undefined;
        case 'put':
          return isDone(output) ? input.value : undefined;
        case 'append':
          // Without an answer it was tried all the same, and may have been refused.
          if (!fits) return output === undefined ? state : undefined;
          return isDone(output) ? (state ?? '') + input.value : undefined;
        case 'compare-and-set':
          return swapped(state, input, output);
      }
    },
    key: ({ key }) => key,
    isRead: ({ kind }) => kind === 'get',
    describe(input, output) {
      const { kind, key } = input;
      if (input.kind === 'get' || input.kind === 'delete')
        return `${kind} ${shown(key)}${gave(output)}`;
      if (input.kind !== 'compare-and-set')
        return `${kind} ${shown(key)} ${shown(input.value)}${output === true ? '' : gave(output)}`;
      const change = `${shown(input.expected)} to ${shown(input.value)}`;
      return `compare-and-set ${shown(key)} ${change}${gave(output)}`;
    },
  };
}

const isRefused = (output: KeyValueOutput | undefined): output is Refused =>
  typeof output === 'object' && output !== null && 'refused' in output;

const isDone = (output: KeyValueOutput | undefined): boolean =>
  output === undefined || output === true;

/** The state after a compare-and-set, or undefined if it cannot have told `output` here. */
function swapped<V extends string | number>(
  state: V | null,
  { expected, value }: { readonly expected: V | null; readonly value: V },
  output: RegisterOutput<V> | undefined,
): V | null | undefined {
  const sets = state === expected;
  if (typeof output === 'object' && output !== null)
    return !sets && output.found === state ? state : undefined;
  if (output !== undefined && output !== sets) return undefined;
  return sets ? value : state;
}

const shownMax = 60;

/** A value as one reads it; of a long string its end, where appends differ. */
function shown(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return value === null ? 'nothing' : `${value}`;
  return value.length <= shownMax ? `'${value}'` : `'…${value.slice(-shownMax)}'`;
}

/** What came of a call, to be put behind it. */
function gave(output: RegisterOutput<string | number> | Refused | undefined): string {
  if (output === undefined) return '';
  if (typeof output !== 'object' || output === null) return ` gave ${shown(output)}`;
  return 'found' in output ? ` found ${shown(output.found)}` : ` was refused (${output.refused})`;
}
