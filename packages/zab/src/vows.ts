/**
 * What Zab's messages bind their signer to. Zab itself never looks at it: it trusts its members.
 * Observers use it to prove that a member lied, adversaries to lie on purpose.
 */
import { altered, identityOf, otherRequest, type Request, type Signed } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Message, Ordered, Transaction } from './messages.ts';

/** A text that two transactions share only if they hold the same: no-ops are all the same. */
const identity = (command: Signed<Request> | null): string =>
  command === null ? 'no-op' : identityOf(command);

const isOrdered = (message: Message): message is Ordered =>
  message.kind === 'diff' ||
  message.kind === 'newleader' ||
  message.kind === 'propose' ||
  message.kind === 'inform';

/** A primary gives each zxid of its epoch one transaction; each epoch is promised to one leader. */
export function* vows(message: Message): Iterable<readonly [about: string, what: string]> {
  if (message.kind === 'ack-e') yield [`promise/${message.epoch}`, `${message.leader}`];
  if (!isOrdered(message)) return;
  let { counter } = message.previous;
  for (const { epoch, command } of message.transactions) {
    counter += 1;
    // Transactions of older epochs are other primaries' vows; they are passed on unchanged.
    if (epoch === message.epoch) yield [`zxid/${epoch}/${counter}`, identity(command)];
  }
}

/** The same message with other commands in it, or with its promise to another leader. */
export function conflict(
  group: Group,
  message: Message,
  fork: number,
  known: readonly Signed<Request>[],
): Message {
  const n = group.members.length;
  if (message.kind === 'ack-e' && n > 1)
    return { ...message, leader: (message.leader + 1 + (fork % (n - 1))) % n };
  if (!isOrdered(message)) return message;
  if (message.transactions.every(({ command }) => command === null)) return message;
  return {
    ...message,
    transactions: message.transactions.map((each) => otherTransaction(each, fork, known)),
  };
}

function otherTransaction(
  transaction: Transaction,
  fork: number,
  known: readonly Signed<Request>[],
): Transaction {
  const { command } = transaction;
  if (command === null) return transaction;
  return { ...transaction, command: otherRequest([command], fork, known) ?? altered(command) };
}
