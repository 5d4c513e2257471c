import type { Describe } from '@quorumlab/checker';
import { decode, fromUtf8, SchemaError, toHex } from '@quorumlab/core';
import { keyValueOperation } from '@quorumlab/log';

/** How a request reads in which nothing is asked for. */
export const emptyRequest = 'an empty request';

/** How a request reads to people: the values it writes. */
export const describeRequest: Describe = ({ operations }) =>
  operations.length === 0 ? emptyRequest : operations.map(describeOperation).join('+');

/** `Ann` for a write of Ann, `get x` for a read; what the store does not know as it is written. */
export function describeOperation(operation: Uint8Array): string {
  try {
    const command = decode(keyValueOperation, operation);
    if (command.kind === 'get' || command.kind === 'delete')
      return `${command.kind} ${readable(command.key)}`;
    return readable(command.value);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return unknown(operation);
  }
}

/** What the store does not know: plain words if it is some, else digits. */
function unknown(operation: Uint8Array): string {
  const isPlain = operation.length > 0 && operation.every((byte) => byte >= 32 && byte < 127);
  return isPlain ? readable(operation) : toHex(operation.subarray(0, 8));
}

/** `put x=Ann`, `get x`: an operation in full; what the store does not know as it is written. */
export function describeFully(operation: Uint8Array): string {
  try {
    const command = decode(keyValueOperation, operation);
    const key = readable(command.key);
    switch (command.kind) {
      case 'get':
      case 'delete':
        return `${command.kind} ${key}`;
      case 'put':
      case 'append':
        return `${command.kind} ${key}=${readable(command.value)}`;
      case 'compare-and-set': {
        const expected = command.expected === null ? 'nothing' : readable(command.expected);
        return `put ${key}=${readable(command.value)} if it is ${expected}`;
      }
    }
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return unknown(operation);
  }
}

/** Text if the bytes are text, else the first of them in hexadecimal digits. */
function readable(bytes: Uint8Array): string {
  try {
    const text = fromUtf8(bytes);
    return text.length > 24 ? `${text.slice(0, 23)}…` : text;
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return toHex(bytes.subarray(0, 8));
  }
}
