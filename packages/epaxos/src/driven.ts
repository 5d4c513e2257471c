/** What a replica remembers of an instance while it drives it. */
import type { Ballot } from '@quorumlab/core';
import { none } from './dependencies.ts';
import { type InstanceId, noOp, type Runs, type Value } from './messages.ts';
import type { Context, Driven, Replica } from './state.ts';

/** From now on this replica drives `id` in `ballot`. */
export function drive(
  replica: Replica,
  id: InstanceId,
  ballot: Ballot,
  step: Driven['step'],
  ctx: Context,
): Driven {
  const driven: Driven = {
    ballot,
    step,
    since: ctx.now,
    saidAt: ctx.now,
    checkpoints: 0,
    value: noOp,
    dependencies: none,
    preAccepted: new Map(),
    accepted: new Set(),
    told: new Map(),
    quorum: [],
    unchanged: 0,
    validated: new Map(),
    obstacles: [],
  };
  replica.driven.set(id, driven);
  return driven;
}

/** The next step begins, about this proposal. */
export function step(
  driven: Driven,
  next: Driven['step'],
  value: Value,
  dependencies: Runs,
  ctx: Context,
): void {
  driven.step = next;
  driven.since = ctx.now;
  driven.saidAt = ctx.now;
  driven.value = value;
  driven.dependencies = dependencies;
}
