import {
  type Decoded,
  type KeyValueInput,
  type KeyValueOutput,
  keyValueModel,
  linearizable,
  type Observer,
} from '@quorumlab/checker';
import { decode, SchemaError, toHex } from '@quorumlab/core';
import { type KeyValueResult, keyValueOperation, keyValueResult } from '@quorumlab/log';

/** Linearizability of what the clients of a key-value store saw. */
export const keyValueHistory = (): Observer =>
  linearizable({ model: keyValueModel(), decode: decodeCall });

/** An operation of the store, and its result if there is one; undefined if the store refused it. */
export function decodeCall(
  operation: Uint8Array,
  result: Uint8Array | undefined,
): Decoded<KeyValueInput, KeyValueOutput> | undefined {
  const input = readInput(operation);
  if (input === undefined || result === undefined)
    return input === undefined ? undefined : { input, output: undefined };
  const answer = readResult(result);
  if (answer === undefined || answer.kind === 'refused') return undefined;
  return { input, output: outputOf(answer) };
}

// Values are compared, never shown, so their bytes may be written in hexadecimal digits.
function readInput(operation: Uint8Array): KeyValueInput | undefined {
  const command = readable(() => decode(keyValueOperation, operation));
  if (command === undefined) return undefined;
  const key = toHex(command.key);
  switch (command.kind) {
    case 'get':
      return { kind: 'get', key };
    case 'compare-and-set': {
      const expected = command.expected === null ? null : toHex(command.expected);
      return { kind: 'compare-and-set', key, expected, value: toHex(command.value) };
    }
    case 'put':
    case 'append':
      return { kind: command.kind, key, value: toHex(command.value) };
  }
}

const readResult = (result: Uint8Array): KeyValueResult | undefined =>
  readable(() => decode(keyValueResult, result));

function outputOf(answer: KeyValueResult): KeyValueOutput {
  if (answer.kind === 'value') return answer.value === null ? null : toHex(answer.value);
  return answer.kind === 'swapped' ? answer.done : true;
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}
