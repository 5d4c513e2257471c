import { fromUtf8, type Request, type Signature, type Signed, seal, toUtf8 } from '@quorumlab/core';

/** The signature of whoever a crash protocol trusts. */
export const unsigned: Signature = new Uint8Array(0) as Signature;

const client = 65_536;
let sequences = 0;

/** A client's command whose one operation is `text`. */
export function command(text: string): Signed<Request> {
  sequences += 1;
  const request: Request = {
    kind: 'request',
    client,
    sequence: sequences,
    acknowledged: 0,
    operations: [toUtf8(text)],
  };
  return seal(request, client, unsigned);
}

/** What a slot holds: its commands' texts; a no-op is '-', a change of the group '*'. */
export const textOf = (commands: readonly Signed<Request>[]): string =>
  commands.length === 0
    ? '-'
    : commands.map(({ operations: [first] }) => (first ? fromUtf8(first) : '*')).join('+');
