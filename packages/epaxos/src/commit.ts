/** Rules 5 and 6: what is committed, here and at the others; rule 13. */
import { type Ballot, requestWeight, type Signed } from '@quorumlab/core';
import { isSane } from './dependencies.ts';
import { type Group, leaderOf } from './group.ts';
import { commandOf, isCommitted, isDropped, isWithin, keep, put, rowOf } from './instances.ts';
import type { Commit, InstanceId, Runs, Value } from './messages.ts';
import { addPlace, removePlace } from './places.ts';
import { type Context, isPeer, othersOf, type Replica } from './state.ts';

/** This replica knows, and tells the others. */
export function commit(
  replica: Replica,
  id: InstanceId,
  ballot: Ballot,
  value: Value,
  dependencies: Runs,
  ctx: Context,
): void {
  const answers = replica.driven.get(id)?.preAccepted;
  learn(replica, id, ballot, value, dependencies, ctx);
  const { commits, answersEarly } = ctx.group.rules;
  for (const to of othersOf(ctx))
    tell(replica, id, to, ctx, commits(dependencies, answers?.get(to)));
  if (answersEarly && value.kind === 'commands') {
    replica.executed.add(id);
    ctx.decide(replica.slot++, value.commands);
  }
}

/** Tells `to` what is committed in an instance. */
export function tell(
  replica: Replica,
  id: InstanceId,
  to: number,
  ctx: Context,
  dependencies: Runs = rowOf(replica, id).dependencies,
): void {
  const { accepted: ballot, checkpoints } = rowOf(replica, id);
  const value = commandOf(replica, id);
  if (value === null) return;
  ctx.send(to, { kind: 'commit', ballot, instance: id, checkpoints, value, dependencies });
}

function learn(
  replica: Replica,
  id: InstanceId,
  ballot: Ballot,
  value: Value,
  dependencies: Runs,
  ctx: Context,
): void {
  keep(replica, id, value, ctx);
  const isNoOp = value.kind === 'no-op';
  const row = rowOf(replica, id);
  put(
    replica,
    id,
    {
      ballot: Math.max(ballot, row.ballot),
      accepted: Math.max(ballot, row.accepted),
      phase: 'committed',
      isNoOp,
      dependencies,
    },
    ctx,
  );
  replica.driven.delete(id);
  replica.unresolved.delete(id);
  replica.waitingFor.delete(id);
  replica.ready.push(id);
  if (isNoOp && leaderOf(ctx.group, id) === ctx.self) giveBack(replica, id, ctx);
}

/**
 * Its own instance came to nothing: its commands wait for another one, before all others, unless
 * they are in another one already.
 */
export function giveBack(replica: Replica, id: InstanceId, ctx: Context): void {
  const value = replica.own.get(id);
  if (value === undefined) return;
  ctx.line('resubmit');
  replica.own.delete(id);
  const given = value.commands.filter((command) => removePlace(replica, command) === 0);
  replica.waiting = [...given, ...replica.waiting];
  for (const command of given) {
    addPlace(replica, command);
    replica.waitingBytes += requestWeight(command);
  }
}

/** An own instance is executed: its commands need not be told from copies of them any more. */
export function forget(replica: Replica, id: InstanceId): void {
  const value = replica.own.get(id);
  if (value === undefined) return;
  replica.own.delete(id);
  for (const command of value.commands) removePlace(replica, command);
}

/** Whether this replica could make something of it. */
export const isNewCommit = (group: Group, replica: Replica, message: Commit): boolean =>
  isWithin(group, replica, message.instance) &&
  !isCommitted(replica, message.instance) &&
  isSane(message.dependencies) &&
  hasRoom(replica, 4);

/** Whether there is room for more values: `times` what honest members have at most. */
export const hasRoom = ({ liveBytes }: Replica, times: number): boolean =>
  liveBytes < times * 2 ** 26;

/** `upon receiving ⟨commit, b, id, c, D⟩`. */
export function onCommit(replica: Replica, message: Signed<Commit>, ctx: Context): void {
  const { from, ballot, instance, checkpoints, value, dependencies } = message;
  if (!isPeer(from, ctx) || isDropped(replica, instance)) return;
  if (!isNewCommit(ctx.group, replica, message)) return;
  ctx.line('commit');
  put(replica, instance, { checkpoints }, ctx);
  learn(replica, instance, ballot, value, dependencies, ctx);
}
