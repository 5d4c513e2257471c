/** What observers and the trace are told of a seat. */
import type { ObservedDecision } from '@quorumlab/checker';
import type { Applied, Decision, Output, Shape, Write } from '@quorumlab/core';
import { mixWord } from './digest.ts';
import { note, observerOf, type SeatState, type World } from './world.ts';

/** Tells the observer of a snapshot that has taken the place of a machine's state. */
export function showInstalled<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  registers: Partial<S['Stable']>,
  when: 'restart' | 'step',
): void {
  const observer = observerOf(world, state);
  if (observer?.installed === undefined) return;
  const slot = world.options.installed?.(registers, when);
  if (slot === undefined) return;
  observer.installed(world.now, state.index, slot);
  world.judge = true;
}

/** Shows in the trace what a machine believes, when it has changed. */
export function showStatus<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  cause: number,
): void {
  const status = state.machine?.status();
  if (status === undefined) return;
  const text = `${status.role}/${status.term}/${status.leader}`;
  if (text === state.shown) return;
  state.shown = text;
  note(world, state.index, 'state', cause, undefined, status);
}

/** The names of what a batch wrote. */
export function shownWrites<S extends Shape>(writes: readonly Write<S>[]): Record<string, unknown> {
  const saved = new Set<string>();
  const rows: Record<string, number[]> = {};
  for (const write of writes) {
    if (write.type === 'save') for (const name of Object.keys(write.registers)) saved.add(name);
    else if (write.type === 'put') (rows[String(write.table)] ??= []).push(write.index);
    else saved.add(String(write.table));
  }
  return { saved: [...saved], rows };
}

/** Tells observers what was decided and run. */
export function tell<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  output: Output<S>,
  cause: number,
): void {
  const { decisions } = output;
  for (let i = 0; i < decisions.length; i++)
    decide(world, state, decisions[i] as Decision<S>, cause);
  if (output.applied.length > 0) applied(world, state, output, cause);
}

function decide<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  decision: Decision<S>,
  cause: number,
): void {
  mixWord(world.lanes, decision.slot);
  mixWord(world.lanes, decision.commands.length);
  if (state.honest) world.counters.decisions++;
  const observer = observerOf(world, state);
  if (observer?.decided !== undefined) {
    // Observers of decisions are used with protocols whose commands are clients' requests.
    observer.decided(world.now, state.index, decision as unknown as ObservedDecision);
    world.judge = true;
  }
  if (world.trace !== undefined) {
    const { slot, commands } = decision;
    note(world, state.index, 'commit', cause, undefined, {
      slot,
      commands: commands.map(unsigned),
    });
  }
}

/** A command without its signature, for people. */
const unsigned = (command: unknown): unknown => {
  if (typeof command !== 'object' || command === null || !('signature' in command)) return command;
  const { signature: _, ...rest } = command;
  return rest;
};

function applied<S extends Shape>(
  world: World<S>,
  state: SeatState<S>,
  { applied: all }: Output<S>,
  cause: number,
): void {
  const observer = observerOf(world, state);
  for (let i = 0; i < all.length; i++) {
    const each = all[i] as Applied;
    mixWord(world.lanes, each.state);
    world.counters.applied++;
    if (observer?.applied !== undefined) {
      observer.applied(world.now, state.index, each);
      world.judge = true;
    }
    if (world.trace === undefined) continue;
    const { slot, client, sequence, fresh } = each;
    const details = { slot, client, sequence, fresh, state: each.state };
    note(world, state.index, 'apply', cause, undefined, details);
  }
}
