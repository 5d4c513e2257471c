/**
 * One machine in the hands of a test, with all that a host has for it: a disk, timers, a life that
 * ends with a crash. It does what it is told, one thing at a time; what comes of a step is for the
 * test to write, to send or to lose. All groups and networks of this package are made of such.
 */
import {
  copy,
  type Event,
  type Input,
  type Machine,
  type Output,
  type PrincipalId,
  type Protocol,
  type Replica,
  type ReplicaId,
  replica,
  type Shape,
  stored,
  type TimerChange,
  type Write,
} from '@quorumlab/core';
import { testDigest } from './digest.ts';

/** What a host makes its machine of. */
export interface Recipe<P extends Shape> {
  /** A machine that starts with `disk`, which is its own. */
  make(disk: P['Stable']): Machine<P>;
  /** The disk of a machine that has never run. */
  blank(): P['Stable'];
}

/** The recipe of replica `self` of `protocol`. */
export const bare = <P extends Shape>(protocol: Protocol<P>, self: ReplicaId): Recipe<P> => ({
  make: (stable) => replica(protocol, self, { digest: testDigest, stable }),
  blank: () => protocol.stable(),
});

/** When a timer may fire: not before the first instant, and by the second. */
export type Due = readonly [earliest: number, latest: number];

/** See the module's comment. */
export class ScriptedHost<P extends Shape> {
  readonly id: PrincipalId;
  machine: Machine<P>;
  disk: P['Stable'];
  up = true;
  /** Raised by each crash: what an earlier life began never ends. */
  life = 0;
  readonly timers: Map<P['Timer'], Due> = new Map();
  private readonly recipe: Recipe<P>;
  private readonly clock: { readonly now: number };

  /** `clock` is the group's: the host reads it at each step. */
  constructor(id: PrincipalId, recipe: Recipe<P>, clock: { readonly now: number }) {
    this.id = id;
    this.recipe = recipe;
    this.clock = clock;
    this.disk = recipe.blank();
    this.machine = recipe.make(copy(this.disk));
  }

  /** `event` as its machine is told of it now. */
  protected input(event: Event<P>): Input<P> {
    const { now } = this.clock;
    return { now, clock: { earliest: now, latest: now }, event };
  }

  /** One step. Nothing of what it says has happened yet. */
  step(event: Event<P>): Output<P> {
    return this.machine.step(this.input(event));
  }

  /** What it would do upon `event`; it does not do it. */
  wouldDo(event: Event<P>): Output<P> {
    return this.machine.fork().step(this.input(event));
  }

  /** What steps wrote is durable. */
  write(writes: readonly Write<P>[]): void {
    for (const each of writes) this.disk = stored<P>(this.disk, each);
  }

  /** Sets and clears timers, from now on. */
  arm(changes: readonly TimerChange<P>[]): void {
    for (const change of changes) {
      if (change.type === 'clear') {
        this.timers.delete(change.timer);
        continue;
      }
      const { now } = this.clock;
      const { after } = change;
      const [least, most] = typeof after === 'number' ? [after, after] : after;
      this.timers.set(change.timer, [now + least, now + most]);
    }
  }

  /** One step whose writes are durable at once, and whose timers are set. */
  run(event: Event<P>): Output<P> {
    const output = this.step(event);
    this.write(output.writes);
    this.arm(output.timers);
    return output;
  }

  /** The instant by which `timer` fires, if it is set. */
  due(timer: P['Timer']): number | undefined {
    return this.timers.get(timer)?.[1];
  }

  /** The timer that fires, which is set no longer. Throws if it was not. */
  fired(timer: P['Timer']): Event<P> {
    if (!this.timers.delete(timer)) throw new Error(`timer ${timer} of ${this.id} is not set`);
    return { type: 'timeout', timer };
  }

  /** It stops, with nothing but its disk. */
  crash(): void {
    this.up = false;
    this.life += 1;
    this.timers.clear();
  }

  /** A new machine with what is on the disk, or with a blank disk. It has not been started. */
  boot(disk: 'kept' | 'blank' = 'kept', { make, blank }: Recipe<P> = this.recipe): void {
    this.timers.clear();
    if (disk === 'blank') this.disk = blank();
    this.machine = make(copy(this.disk));
    this.up = true;
  }

  /** All of its state. */
  view(): Replica<P> {
    const { stable, volatile } = this.machine.snapshot();
    return { ...stable, ...volatile };
  }
}
