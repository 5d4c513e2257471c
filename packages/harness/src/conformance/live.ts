import { firstClient, type Machine, ms, type Random, type Signed } from '@quorumlab/core';
import { kv } from '@quorumlab/log';
import { decisions, type Simulation, simulate } from '@quorumlab/sim';
import { type AnyShape, type Prepared, prepare } from '../prepare.ts';
import type { ProtocolEntry } from '../protocol-entry.ts';
import type { Scenario } from '../scenario.ts';

/** A group in the middle of its work, and everything that was said and armed until then. */
export interface LiveGroup {
  readonly prepared: Prepared;
  readonly simulation: Simulation<AnyShape>;
  readonly said: readonly Signed<AnyShape['Message']>[];
  readonly timers: readonly string[];
}

/**
 * Runs `scenario` until it has said `messages` messages or `until` is reached, under load. Hosts
 * are given each machine of a replica as `watched` makes it, from what its disk gave back.
 */
export function liveGroup(
  scenario: Scenario,
  entry: ProtocolEntry,
  messages: number,
  watched: (machine: Machine<AnyShape>, stable?: AnyShape['Stable']) => Machine<AnyShape> = (
    machine,
  ) => machine,
): LiveGroup {
  const prepared = prepare(scenario, entry);
  const said: Signed<AnyShape['Message']>[] = [];
  const timers = new Set<string>();
  let id = 0;
  const simulation = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: prepared.keyring,
    evidence: prepared.group.evidence,
    seats: prepared.seats.map((seat, index) => ({
      ...seat,
      make: (stable, host) =>
        index < scenario.n ? watched(seat.make(stable, host), stable) : seat.make(stable, host),
    })),
    members: prepared.protocol.members,
    network: prepared.network,
    faults: prepared.faults,
    seed: scenario.seed,
    limits: { until: scenario.until },
    inputs: {
      next() {
        if (id >= scenario.count) return undefined;
        const operation = kv.append('log', `${id};`);
        const seat = prepared.firstClientSeat + (id % scenario.clients);
        const event = { type: 'submit', id, operation, readOnly: id % 5 === 4 } as const;
        return { at: ms(1) + id++ * ms(30), seat, event };
      },
    },
    watcher: {
      said: (_at, _seat, message) => void said.push(message),
      stepped(_at, seat, output) {
        if (seat < scenario.n)
          for (const change of output.timers) if (change.type === 'set') timers.add(change.timer);
      },
    },
  });
  while (said.length < messages && simulation.step());
  return { prepared, simulation, said, timers: [...timers] };
}

/** What {@link provoke} found. */
export interface Outburst {
  readonly message: unknown;
  readonly error: unknown;
}

/**
 * Feeds `inputs` messages that decode, from members, clients and strangers alike, and early or late
 * timers, to copies of the group's replicas; answers the first one that made a replica throw.
 */
export function provoke(
  group: LiveGroup,
  random: Random,
  inputs: number,
  forms: { readonly evidence: boolean } = { evidence: true },
): Outburst | undefined {
  const { prepared, simulation, said, timers } = group;
  const n = prepared.scenario.n;
  let machine: Machine<AnyShape> | undefined;
  let now = simulation.now;
  for (let i = 0; i < inputs; i++) {
    if (i % 25 === 0) machine = simulation.seat(random.below(n)).machine?.fork();
    if (machine === undefined) continue;
    const event =
      timers.length > 0 && random.below(12) === 0
        ? { type: 'timeout' as const, timer: timers[random.below(timers.length)] as never }
        : { type: 'message' as const, message: strange(prepared, said, random, forms.evidence) };
    now += random.below(2000);
    try {
      machine.step({ now, clock: { earliest: now, latest: now }, event });
    } catch (error) {
      return { message: event.type === 'message' ? event.message : event.timer, error };
    }
  }
  return undefined;
}

/** A message that no honest replica may ever say, but that decodes. */
export function strange(
  { messages, scenario }: Prepared,
  said: readonly Signed<AnyShape['Message']>[],
  random: Random,
  evidence: boolean,
): Signed<AnyShape['Message']> {
  const from = [random.below(scenario.n), random.below(scenario.n), firstClient, 77][
    random.below(4)
  ] as number;
  const heard = said[random.below(Math.max(1, said.length))];
  if (heard !== undefined && (!evidence || random.below(3) > 0)) {
    let message = heard as AnyShape['Message'];
    for (let left = random.below(3); left > 0; left--) message = messages.mutate(message, random);
    return {
      ...message,
      from: random.below(2) === 0 ? heard.from : from,
      signature: heard.signature,
    };
  }
  return { ...messages.sample(random), from, signature: new Uint8Array(0) as never };
}

/** A stream of choices that `seed` alone decides. */
export const chanceOf = (seed: string): Random => decisions({ seed });
