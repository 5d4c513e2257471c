/**
 * What EPaxos*' messages bind their signer to. The protocol trusts its members; observers use this
 * to prove that a member lied, adversaries to lie on purpose.
 */
import { identityOf, otherRequest, type Request, type Signed } from '@quorumlab/core';
import { textOfRuns } from './dependencies.ts';
import { checkpoint, type Message, noOp, type Runs, type Value } from './messages.ts';

/** One command with one set of dependencies per instance and ballot, and one for good. */
export function* vows(message: Message): Iterable<readonly [about: string, what: string]> {
  switch (message.kind) {
    case 'pre-accept':
      yield [`pre-accept/${message.instance}`, textOf(message)];
      break;
    case 'pre-accept-ok':
      yield [`pre-accepted/${message.instance}`, textOfRuns(message.dependencies)];
      break;
    case 'accept':
      yield [`accept/${message.ballot}/${message.instance}`, textOf(message)];
      break;
    case 'commit':
      yield [`commit/${message.instance}`, textOf(message)];
      break;
    default:
  }
}

const textOf = ({
  value: { kind, commands },
  dependencies,
}: {
  readonly value: Value;
  readonly dependencies: Runs;
}): string => `${kind}:${commands.map(identityOf).join(';')}:${textOfRuns(dependencies)}`;

/** The same message about another command: what a command leader says that has two stories. */
export function conflict(
  message: Message,
  fork: number,
  known: readonly Signed<Request>[],
): Message {
  switch (message.kind) {
    case 'pre-accept':
    case 'accept':
    case 'commit': {
      const value = otherValue(message.value, fork, known);
      return { ...message, value };
    }
    default:
      return message;
  }
}

/** Commands that clients really asked for, but not in this instance. */
function otherValue(value: Value, fork: number, known: readonly Signed<Request>[]): Value {
  if (value.commands.length === 0) return value.kind === 'no-op' ? checkpoint : noOp;
  const other = otherRequest(value.commands, fork, known);
  return other === undefined ? checkpoint : { kind: 'commands', commands: [other] };
}
