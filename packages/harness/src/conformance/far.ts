/** What one message with a number far ahead does to a group, for each number of each message. */

import { wrapped } from '@quorumlab/adversary';
import {
  type Instant,
  type Machine,
  maxInteger,
  maxLeap,
  ms,
  range,
  type Signed,
} from '@quorumlab/core';
import { kv } from '@quorumlab/log';
import { simulate } from '@quorumlab/sim';
import { type AnyShape, prepare } from '../prepare.ts';
import type { ProtocolEntry } from '../protocol-entry.ts';
import type { Scenario } from '../scenario.ts';
import { chanceOf } from './live.ts';

type Message = AnyShape['Message'];

/** One number of one kind of message, by the names that lead to it. */
export interface FarNumber {
  readonly kind: string;
  readonly path: readonly (string | number)[];
}

/** What became of a group that was told a number far ahead. */
export interface FarResult {
  /** Requests that were answered, of all that were made before and after. */
  readonly answered: number;
  readonly asked: number;
  /** What replicas say is wrong, in their status. */
  readonly troubles: readonly string[];
  readonly stopped: readonly string[];
}

/** When the lie is told; everybody is restarted some time after it, and asked again. */
const moments = { first: 0, later: ms(800) } as const;
const restartAt = ms(1600);
const asked = 10;
const pause = ms(200);

/** Every number in `value`, by the way to it. */
function* numbersIn(
  value: unknown,
  path: readonly (string | number)[] = [],
): Generator<typeof path> {
  if (typeof value === 'number') yield path;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  // Of several alike the last one stands for all.
  if (Array.isArray(value)) {
    if (value.length > 0) yield* numbersIn(value.at(-1), [...path, value.length - 1]);
    return;
  }
  // Who said it is no number that counts up, and is proven.
  for (const [name, part] of Object.entries(value))
    if (name !== 'from') yield* numbersIn(part, [...path, name]);
}

/** A copy in which the number at `path` is `number`. */
function withNumber(value: unknown, path: readonly (string | number)[], number: number): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return number;
  if (Array.isArray(value))
    return value.map((each, i) => (i === name ? withNumber(each, rest, number) : each));
  const parts = value as Readonly<Record<string, unknown>>;
  return { ...parts, [name]: withNumber(parts[name], rest, number) };
}

/** One group, asked for the same each time, in which `liar` says one thing more. */
export class FarGroup {
  readonly #scenario: Scenario;
  readonly #entry: ProtocolEntry;
  /** The last message of each kind before the lie, and samples of kinds that nobody said. */
  readonly #templates = new Map<string, Message>();

  constructor(scenario: Scenario, entry: ProtocolEntry) {
    this.#scenario = scenario;
    this.#entry = entry;
    this.#run(undefined, moments.later, (message) => {
      const { from: _, signature: __, ...body } = message;
      this.#templates.set(message.kind, body as Message);
    });
    const random = chanceOf(`far ${scenario.seed}`);
    for (const kind of prepare(scenario, entry).messages.kinds)
      for (let i = 0; i < 20 && !this.#templates.has(kind.kind); i++) {
        const sample = kind.sample(random) as Message;
        if (i === 19 || [...numbersIn(sample)].length > 2) this.#templates.set(kind.kind, sample);
      }
  }

  /** All numbers of all kinds. */
  numbers(): readonly FarNumber[] {
    return [...this.#templates].flatMap(([kind, message]) =>
      [...numbersIn(message)].map((path) => ({ kind, path })),
    );
  }

  /** What becomes of the group if replica `liar` says `number` there, once, to all others. */
  tell(
    { kind, path }: FarNumber,
    liar: number,
    number: number,
    when: keyof typeof moments = 'later',
  ): FarResult {
    const template = this.#templates.get(kind);
    const lie = withNumber(template, path, number) as Message;
    return this.#run({ liar, lie, at: moments[when] }, this.#scenario.until);
  }

  #run(
    lies: { readonly liar: number; readonly lie: Message; readonly at: Instant } | undefined,
    until: Instant,
    said?: (message: Signed<Message>) => void,
  ): FarResult {
    const { n, seed } = this.#scenario;
    const prepared = prepare(this.#scenario, this.#entry);
    let next = 0;
    let answered = 0;
    const told = { once: false };
    const simulation = simulate<AnyShape>({
      messages: prepared.messages,
      keyring: prepared.keyring,
      evidence: prepared.group.evidence,
      seats: prepared.seats.map((seat, i) =>
        i !== lies?.liar
          ? seat
          : { ...seat, make: (stable, host) => lying(seat.make(stable, host), lies, n, told) },
      ),
      members: prepared.protocol.members,
      network: prepared.network,
      faults: range(n).flatMap((seat) => [
        { type: 'crash', at: restartAt + seat, seat } as const,
        { type: 'restart', at: restartAt + ms(50) + seat, seat } as const,
      ]),
      seed,
      limits: { until },
      inputs: {
        next() {
          if (next >= asked) return undefined;
          const event = {
            type: 'submit',
            id: next,
            operation: next % 4 === 3 ? kv.get('log') : kv.append('log', `${next};`),
            readOnly: next % 4 === 3,
          } as const;
          return { at: ms(1) + next++ * pause, seat: prepared.firstClientSeat, event };
        },
        answered: (_at, seat) => {
          if (seat >= prepared.firstClientSeat) answered++;
          return undefined;
        },
      },
      ...(said === undefined ? {} : { watcher: { said: (_at, _seat, message) => said(message) } }),
    });
    while (answered < asked && simulation.step());
    const others = range(n).filter((seat) => seat !== lies?.liar);
    return {
      answered,
      asked,
      troubles: others.flatMap((seat) => simulation.seat(seat).machine?.status().trouble ?? []),
      stopped: others.flatMap((seat) => simulation.seat(seat).reason ?? []),
    };
  }
}

/** The same machine, which says `lie` once, to all other members. */
function lying(
  honest: Machine<AnyShape>,
  { lie, at }: { readonly lie: Message; readonly at: Instant },
  n: number,
  told: { once: boolean },
): Machine<AnyShape> {
  return wrapped(honest, (input) => {
    const output = honest.step(input);
    if (told.once || input.now < at) return output;
    told.once = true;
    const sends = range(n).flatMap((to) => (to === honest.self ? [] : [{ to, message: lie }]));
    return { ...output, sends: [...output.sends, ...sends] };
  });
}

/**
 * What is tried: the last number of the wire, the last that belongs to `liar` as a ballot does, and
 * one that is just not too far to be heard of.
 */
export function farNumbers(liar: number, n: number): readonly number[] {
  const owned = (number: number): number => number - ((number - liar) % n);
  return [maxInteger, owned(maxInteger), owned(maxLeap - 2 ** 16)];
}
