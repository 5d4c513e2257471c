import type { Model } from './history.ts';

/** An operation on one register. */
export type RegisterInput<V> =
  | { readonly kind: 'read' }
  | { readonly kind: 'write'; readonly value: V }
  | { readonly kind: 'compare-and-set'; readonly expected: V | null; readonly value: V };

/** What a read saw, null before the first write; whether a compare-and-set took effect. */
export type RegisterOutput<V> = V | null | boolean;

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
        case 'compare-and-set': {
          const sets = state === input.expected;
          if (output !== undefined && output !== sets) return undefined;
          return sets ? input.value : state;
        }
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
  | { readonly kind: 'put' | 'append'; readonly key: string; readonly value: string }
  | {
      readonly kind: 'compare-and-set';
      readonly key: string;
      readonly expected: string | null;
      readonly value: string;
    };

/** What a get saw; whether a compare-and-set took effect. */
export type KeyValueOutput = string | null | boolean;

/**
 * A store of strings by key. `absent` is what a get of a missing key gives: null unless told;
 * stores that do not tell missing from empty give ''. To append to a missing key is to put.
 */
export function keyValueModel(
  absent: '' | null = null,
): Model<string | null, KeyValueInput, KeyValueOutput> {
  return {
    initial: absent,
    step(state, input, output) {
      switch (input.kind) {
        case 'get':
          return output === undefined || output === state ? state : undefined;
        case 'put':
          return input.value;
        case 'append':
          return (state ?? '') + input.value;
        case 'compare-and-set': {
          const sets = state === input.expected;
          if (output !== undefined && output !== sets) return undefined;
          return sets ? input.value : state;
        }
      }
    },
    key: ({ key }) => key,
    isRead: ({ kind }) => kind === 'get',
    describe(input, output) {
      const { kind, key } = input;
      if (kind === 'get') return `get ${shown(key)}${gave(output)}`;
      if (kind !== 'compare-and-set') return `${kind} ${shown(key)} ${shown(input.value)}`;
      const change = `${shown(input.expected)} to ${shown(input.value)}`;
      return `compare-and-set ${shown(key)} ${change}${gave(output)}`;
    },
  };
}

const shownMax = 60;

/** A value as one reads it; of a long string its end, where appends differ. */
function shown(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return value === null ? 'nothing' : `${value}`;
  return value.length <= shownMax ? `'${value}'` : `'…${value.slice(-shownMax)}'`;
}

const gave = (output: string | number | boolean | null | undefined): string =>
  output === undefined ? '' : ` gave ${shown(output)}`;
