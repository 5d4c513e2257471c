/**
 * Random schedules of a {@link ByzantineNetwork}: any delay, loss, repeat and order of messages,
 * one crash at a time between a step's writes and its sends, late timers, and one liar. Then all
 * heals.
 */
import type { Certificate, Random, Signed, Tagged } from '@quorumlab/core';
import type { ByzantineNetwork, RequestShape, Treason } from './byzantine-network.ts';
import { random as dice } from './random.ts';
import { requestOf } from './requests.ts';

/** Requests that are asked for in a schedule, by three clients. */
export const known: readonly ReturnType<typeof requestOf>[] = Array.from({ length: 12 }, (_, i) =>
  requestOf(i % 3, Math.floor(i / 3)),
);

/** What a liar does, given its network and its dice. */
export type MakeTreason = <P extends RequestShape>(
  network: ByzantineNetwork<P>,
  random: Random,
) => Treason<P> | undefined;

/** The liars of random schedules. */
export const treasons: Readonly<Record<string, MakeTreason>> = {
  none: () => undefined,
  silent: () => () => [],
  'silent to some':
    (_, random) =>
    ({ to, message }) =>
      to % 2 === 0 && random.below(10) > 0 ? [] : [{ to, message }],
  equivocating:
    ({ protocol }) =>
    ({ to, message }) =>
      to % 2 === 0
        ? [{ to, message }]
        : [{ to, message: protocol.conflict?.(message, to, known) ?? message }],
  mutating:
    ({ protocol }, random) =>
    ({ to, message }) => {
      if (random.below(3) > 0) return [{ to, message }];
      return [
        { to, message },
        { to, message: protocol.messages.mutate(message, random) },
      ];
    },
  replaying: replaying,
  splicing: splicing,
};

/** Says again now and then what it has said before: old votes, old view changes. */
function replaying<P extends RequestShape>(_: ByzantineNetwork<P>, random: Random): Treason<P> {
  const said: P['Message'][] = [];
  return ({ to, message }) => {
    if (said.length < 400) said.push(message);
    else said[random.below(400)] = message;
    const again = said[random.below(said.length)] ?? message;
    return random.below(3) > 0
      ? [{ to, message }]
      : [
          { to, message: again },
          { to, message },
        ];
  };
}

/**
 * Puts statements of others that were true elsewhere into its own messages: the view changes of an
 * earlier view, the certificate of another block. Every signature in them is right.
 */
function splicing<P extends RequestShape>(
  network: ByzantineNetwork<P>,
  random: Random,
): Treason<P> {
  const heard = new Map<string, unknown[]>();
  const listen = (value: unknown): void => {
    const kind = kindOf(value);
    if (kind !== undefined) {
      const list = heard.get(kind) ?? [];
      heard.set(kind, list);
      if (list.length < 200) list.push(value);
      else list[random.below(200)] = value;
    }
    for (const part of partsOf(value)) listen(part);
  };
  return ({ to, message }) => {
    for (const flight of network.flights.slice(-8)) listen(flight.message);
    // What it says itself has no signature yet, so only what is inside is exchanged.
    const exchanged = Object.entries(message).map(
      ([name, part]) => [name, spliced(part, heard, random)] as const,
    );
    const other = { ...message, ...Object.fromEntries(exchanged) };
    return [{ to, message: random.below(2) === 0 ? other : message }];
  };
}

function spliced(
  value: unknown,
  heard: ReadonlyMap<string, readonly unknown[]>,
  random: Random,
): unknown {
  const kind = kindOf(value);
  if (kind !== undefined && random.below(2) === 0) {
    const others = heard.get(kind) ?? [];
    return others[random.below(Math.max(1, others.length))] ?? value;
  }
  if (kind === undefined && Array.isArray(value))
    return value.map((each) => spliced(each, heard, random));
  return value;
}

/** What a signed part, or a certificate, is about: only such are exchanged for one another. */
function kindOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('seals' in value) return `certificate of ${(value as Certificate<Tagged>).body.kind}`;
  return 'from' in value && 'signature' in value && 'kind' in value
    ? (value as Signed<Tagged>).kind
    : undefined;
}

const partsOf = (value: unknown): readonly unknown[] =>
  typeof value !== 'object' || value === null || value instanceof Uint8Array
    ? []
    : Object.values(value);

/** One step of chaos. */
function shake<P extends RequestShape>(
  network: ByzantineNetwork<P>,
  random: Random,
  traitor: number,
  proposed: { next: number },
): void {
  const choice = random.below(100);
  const any = random.below(network.seats.length);
  if (choice < 80) {
    if (network.flights.length === 0) return;
    const at = random.below(Math.min(network.flights.length, 1 + random.below(24)));
    const [flight] = network.flights.splice(at, 1);
    if (flight === undefined || random.below(12) === 0) return; // Lost.
    if (random.below(12) === 0) network.flights.push(flight); // It will come twice.
    network.receive(flight);
  } else if (choice < 88) {
    const command = known[proposed.next];
    if (command === undefined) return;
    network.input(any, { type: 'propose', command });
    if (random.below(2) === 0) proposed.next += 1;
  } else if (choice < 96) {
    network.now += random.below(100_000);
    network.tick(network.now);
  } else if (choice === 96) {
    const [timer] = [...network.seat(any).timers.keys()];
    if (timer !== undefined && network.seat(any).up) network.fire(any, timer);
  } else if (choice === 97 && network.crashed === undefined && any !== traitor) {
    const phase = random.below(2) === 0 ? 'before writes' : 'before sends';
    network.crash = { at: network.steps + random.below(5), phase };
  } else if (network.crashed !== undefined) {
    network.restart(network.crashed);
    network.crashed = undefined;
  }
}

/** Runs the schedule of `seed` in the network that `make` makes, with a liar of this kind. */
export function chaos<P extends RequestShape>(
  make: (random: Random) => ByzantineNetwork<P>,
  kind: string,
  seed: number,
): ByzantineNetwork<P> {
  const random = dice(seed);
  const network = make(random);
  const traitor = kind === 'none' ? -1 : random.below(network.seats.length);
  const proposed = { next: 0 };
  if (traitor >= 0) network.seat(traitor).treason = treasons[kind]?.<P>(network, random);
  for (let i = 0; i < 1500 && network.violation === undefined; i++)
    shake(network, random, traitor, proposed);
  network.crash = undefined;
  for (const [self, seat] of network.seats.entries()) if (!seat.up) network.restart(self);
  // Clients that wait repeat their requests to all.
  for (let round = 0; round < 20 && network.executed.size < known.length; round++) {
    for (const command of known)
      if (!network.executed.has(`${command.client}/${command.sequence}`))
        for (const self of network.protocol.members)
          network.input(self, { type: 'propose', command });
    network.run(10_000_000, () => network.executed.size === known.length);
  }
  // Those who missed something get it.
  const honest = network.seats.filter(({ treason }) => treason === undefined);
  const last = (): number => Math.max(...honest.map(({ applied }) => applied));
  network.run(60_000_000, () => honest.every(({ applied }) => applied === last()));
  return network;
}

/**
 * What is wrong at the end of a schedule: agreement first, then whether all is done, and whether
 * nobody honest is accused; if any.
 */
export function wrongIn<P extends RequestShape>(network: ByzantineNetwork<P>): string | undefined {
  const { violation, executed, seats } = network;
  if (violation !== undefined) return violation;
  if (executed.size < known.length) return `${executed.size} of ${known.length} requests ran`;
  const framed = [...network.accused].find((id) => network.seat(id).treason === undefined);
  if (framed !== undefined) return `${framed} is accused, and is honest`;
  const honest = seats.filter(({ treason }) => treason === undefined);
  return new Set(honest.map(({ state }) => state)).size === 1
    ? undefined
    : 'honest replicas end in different states';
}
