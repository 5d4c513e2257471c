/** Which ranges something has run in: so keepers need not look again and again. */
import type { StateMachine } from '@quorumlab/log';

/** Who is to hear of it, and what is not told of yet. */
export class RangeChanges {
  readonly #told = new Set<(group: number) => void>();
  readonly #changed = new Set<number>();

  /** Tells `told` of each group in which something has run, once for all of a turn; ends it. */
  hear(told: (group: number) => void): () => void {
    this.#told.add(told);
    return () => void this.#told.delete(told);
  }

  /** The same machine, which is looked at: what runs in it is told of when its step is over. */
  of(group: number, machine: StateMachine): StateMachine {
    return {
      ...machine,
      apply: (operation, client) => {
        this.#note(group);
        return machine.apply(operation, client);
      },
      restore: (snapshot) => {
        this.#note(group);
        machine.restore(snapshot);
      },
    };
  }

  #note(group: number): void {
    if (this.#changed.size === 0) setImmediate(() => this.#tell());
    this.#changed.add(group);
  }

  #tell(): void {
    const groups = [...this.#changed];
    this.#changed.clear();
    for (const group of groups) for (const told of this.#told) told(group);
  }
}
