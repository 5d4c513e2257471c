/** A service around a protocol that does what the test says, and a disk that keeps its writes. */
import {
  type Context,
  type Digest,
  type DigestOf,
  type Event,
  firstClient,
  idle,
  integer,
  type Machine,
  message,
  messages,
  type Output,
  type PrincipalId,
  type Protocol,
  type Request,
  type Shape,
  type Signature,
  type Signed,
  seal,
} from '@quorumlab/core';
import { ScriptedHost } from '@quorumlab/protocol-testing';
import { keyValueStore, kv } from '../src/key-value-store.ts';
import type { ServiceMessage } from '../src/messages.ts';
import type { ServiceOptions } from '../src/replica-state.ts';
import { service } from '../src/service.ts';
import { serviceStable } from '../src/stored.ts';
import type { Serviced } from '../src/types.ts';
import { honest } from './sequencer.ts';
import { digestOf } from './world.ts';

const field = messages(message('tug', { n: integer() }));

export interface Puppet extends Shape {
  readonly Stable: { readonly n: number };
  readonly Volatile: { readonly heard: (readonly unknown[])[] };
  readonly Message: { readonly kind: 'tug'; readonly n: number };
  readonly Timer: 'act';
  readonly Command: Signed<Request>;
}

type Said = Output<Serviced<Puppet>>;
type Act = (ctx: Context<Puppet>) => void;

export interface PuppetOptions {
  readonly self?: number;
  readonly protocol?: Partial<Protocol<Puppet>>;
  readonly service?: Partial<ServiceOptions<Puppet>>;
  readonly digest?: DigestOf;
  /** Chunks are read back from the disk, and not kept in memory. */
  readonly readsDisk?: boolean;
}

const unsigned = new Uint8Array() as Signature;

/** What `client` asks for in its turn `sequence`. */
export const requestOf = (
  sequence: number,
  operations: readonly Uint8Array[] = [kv.append('a', `${sequence},`)],
  client: PrincipalId = firstClient,
): Signed<Request> =>
  seal({ kind: 'request', client, sequence, acknowledged: sequence, operations }, client, unsigned);

/** A message as its receiver gets it. */
export const from = <M>(sender: PrincipalId, value: M): Signed<M> => seal(value, sender, unsigned);

export function puppet(options: PuppetOptions = {}) {
  const { self = 1, digest = digestOf } = options;
  let act: Act = () => undefined;
  /** What the protocol was told by the service. */
  const heard: (readonly unknown[])[] = [];
  const hear =
    (name: string) =>
    (_: unknown, ...rest: readonly unknown[]) =>
      void heard.push([
        name,
        ...rest.filter((each) => (each as Context<Puppet>)?.send === undefined),
      ]);
  // The rest of a protocol is never looked at.
  const protocol = {
    name: 'puppet',
    members: [0, 1, 2],
    client: honest,
    claims: { faults: 'crash' },
    messages: field,
    stable: () => ({ n: 0 }),
    volatile: () => ({ heard: [] }),
    timeout: (_: unknown, __: unknown, ctx: Context<Puppet>) => act(ctx),
    propose: hear('propose'),
    read: hear('read'),
    snapshotTaken: hear('taken'),
    snapshotInstalled: hear('installed'),
    on: { tug() {} },
    status: () => ({ leader: 0, term: 3, role: 'puppet' }),
    ...options.protocol,
  } as unknown as Protocol<Puppet>;
  const make = (stable: Serviced<Puppet>['Stable']): Machine<Serviced<Puppet>> =>
    service(protocol, self, {
      stateMachine: keyValueStore,
      digest,
      stable,
      ...(options.readsDisk && { readChunk: (row: number) => host.disk.serviceChunks.get(row) }),
      ...options.service,
    });
  const clock = { now: 1000 };
  const recipe = { make, blank: () => serviceStable(protocol) };
  const host: ScriptedHost<Serviced<Puppet>> = new ScriptedHost(self, recipe, clock);
  /** One step; what it wrote is on the disk. */
  const step = (event: Event<Serviced<Puppet>>): Said => host.run(event);
  /** One step, and those that it asks for at once to go on with a snapshot. */
  function run(event: Event<Serviced<Puppet>>): Said {
    const all = [step(event)];
    while (all.at(-1)?.timers.some(({ timer }) => timer === 'service/snapshot')) {
      if (all.length > 500) throw new Error('the work on a snapshot does not end');
      all.push(step({ type: 'timeout', timer: 'service/snapshot' }));
    }
    return joined(all);
  }
  return {
    heard,
    step,
    run,
    machine: () => host.machine,
    disk: () => host.disk,
    now: () => clock.now,
    wait: (microseconds: number) => void (clock.now += microseconds),
    /** The protocol does this in one step. */
    does(what: Act): Said {
      act = what;
      return run({ type: 'timeout', timer: 'act' });
    },
    /** The protocol decides the slots with one request each, which is named by its slot. */
    decides(...slots: readonly number[]): Said {
      return this.does((ctx) => {
        for (const slot of slots) ctx.decide(slot, [requestOf(slot + 1)]);
      });
    },
    hears: (sender: PrincipalId, value: ServiceMessage): Said =>
      run({ type: 'message', message: from(sender, value) }),
    restart: () => host.boot(),
    /** All that a replica answers for, and what it has decided and cannot run yet. */
    state() {
      const { volatile } = host.machine.snapshot();
      const { application, sessions, hash, next, buffered } = volatile.service as {
        readonly application: Uint8Array;
        readonly sessions: object;
        readonly hash: number;
        readonly next: number;
        readonly buffered: object;
      };
      return { application, sessions, hash, next, buffered };
    },
    /** The snapshot that it starts from. */
    newest: () =>
      host.disk.serviceSnapshot as { readonly slot: number; readonly digest: Digest } | null,
  };
}

/** What several steps said, as one. */
function joined(outputs: readonly Said[]): Said {
  const [first = idle<Serviced<Puppet>>()] = outputs;
  if (outputs.length < 2) return first;
  const parts = Object.keys(first) as (keyof Said)[];
  return Object.fromEntries(
    parts.map((part) => [part, outputs.flatMap((each) => each[part] as readonly unknown[])]),
  ) as unknown as Said;
}

export const slotsOf = ({ applied }: { readonly applied: readonly { readonly slot: number }[] }) =>
  applied.map(({ slot }) => slot);
export const sentIn = ({ sends }: { readonly sends: readonly { readonly message: object }[] }) =>
  sends.map(({ message }) => message as ServiceMessage);
