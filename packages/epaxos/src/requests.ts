/** What clients ask for: it waits until this replica may open an instance for it. */
import {
  type Request,
  requestKey,
  requestWeight,
  type Signed,
  uncommittedBytes,
} from '@quorumlab/core';
import { isDue } from './checkpoint.ts';
import type { Group } from './group.ts';
import { checkpoint, type Value, valueBytes } from './messages.ts';
import { addPlace } from './places.ts';
import { submit } from './pre-accept.ts';
import type { Context, Replica } from './state.ts';

/** Whether there is room for a command, and it is not here already. */
export const wants = (group: Group, replica: Replica, command: Signed<Request>): boolean =>
  replica.role === 'replica' &&
  replica.places.size < group.maxWaiting &&
  replica.waitingBytes + requestWeight(command) <= uncommittedBytes &&
  !replica.places.has(requestKey(command));

/** A client asks for `command`. */
export function onPropose(replica: Replica, command: Signed<Request>, ctx: Context): void {
  if (!wants(ctx.group, replica, command)) return;
  replica.waiting.push(command);
  addPlace(replica, command);
  replica.waitingBytes += requestWeight(command);
}

/** Opens instances for what waits. Returns whether any was. */
export function open(replica: Replica, ctx: Context): boolean {
  const { group } = ctx;
  if (replica.role !== 'replica') return false;
  const before = replica.nextOwn;
  const owns = [...replica.own.values()];
  const hasOne = owns.some(({ kind }) => kind === 'checkpoint');
  if (isDue(group, replica, ctx.self) && !hasOne && mayOpen(group, replica, 0)) {
    ctx.line('checkpoint');
    submit(replica, checkpoint, ctx);
  }
  while (replica.waiting.length > 0) {
    if (replica.own.size >= group.pipeline || !mayOpen(group, replica, reserved)) {
      ctx.line('hold');
      break;
    }
    submit(replica, batch(group, replica), ctx);
  }
  return replica.nextOwn > before;
}

/** Instances that are left for checkpoints at the end of the window. */
const reserved = 16;

/** Whether there is an instance left in the window, and room for what it holds. */
function mayOpen(group: Group, { cut, nextOwn, own, values }: Replica, left: number): boolean {
  if (nextOwn >= cut.base + (group.window - left) * group.n) return false;
  if (own.size === 0) return true;
  let bytes = 0;
  for (const [id, value] of values)
    if (id % group.n === nextOwn % group.n) bytes += valueBytes(value);
  return bytes < group.ownBytes;
}

/** The next commands that fit into one instance. */
function batch(group: Group, replica: Replica): Value {
  const commands: Signed<Request>[] = [];
  let bytes = 64;
  for (const command of replica.waiting) {
    bytes += requestWeight(command);
    const isFull =
      commands.length >= group.maxCommandsPerInstance || bytes > group.maxBytesPerInstance;
    if (commands.length > 0 && isFull) break;
    commands.push(command);
  }
  replica.waiting = replica.waiting.slice(commands.length);
  for (const command of commands) replica.waitingBytes -= requestWeight(command);
  return { kind: 'commands', commands };
}
