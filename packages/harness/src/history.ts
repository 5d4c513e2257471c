import {
  type Decoded,
  type KeyValueInput,
  type KeyValueOutput,
  keyValueModel,
  linearizable,
  type Observer,
} from '@quorumlab/checker';
import { decode, SchemaError, toHex } from '@quorumlab/core';
import {
  type KeyValueResult,
  keyValueOperation,
  keyValueResult,
  maxValueBytes,
} from '@quorumlab/log';

/**
 * Linearizability of what the clients of a key-value store saw. The results of every operation are
 * judged whole: what a failed compare-and-set found, and whether a refusal was due.
 */
export const keyValueHistory = (): Observer =>
  linearizable({ model: keyValueModel(null, digitsPerByte * maxValueBytes), decode: decodeCall });

/** Values are compared, so their bytes may be written in hexadecimal digits. */
const digitsPerByte = 2;

/**
 * An operation of the store, and its result if there is one; undefined for what is none of it.
 * `known` is the operation, if somebody has read it before.
 */
export function decodeCall(
  operation: Uint8Array,
  result: Uint8Array | undefined,
  known?: KeyValueInput,
): Decoded<KeyValueInput, KeyValueOutput> | undefined {
  const input = known ?? readInput(operation);
  if (input === undefined) return undefined;
  if (result === undefined) return { input, output: undefined };
  const answer = readable(() => decode(keyValueResult, result));
  const output = answer === undefined ? undefined : outputOf(input, answer);
  return output === undefined ? undefined : { input, output };
}

function readInput(operation: Uint8Array): KeyValueInput | undefined {
  const command = readable(() => decode(keyValueOperation, operation));
  if (command === undefined) return undefined;
  const key = toHex(command.key);
  switch (command.kind) {
    case 'get':
    case 'delete':
      return { kind: command.kind, key };
    case 'compare-and-set': {
      const expected = command.expected === null ? null : toHex(command.expected);
      return { kind: 'compare-and-set', key, expected, value: toHex(command.value) };
    }
    case 'put':
    case 'append':
      return { kind: command.kind, key, value: toHex(command.value) };
  }
}

/** What an answer says of the operation; undefined if the store never gives it to that one. */
function outputOf({ kind }: KeyValueInput, answer: KeyValueResult): KeyValueOutput | undefined {
  switch (answer.kind) {
    case 'value':
      return kind === 'get' ? textOf(answer.value) : undefined;
    case 'stored':
      return kind === 'put' || kind === 'append' ? true : undefined;
    case 'deleted':
      return kind === 'delete' ? answer.found : undefined;
    case 'swapped':
      if (kind !== 'compare-and-set') return undefined;
      if (!answer.done) return { found: textOf(answer.found) };
      return answer.found === null ? true : undefined;
    case 'refused':
      // What can be read is not malformed, and only an append can make a value too long.
      if (answer.why === 'malformed' || kind === 'get') return undefined;
      if (answer.why === 'too long' && kind !== 'append') return undefined;
      if (answer.why === 'full' && kind === 'delete') return undefined;
      return { refused: answer.why };
  }
}

const textOf = (value: Uint8Array | null): string | null => (value === null ? null : toHex(value));

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}
