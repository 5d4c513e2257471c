/** Whose turn it is: statements in the order of their numbers, each after those that it names. */
import type { ReplicaId, Signed } from '@quorumlab/core';
import { takeCheckpoint } from './checkpoint.ts';
import type { Numbered } from './messages.ts';
import { takeCommit, takePrepare } from './normal-case.ts';
import {
  type Context,
  type Heard,
  heardOf,
  isFull,
  mostStatements,
  type Replica,
} from './state.ts';
import { takeNewView, takeViewChange } from './view-change.ts';
import { textOf } from './vows.ts';

/** Takes what has its turn now; says whether there was anything. */
export function maybeTake(replica: Replica, ctx: Context): boolean {
  let any = false;
  for (const member of ctx.group.members) while (takeNext(replica, member, ctx)) any = true;
  return any;
}

function takeNext(replica: Replica, member: ReplicaId, ctx: Context): boolean {
  const heard = heardOf(replica, member);
  const statement = nextOf(heard, ctx);
  if (statement === undefined || !isDue(replica, statement)) return false;
  if (isFull(heard, mostStatements(ctx.group.window))) return false;
  heard.early.delete(statement.number);
  heard.number = statement.number;
  heard.statements.set(statement.number, statement);
  if (!heard.logged.has(statement.number)) {
    heard.logged.add(statement.number);
    ctx.put('log', replica.row++, statement);
  }
  for (const number of heard.early.keys()) if (number <= heard.number) heard.early.delete(number);
  if (member === ctx.self && !isKnown(replica, statement)) takeBack(replica, statement, ctx);
  take(replica, heard, statement, ctx);
  return true;
}

/** The statement whose turn it is; a wrong variant takes the lowest that there is. */
function nextOf({ early, number }: Heard, ctx: Context): Signed<Numbered> | undefined {
  if (ctx.group.rules.refusesGaps) return early.get(number + 1);
  const [first] = [...early.keys()].sort((one, other) => one - other);
  return first === undefined ? undefined : early.get(first);
}

/** Whether all that `statement` names was heard. */
function isDue(replica: Replica, statement: Signed<Numbered>): boolean {
  if (statement.kind === 'commit') {
    const { from, number } = statement.prepare;
    return (replica.heard.get(from)?.number ?? 0) >= number;
  }
  if (statement.kind !== 'new-view') return true;
  return statement.changes.every(({ member, number }) => {
    const heard = replica.heard.get(member);
    if (heard === undefined) return true;
    // What was let go cannot be judged: its sender is heard again from a later checkpoint.
    return heard.number >= number && (number > heard.anchor.number || heard.changes.has(number));
  });
}

/** Whether this replica knows that it has said `statement`, which its counter has signed. */
function isKnown({ said: own }: Replica, statement: Signed<Numbered>): boolean {
  const known = own.get(statement.number);
  return known !== undefined && textOf(known) === textOf(statement);
}

/** A lost disk: what this replica has said comes back from those who heard it. */
function takeBack(replica: Replica, statement: Signed<Numbered>, ctx: Context): void {
  const { from: _, signature: __, ...numbered } = statement;
  ctx.save({ number: Math.max(replica.number, statement.number) });
  ctx.put('said', statement.number, numbered as Numbered);
  if (statement.kind === 'view-change') ctx.save({ view: Math.max(replica.view, statement.view) });
}

function take(replica: Replica, heard: Heard, statement: Signed<Numbered>, ctx: Context): void {
  switch (statement.kind) {
    case 'prepare':
      return takePrepare(replica, heard, statement, ctx);
    case 'commit':
      return takeCommit(replica, heard, statement, ctx);
    case 'checkpoint':
      return takeCheckpoint(replica, heard, statement, ctx);
    case 'view-change':
      return takeViewChange(replica, heard, statement, ctx);
    case 'new-view':
      return takeNewView(replica, heard, statement, ctx);
  }
}
