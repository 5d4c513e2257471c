/** What tests ask for, and how they read it back. */
import {
  type Protocol,
  type ReplicaId,
  type Request,
  type Signature,
  type Signed,
  seal,
} from '@quorumlab/core';
import { encodeChange, type MultiPaxos, type MultiPaxosOptions, type Value } from '../src/index.ts';
import { mutants } from '../src/mutants.ts';

export const unsigned: Signature = new Uint8Array(0) as Signature;

/** A digest for tests: 64 digits that differ with high probability, and nothing more. */
export function testDigest(text: string): string {
  let out = '';
  for (let part = 0; part < 8; part++) {
    let hash = 0x811c9dc5 ^ part;
    for (let i = 0; i < text.length; i++)
      hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
    out += hash.toString(16).padStart(8, '0');
  }
  return out;
}

/** The flawed variant `name`. */
export function mutant(name: string, options: MultiPaxosOptions): Protocol<MultiPaxos> {
  const make = mutants[name];
  if (make === undefined) throw new Error(`there is no mutant ${name}`);
  return make(options);
}

const client = 65_536;
let sequences = 0;

/** A client's command whose one operation is `text`. */
export function command(text: string): Signed<Request> {
  sequences += 1;
  const operations = [new TextEncoder().encode(text)];
  const request: Request = {
    kind: 'request',
    client,
    sequence: sequences,
    acknowledged: 0,
    operations,
  };
  return seal(request, client, unsigned);
}

/** A request to change the group. */
export const changeOf = (members: readonly ReplicaId[], quorums = ''): Signed<Request> => ({
  ...command(''),
  operations: [],
  configuration: encodeChange(members, quorums),
});

/** What a slot holds: its commands' texts; a no-op is '-', a change of the group '*'. */
export const textOf = (value: Value): string =>
  value.length === 0
    ? '-'
    : value
        .map(({ operations: [first] }) => (first ? new TextDecoder().decode(first) : '*'))
        .join('+');
