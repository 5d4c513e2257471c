/** What a replica does now and then: it says again, asks, recovers, and tells how far it is. */
import { sayAccept } from './accept.ts';
import { askForInstances, sayProgress } from './catch-up.ts';
import { isCommitted, isSettled } from './instances.ts';
import { type InstanceId, namesLimit } from './messages.ts';
import { sayPreAccept } from './pre-accept.ts';
import { recover, sayRecover } from './recovery.ts';
import { type Context, type Driven, othersOf, type Replica } from './state.ts';
import { sayValidate, sayWaiting } from './validation.ts';

/** How often a step is said before the instance is given up, to be recovered anew. */
const patience = 6;

/** `upon tick timeout`. */
export function tick(replica: Replica, ctx: Context): void {
  setTick(ctx);
  if (replica.role !== 'replica') return askAll(replica, ctx);
  for (const [id, driven] of [...replica.driven]) insist(replica, id, driven, ctx);
  lookAfter(replica, ctx);
  sayProgress(replica, ctx);
}

/** Ticks come at random, so that two replicas do not recover one instance again and again. */
export const setTick = (ctx: Context): void =>
  ctx.setTimer('tick', [Math.ceil(ctx.group.recoveryTimeout / 2), ctx.group.recoveryTimeout]);

/** Says again what was not answered, to those who have not. */
function insist(replica: Replica, id: InstanceId, driven: Driven, ctx: Context): void {
  const { group } = ctx;
  if (ctx.now - driven.saidAt < group.recoveryTimeout / 2) return;
  driven.saidAt = ctx.now;
  if (driven.ballot > 0 && ctx.now - driven.since > patience * group.recoveryTimeout) {
    replica.driven.delete(id);
    return;
  }
  ctx.line('repeat');
  for (const to of othersOf(ctx))
    switch (driven.step) {
      case 'pre-accept':
        if (!driven.preAccepted.has(to)) sayPreAccept(id, driven, to, ctx);
        break;
      case 'accept':
        if (!driven.accepted.has(to)) sayAccept(id, driven, to, ctx);
        break;
      case 'recover':
        if (!driven.told.has(to)) sayRecover(replica, id, driven, to, ctx);
        break;
      case 'validate':
        if (driven.quorum.includes(to) && !driven.validated.has(to))
          sayValidate(id, driven, to, ctx);
        break;
      case 'wait':
        sayWaiting(id, driven, to, ctx);
        if (!driven.told.has(to)) sayRecover(replica, id, driven, to, ctx);
    }
}

/** Asks for what is not known to be committed, and recovers what nobody knows. */
function lookAfter(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  const { recoveryTimeout } = group;
  const wanted: InstanceId[] = [];
  const stuck: InstanceId[] = [];
  for (const [id, unresolved] of replica.unresolved) {
    if (isSettled(replica, id) || isCommitted(replica, id)) {
      replica.unresolved.delete(id);
      continue;
    }
    if (replica.driven.has(id) || ctx.now - unresolved.since < recoveryTimeout) continue;
    if (wanted.length < namesLimit) wanted.push(id);
    if (unresolved.asked && stuck.length < recoveriesAtOnce) stuck.push(id);
    unresolved.asked = true;
    unresolved.since = ctx.now;
  }
  if (wanted.length > 0) askForInstances(replica, wanted, othersOf(ctx), ctx);
  for (const id of stuck) {
    const unresolved = replica.unresolved.get(id);
    if (unresolved === undefined) continue;
    unresolved.tries++;
    // Longer each time: one of two that recover it has to come through.
    unresolved.since = ctx.now + Math.min(unresolved.tries, 8) * (recoveryTimeout / 2);
    recover(replica, id, unresolved.heard, ctx);
  }
}

/** Most instances that one replica begins to recover at a time. */
const recoveriesAtOnce = 64;

/** A replica without its disk asks for all that was open before, and for nothing else. */
function askAll(replica: Replica, ctx: Context): void {
  const wanted = [...replica.open, ...replica.unresolved.keys()].filter(
    (id) => !isSettled(replica, id) && !isCommitted(replica, id),
  );
  askForInstances(replica, [...new Set(wanted)], othersOf(ctx), ctx);
}
