/**
 * What Raft's messages bind their signer to. Raft itself never looks at it: it trusts its members.
 * Observers use it to prove that a member lied, adversaries to lie on purpose.
 */
import { type Request, type Signed, toHex } from '@quorumlab/core';
import type { Entry, RaftMessage } from './messages.ts';

const identities = new WeakMap<Signed<Request>, string>();

/** A text that two commands share only if they are equal; kept as long as the command itself. */
function identity(command: Signed<Request> | null): string {
  if (command === null) return 'no-op';
  let text = identities.get(command);
  if (text === undefined) {
    const { client, sequence, acknowledged, operations } = command;
    text = `${client}/${sequence}/${acknowledged}/${operations.map(toHex).join(',')}`;
    identities.set(command, text);
  }
  return text;
}

/** A leader gives each index of its term one entry; a voter gives each term one vote. */
export function* vows(message: RaftMessage): Iterable<readonly [about: string, what: string]> {
  if (message.kind === 'vote' && message.granted)
    yield [`vote/${message.term}`, `${message.candidate}`];
  if (message.kind !== 'append-entries') return;
  let index = message.prevIndex;
  for (const { term, command } of message.entries) {
    index += 1;
    // Entries of older terms are other leaders' vows; passing them on repeats them unchanged.
    if (term === message.term) yield [`entry/${term}/${index}`, identity(command)];
  }
}

/** The same message with other commands in its entries, or with its vote for another candidate. */
export function conflict(
  message: RaftMessage,
  fork: number,
  known: readonly Signed<Request>[],
  n: number,
): RaftMessage {
  if (message.kind === 'vote' && message.granted && n > 1)
    return { ...message, candidate: (message.candidate + 1 + (fork % (n - 1))) % n };
  if (message.kind !== 'append-entries') return message;
  if (message.entries.every(({ command }) => command === null)) return message;
  return { ...message, entries: message.entries.map((entry) => otherEntry(entry, fork, known)) };
}

function otherEntry(entry: Entry, fork: number, known: readonly Signed<Request>[]): Entry {
  const { command } = entry;
  if (command === null) return entry;
  for (let i = 0; i < known.length; i++) {
    const other = known[(command.sequence + fork + i) % known.length];
    if (other !== undefined && !sameRequest(other, command)) return { ...entry, command: other };
  }
  const operations = command.operations.length === 0 ? [new Uint8Array(1)] : [];
  return { ...entry, command: { ...command, operations } };
}

const sameRequest = (first: Signed<Request>, second: Signed<Request>): boolean =>
  first.client === second.client && first.sequence === second.sequence;
