/**
 * Several groups, keepers and clients in one simulation: each group's replicas have numbers of
 * their own there, and a seat of a party holds a client of each group.
 */
import {
  decode,
  type Event,
  encode,
  firstClient,
  type Instant,
  idle,
  type Machine,
  type Output,
  type PrincipalId,
  type Protocol,
  type ReplicaId,
  type Shape,
} from '@quorumlab/core';
import {
  client,
  type LogShape,
  type ServiceMessage,
  type StateMachine,
  service,
} from '@quorumlab/log';
import { type Ask, type Party, shardOperation, shardResult } from '@quorumlab/shards';
import { simulatedDigest } from '../simulated-digest.ts';

/** Any machine of this world. */
export interface AnyShape extends Shape {
  readonly Message: ServiceMessage;
}

const span = 16;

/** The number of a group's member in the simulation. */
export const principalOf = (group: number, member: number): PrincipalId => group * span + member;

/** What a machine of a group says, under the numbers of the simulation. */
function outward(
  sends: Output<AnyShape>['sends'],
  group: number,
  members: readonly number[],
): Output<AnyShape>['sends'] {
  return sends.flatMap(({ to, message }) =>
    (to === 'all' ? members : [to]).map((each) => ({
      to: each < firstClient ? principalOf(group, each) : each,
      message,
    })),
  );
}

/** An event from the simulation as a machine of a group understands it. */
function inward(event: Event<AnyShape>): Event<AnyShape> {
  if (event.type !== 'message' || event.message.from >= firstClient) return event;
  return { type: 'message', message: { ...event.message, from: event.message.from % span } };
}

/** A member of a group. */
export function memberSeat(
  protocol: Protocol<LogShape>,
  group: number,
  member: number,
  stateMachine: (leader: () => ReplicaId | undefined) => StateMachine,
  stable: AnyShape['Stable'] | undefined,
): Machine<AnyShape> {
  const inner: Machine<AnyShape> | undefined = service(protocol, member, {
    stateMachine: () => stateMachine(() => inner?.status().leader),
    digest: simulatedDigest,
    ...(stable === undefined ? {} : { stable: stable as never }),
  }) as unknown as Machine<AnyShape>;
  return {
    ...inner,
    self: principalOf(group, member),
    step(input) {
      const output = inner.step({ ...input, event: inward(input.event) });
      const { members } = protocol;
      return {
        ...output,
        early: outward(output.early, group, members),
        sends: outward(output.sends, group, members),
      };
    },
  };
}

/** What the parties of a seat may know of the world. */
export interface PartyHost {
  readonly self: PrincipalId;
  /** True time: for what is written down about a run, and for nothing else. */
  trueNow(): Instant;
}

/** Makes a party at a seat. */
export type MakeParty = (host: PartyHost) => Party;

interface Running {
  readonly party: Party;
  readonly name: string;
}

/**
 * A seat at which parties run: `first` from its start on, and those that are submitted to it, whose
 * place in `tasks` is the submission's id.
 */
export function partySeat(
  protocol: Protocol<LogShape>,
  groups: readonly number[],
  host: PartyHost,
  first: readonly MakeParty[],
  tasks: readonly MakeParty[],
): Machine<AnyShape> {
  const clients = groups.map(
    () => client(protocol.client, protocol.members, host.self) as unknown as Machine<AnyShape>,
  );
  const parties = new Map<string, Running>();
  const asked = new Map<number, { readonly of: string; readonly ask: Ask }>();
  let number = 0;

  function run(input: Parameters<Machine<AnyShape>['step']>[0]): Output<AnyShape> {
    const output = { ...idle<AnyShape>(), sends: [...[]], timers: [...[]] } as {
      sends: Output<AnyShape>['sends'][number][];
      timers: Output<AnyShape>['timers'][number][];
    };
    const tell = (group: number, event: Event<AnyShape>): void => {
      const said = clients[group]?.step({ ...input, event });
      if (said === undefined) return;
      output.sends.push(...outward([...said.early, ...said.sends], group, protocol.members));
      for (const timer of said.timers)
        output.timers.push({ ...timer, timer: `${group}/${timer.timer}` });
      for (const answer of said.answers) {
        const of = asked.get(answer.id);
        asked.delete(answer.id);
        if (of === undefined) continue;
        const result = answer.result && decode(shardResult, answer.result);
        advance(of.of, { type: 'answer', id: of.ask.id, result });
      }
    };
    const advance = (name: string, event: Parameters<Party['step']>[0]['event']): void => {
      const running = parties.get(name);
      if (running === undefined) return;
      const { now, clock } = input;
      const { asks, wakeAfter } = running.party.step({ now, clock, event });
      const timer = `party/${name}`;
      output.timers.push(
        wakeAfter === undefined
          ? { type: 'clear', timer }
          : { type: 'set', timer, after: wakeAfter },
      );
      for (const ask of asks) {
        number += 1;
        asked.set(number, { of: name, ask });
        const operation = encode(shardOperation, ask.operation);
        const [readOnly, local] = [ask.way !== 'ordered', ask.way === 'local'];
        tell(ask.group, { type: 'submit', id: number, operation, readOnly, local });
      }
    };
    const begin = (name: string, make: MakeParty): void => {
      parties.set(name, { party: make(host), name });
      advance(name, { type: 'start' });
    };
    const { event } = input;
    if (event.type === 'start') {
      for (const group of groups) tell(group, event);
      for (const [i, make] of first.entries()) begin(`first ${i}`, make);
    } else if (event.type === 'submit') begin(`${event.id}`, tasks[event.id] as MakeParty);
    else if (event.type === 'message') tell(Math.floor(event.message.from / span), inward(event));
    else if (event.type === 'timeout') {
      const [of = '', ...rest] = event.timer.split('/');
      if (of === 'party') advance(rest.join('/'), { type: 'wake' });
      else tell(Number(of), { type: 'timeout', timer: rest.join('/') });
    }
    return { ...idle<AnyShape>(), ...output };
  }

  return {
    self: host.self,
    step: run,
    snapshot: () => ({ stable: {}, volatile: {} }),
    restore: () => undefined,
    fork: () => partySeat(protocol, groups, host, first, tasks),
    status: () => ({ leader: 0, term: 0, role: 'client' }),
  };
}
