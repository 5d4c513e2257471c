/** A small group with its service, in which a test says who hears what. */
import type {
  Event,
  Machine,
  PrincipalId,
  Protocol,
  ReplicaId,
  Request,
  Signature,
} from '@quorumlab/core';
import { keyValueStore, kv, type LogShape, type Serviced, serviced } from '@quorumlab/log';
import { ScriptedHost } from '@quorumlab/protocol-testing';
import { digestOf } from '@quorumlab/wire';

/** The one client of these groups. */
export const client: PrincipalId = 65_536;

/** Nobody looks at signatures here: what passes for genuine is the test's business. */
export const signature = new Uint8Array(0) as Signature;

/** What `client` asks for, still waiting for all its replies. */
export const request = (sequence: number, operation: Uint8Array): Request => ({
  kind: 'request',
  client,
  sequence,
  acknowledged: 1,
  operations: [operation],
});

type Host<P extends LogShape> = Machine<Serviced<P>>;

/** See {@link groupOf}. */
export interface Group<P extends LogShape> {
  /** Gives one replica a message, as if `from` had said it, and carries what follows from it. */
  hears(id: ReplicaId, from: PrincipalId, message: Serviced<P>['Message']): void;
  /** Lets a timer of one replica end. */
  timeout(id: ReplicaId, timer: P['Timer']): void;
  /** What each replica holds under `key`. */
  values(key: string): readonly (string | undefined)[];
}

/**
 * The group of `protocol`, all of whose messages arrive but those that `lost` names. `spoil` may
 * change the machine of each replica.
 */
export function groupOf<P extends LogShape>(
  protocol: Protocol<P>,
  spoil: (right: Host<P>, id: ReplicaId) => Host<P> = (right) => right,
  lost: (from: PrincipalId, to: PrincipalId, kind: string) => boolean = () => false,
): Group<P> {
  const ids = protocol.members;
  const group = serviced(protocol);
  const clock = { now: 0 };
  const hosts = ids.map((id) => {
    const make = (stable: Serviced<P>['Stable']): Host<P> =>
      spoil(group.machine(id, { stateMachine: keyValueStore, digest: digestOf, stable }), id);
    return new ScriptedHost<Serviced<P>>(id, { make, blank: () => group.stable() }, clock);
  });
  const waiting: { to: ReplicaId; event: Event<Serviced<P>> }[] = [];
  const carry = (): void => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { to: id, event } = next;
      const { early, sends } = (hosts[id] as ScriptedHost<Serviced<P>>).run(event);
      for (const { to, message } of [...early, ...sends])
        for (const each of to === 'all' ? ids : ids.filter((other) => other === to))
          if (each === id || !lost(id, each, message.kind)) say(each, id, message);
    }
  };
  const say = (to: ReplicaId, from: PrincipalId, message: Serviced<P>['Message']): void => {
    waiting.push({ to, event: { type: 'message', message: { ...message, from, signature } } });
  };
  const give = (to: ReplicaId, event: Event<Serviced<P>>): void => {
    clock.now += 1_000_000;
    waiting.push({ to, event });
    carry();
  };
  for (const id of ids) give(id, { type: 'start', incarnation: id + 1 });
  return {
    hears(id, from, message) {
      say(id, from, message);
      carry();
    },
    timeout: (id, timer) => give(id, { type: 'timeout', timer }),
    values: (key) =>
      hosts.map((host) => {
        const operation = kv.get(key);
        const event = { type: 'submit', id: 1, operation, readOnly: true, local: true } as const;
        const [answer] = host.run(event).answers;
        const found = answer?.result === undefined ? undefined : kv.result(answer.result);
        if (found?.kind !== 'value' || found.value === null) return undefined;
        return new TextDecoder().decode(found.value);
      }),
  };
}
