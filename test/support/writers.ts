import { ms } from '@quorumlab/core';
import { type AnyShape, completeScenario, type OptionValues, prepare } from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { type Simulation, simulate } from '@quorumlab/sim';

/** A group whose clients never stop writing. */
export interface WritingGroup {
  readonly protocol: string;
  readonly n: number;
  readonly options: OptionValues;
  readonly clients: number;
  readonly keys: number;
  readonly seed: string;
  /** The value that the write number `id` puts. */
  readonly write: (id: number) => string;
}

/** A {@link WritingGroup} at work. */
export interface Writers {
  readonly simulation: Simulation<AnyShape>;
  /** Writes that were answered. */
  readonly answered: number;
}

/** Starts the group in the simulator. Each client writes again as soon as it has an answer. */
export function writers(group: WritingGroup): Writers {
  const { protocol, n, options, clients, keys, seed, write } = group;
  const prepared = prepare(completeScenario({ protocol, n, f: 1, options, clients, seed }));
  let answered = 0;
  let asked = 0;
  const ask = (at: number, seat: number) => {
    const id = asked++;
    const operation = kv.put(`key ${id % keys}`, write(id));
    return { at, seat, event: { type: 'submit', id, operation, readOnly: false } } as const;
  };
  const simulation = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: prepared.keyring,
    evidence: prepared.group.evidence,
    seats: prepared.seats,
    members: prepared.protocol.members,
    network: prepared.network,
    seed,
    limits: {},
    inputs: {
      next: () => (asked < clients ? ask(ms(1), prepared.firstClientSeat + asked) : undefined),
      answered(at, seat, { error }) {
        if (error !== undefined) throw new Error(`a write was refused: ${String(error)}`);
        answered += 1;
        return ask(at, seat);
      },
    },
  });
  return {
    simulation,
    get answered() {
      return answered;
    },
  };
}
