import type {
  Event,
  Input,
  Machine,
  Outgoing,
  Output,
  PrincipalId,
  Protocol,
  Random,
  ReplicaId,
  Shape,
} from '@quorumlab/core';
import { firstClient } from '@quorumlab/core';
import type { Coalition } from './coalition.ts';

/**
 * A way to misbehave: takes an honest machine, gives back a dishonest one. It can read, drop,
 * reorder, split and invent outputs, run several honest copies, forget its disk. It cannot sign
 * for others: hosts sign after it, with its own key only.
 */
export type Behaviour<S extends Shape> = (honest: Machine<S>, power: Power<S>) => Machine<S>;

/** What a traitor has besides the machine it was. */
export interface Power<S extends Shape> {
  /** The protocol whose vows it breaks; its messages are among those of `S`. */
  readonly protocol: Pick<Protocol<S>, 'members' | 'vows' | 'conflict'>;
  readonly members: readonly ReplicaId[];
  /** Part of the run's one decision stream, so an attack that worked once works again. */
  readonly random: Random;
  /** An honest machine in the place of this one, with `stable` on its disk or an empty disk. */
  readonly make: (stable: S['Stable'] | undefined) => Machine<S>;
  /** What all traitors of a run share; absent where they are processes that share no memory. */
  readonly coalition?: Coalition;
  /**
   * Called each time the behaviour really did something: an attack that never fired proves nothing.
   */
  readonly fire: (what: string) => void;
}

/** Applies behaviours from left to right: the last one speaks last. */
export const chain =
  <S extends Shape>(...behaviours: readonly Behaviour<S>[]): Behaviour<S> =>
  (honest, power) =>
    behaviours.reduce((machine, behave) => behave(machine, power), honest);

/** No misbehaviour at all. */
export const honest =
  <S extends Shape>(): Behaviour<S> =>
  (machine) =>
    machine;

/** A machine that steps like `step` and is `inner` in all else. */
export function wrapped<S extends Shape>(
  inner: Machine<S>,
  step: (input: Input<S>) => Output<S>,
): Machine<S> {
  return {
    self: inner.self,
    step,
    snapshot: () => inner.snapshot(),
    restore: (snapshot) => inner.restore(snapshot),
    fork: () => inner.fork(),
    status: () => inner.status(),
  };
}

/** Replaces what a machine says, message by message and recipient by recipient. */
export function rewrite<S extends Shape>(
  inner: Machine<S>,
  members: readonly ReplicaId[],
  change: (to: PrincipalId, message: S['Message'], input: Input<S>) => readonly Outgoing<S>[],
): Machine<S> {
  const each = (list: readonly Outgoing<S>[], input: Input<S>): readonly Outgoing<S>[] =>
    list.length === 0
      ? list
      : list.flatMap(({ to, message }) =>
          (to === 'all' ? members : [to]).flatMap((id) => change(id, message, input)),
        );
  return wrapped(inner, (input) => {
    const output = inner.step(input);
    if (output.early.length + output.sends.length === 0) return output;
    return { ...output, early: each(output.early, input), sends: each(output.sends, input) };
  });
}

/** Most commands that a traitor remembers having seen. */
const knownCap = 64;

/** Commands that clients really asked this machine for, the latest last. */
export interface Known<S extends Shape> {
  note(event: Event<S>): void;
  readonly commands: readonly S['Command'][];
}

/** Listens for commands, so that a liar can lie with what a client really said. */
export function listening<S extends Shape>(): Known<S> {
  const commands: S['Command'][] = [];
  const add = (command: S['Command']): void => {
    if (commands.includes(command)) return;
    commands.push(command);
    if (commands.length > knownCap) commands.shift();
  };
  return {
    commands,
    note(event) {
      if (event.type === 'propose') add(event.command);
      if (event.type === 'message' && event.message.kind === 'request') add(event.message);
    },
  };
}

/** Whether `id` is a replica and not a client. */
export const isReplica = (id: PrincipalId): boolean => id < firstClient;
