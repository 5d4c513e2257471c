/** A group of services with a key-value store each, and clients, in a tiny world. */
import { firstClient, type PrincipalId, range } from '@quorumlab/core';
import { client } from '../src/client.ts';
import type { ClientOptions } from '../src/client-state.ts';
import { type KeyValueResult, keyValueStore, kv } from '../src/key-value-store.ts';
import type { ServiceOptions } from '../src/replica-state.ts';
import { service } from '../src/service.ts';
import type { Serviced, StateMachine } from '../src/types.ts';
import { type Sequencer, type SequencerOptions, sequencer } from './sequencer.ts';
import { digestOf, seeded, type Weather, type World, world } from './world.ts';

export interface Group {
  readonly world: World;
  readonly members: readonly PrincipalId[];
  /** Has the client of `at` do `operation`; `id` names the answer. */
  ask(at: PrincipalId, operation: Uint8Array, readOnly?: boolean): number;
  answer(at: PrincipalId, id: number): KeyValueResult | string | undefined;
  /** Lets time pass until all replicas have the same state. Returns whether they do. */
  agree(limit: number): boolean;
  /** The state of a replica's store. */
  state(id: PrincipalId): string;
}

export interface GroupOptions extends SequencerOptions, Weather {
  readonly seed?: number;
  readonly clients?: number;
  readonly client?: ClientOptions;
  readonly stateMachine?: () => StateMachine;
  readonly service?: Pick<ServiceOptions<Sequencer>, 'stepBytes' | 'maxSnapshotBytes'>;
}

export function group(options: GroupOptions = {}): Group {
  const protocol = sequencer(options);
  const { seed = 1, clients = 1, stateMachine = keyValueStore } = options;
  const members = range(options.n ?? 3);
  const made = world(members, seeded(seed), options);
  for (const id of members)
    made.add(id, (stable) =>
      service(protocol, id, {
        stateMachine,
        digest: digestOf,
        // The world gives back what the disk of this very replica holds.
        ...(stable ? { stable: stable as Serviced<Sequencer>['Stable'] } : {}),
        ...(options.client ? { client: options.client } : {}),
        ...options.service,
      }),
    );
  for (let i = 0; i < clients; i++)
    made.add(firstClient + i, () =>
      client(protocol.client, members, firstClient + i, {
        orderReads: options.readable === false || protocol.client.matching > 1,
        ...options.client,
      }),
    );
  let id = 0;
  const state = (replica: PrincipalId): string => {
    const { volatile } = made.machine(replica).snapshot() as unknown as {
      readonly volatile: { readonly service: { readonly application: Uint8Array } };
    };
    return new TextDecoder('latin1').decode(volatile.service.application);
  };
  return {
    world: made,
    members,
    ask(at, operation, readOnly = false) {
      made.tell(at, { type: 'submit', id, operation, readOnly });
      return id++;
    },
    answer(at, which) {
      const given = made.answers.get(at)?.get(which);
      return given instanceof Uint8Array ? kv.result(given) : given;
    },
    agree(limit) {
      const end = made.now() + limit;
      while (members.some((each) => state(each) !== state(0))) {
        if (made.now() >= end) return false;
        made.run(250_000);
      }
      return true;
    },
    state,
  };
}
