/**
 * What Raft's messages bind their signer to. Raft itself never looks at it: it trusts its members.
 * Observers use it to prove that a member lied, adversaries to lie on purpose.
 */
import { altered, identityOf, otherRequest, type Request, type Signed } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Entry, Message } from './messages.ts';

/** A text that two entries share only if they hold the same: no-ops are all the same. */
function identity({ command, configuration, refusal }: Entry): string {
  const what = command === null ? 'no-op' : identityOf(command);
  if (configuration !== undefined) return `${what} ${JSON.stringify(configuration)}`;
  return refusal === undefined ? what : `${what} ${JSON.stringify(refusal)}`;
}

/** A leader gives each index of its term one entry; a voter gives each term one vote. */
export function* vows(message: Message): Iterable<readonly [about: string, what: string]> {
  if (message.kind === 'vote' && message.granted)
    yield [`vote/${message.term}`, `${message.candidate}`];
  if (message.kind !== 'append-entries') return;
  let index = message.prevIndex;
  for (const entry of message.entries) {
    index += 1;
    const { term } = entry;
    // Entries of older terms are other leaders' vows; passing them on repeats them unchanged.
    if (term === message.term) yield [`entry/${term}/${index}`, identity(entry)];
  }
}

/** The same message with other commands in its entries, or with its vote for another candidate. */
export function conflict(
  group: Group,
  message: Message,
  fork: number,
  known: readonly Signed<Request>[],
): Message {
  const n = group.members.length;
  if (message.kind === 'vote' && message.granted && n > 1)
    return { ...message, candidate: (message.candidate + 1 + (fork % (n - 1))) % n };
  if (message.kind !== 'append-entries') return message;
  if (message.entries.every(({ command }) => command === null)) return message;
  return { ...message, entries: message.entries.map((entry) => otherEntry(entry, fork, known)) };
}

function otherEntry(entry: Entry, fork: number, known: readonly Signed<Request>[]): Entry {
  const { command } = entry;
  if (command === null) return entry;
  return { ...entry, command: otherRequest([command], fork, known) ?? altered(command) };
}
