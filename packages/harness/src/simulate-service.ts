/** A state machine of one's own, replicated by any protocol in the simulator. */
import { type Behaviour, coalition } from '@quorumlab/adversary';
import {
  firstClient,
  type Instant,
  ms,
  type Protocol,
  type ReplicaId,
  range,
} from '@quorumlab/core';
import {
  type LogShape,
  type Serviced,
  type ServicedProtocol,
  type StateMachine,
  serviced,
} from '@quorumlab/log';
import { lan, type NetworkModel, type Seat, type Simulation, simulate, ssd } from '@quorumlab/sim';
import { idealAuthority, idealKeyring } from '@quorumlab/wire';
import { simulatedDigest } from './simulated-digest.ts';

/** What {@link simulateService} is told. */
export interface ServiceSimulationOptions<S extends LogShape> {
  /** Makes a state machine as it is at the beginning: one for each replica and each restart. */
  readonly stateMachine: () => StateMachine;
  /** How many clients there are: 1 unless told. */
  readonly clients?: number;
  /** `lan` unless told. */
  readonly network?: NetworkModel;
  /** How each of these replicas misbehaves. The others are honest. */
  readonly traitors?: Readonly<Record<ReplicaId, Behaviour<Serviced<S>>>>;
  /** 1 unless told. Same seed, same run. */
  readonly seed?: number | string;
  /** Virtual time in microseconds at which the run ends: ten minutes unless told. */
  readonly until?: Instant;
}

/** What a client asks and how. */
export interface Submission {
  /** Which client asks, from 0. Client 0 unless told. */
  readonly client?: number;
  /** Whether the operation changes nothing and is answered by `query`. False unless told. */
  readonly readOnly?: boolean;
  /** With `readOnly`: whether the state of the replica that is asked will do, however old it is. */
  readonly local?: boolean;
}

/** A running group of replicas and clients. */
export interface ServiceSimulation<S extends LogShape> {
  /** Seats are replicas by their index, then clients. Faults are injected here. */
  readonly simulation: Simulation<Serviced<S>>;
  /**
   * Has a client ask for `operation` and lets time go on until it is answered.
   *
   * @throws Error with a sentence if the client gives up, or the run ends before.
   */
  submit(operation: Uint8Array, how?: Submission): Uint8Array;
  /** Lets `time` microseconds pass. */
  pass(time: Instant): void;
}

/**
 * Replicates `options.stateMachine` by `protocol` among simulated replicas with disks.
 *
 * @example
 * ```ts
 * import { simulateService } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 * import { pbft } from '@quorumlab/pbft';
 *
 * const { submit } = simulateService(pbft({ n: 4 }), { stateMachine: keyValueStore, clients: 2 });
 * submit(kv.put('seat 1A', 'Ann'));
 * submit(kv.compareAndSet('seat 1A', null, 'Bob'), { client: 1 }); // Too late.
 * console.log(kv.result(submit(kv.get('seat 1A'), { readOnly: true })));
 * ```
 */
export function simulateService<S extends LogShape>(
  protocol: Protocol<S>,
  options: ServiceSimulationOptions<S>,
): ServiceSimulation<S> {
  const group = serviced(protocol);
  const { members, messages } = group;
  const authority = idealAuthority();
  const answers = new Map<number, { readonly result?: Uint8Array; readonly error?: string }>();
  const simulation = simulate<Serviced<S>>({
    messages,
    keyring: (_seat, self) => idealKeyring({ authority, messages, protocol: group, self }),
    evidence: group.evidence,
    seats: [...replicasOf(group, options), ...clientsOf(group, options.clients ?? 1)],
    network: options.network ?? lan,
    inputs: {
      next: () => undefined,
      answered: (_at, _seat, { id, result, error }) => {
        answers.set(id, { ...(result ? { result } : {}), ...(error ? { error } : {}) });
        return undefined;
      },
    },
    seed: options.seed ?? 1,
    limits: { until: options.until ?? ms(600_000) },
  });
  let nextId = 0;
  return {
    simulation,
    submit(operation, { client: asker = 0, readOnly = false, local = false } = {}) {
      const id = nextId;
      nextId += 1;
      const event = { type: 'submit', id, operation, readOnly, local } as const;
      simulation.input({ at: simulation.now, seat: members.length + asker, event });
      while (!answers.has(id)) if (!simulation.step()) break;
      const answer = answers.get(id);
      if (answer?.result !== undefined) return answer.result;
      const why = answer?.error ?? simulation.violation?.sentence ?? 'the run ended before';
      throw new Error(`operation ${id} was not answered: ${why}.`);
    },
    pass: (time) => void simulation.runUntil(simulation.now + time),
  };
}

function replicasOf<S extends LogShape>(
  group: ServicedProtocol<S>,
  { stateMachine, traitors = {} }: ServiceSimulationOptions<S>,
): readonly Seat<Serviced<S>>[] {
  const { members } = group;
  const shared = coalition();
  return members.map((self): Seat<Serviced<S>> => {
    const make = (stable?: Serviced<S>['Stable']) =>
      group.machine(self, { stateMachine, digest: simulatedDigest, ...(stable ? { stable } : {}) });
    const behaviour = traitors[self];
    if (behaviour === undefined) return { principal: self, disk: ssd, make: (from) => make(from) };
    const power = { protocol: group, members, make, coalition: shared };
    return {
      principal: self,
      disk: ssd,
      traitor: true,
      make: (stable, host) => behaviour(make(stable), { ...power, ...host }),
    };
  });
}

const clientsOf = <S extends LogShape>(
  group: ServicedProtocol<S>,
  count: number,
): readonly Seat<Serviced<S>>[] =>
  range(count).map((i) => ({
    principal: firstClient + i,
    make: () => group.client(firstClient + i),
  }));
