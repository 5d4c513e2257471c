/** What a protocol refuses before it looks at signatures: too little costs, too much is lost. */
import type { Machine, Random, Signed, Tagged } from '@quorumlab/core';
import type { LogShape, ServicedProtocol } from '@quorumlab/log';
import type { AnyShape } from '../prepare.ts';
import { type LiveGroup, strange } from './live.ts';

/** The first message with signatures inside whose kind has no guard. */
export function unguarded(
  { protocol, evidence }: ServicedProtocol<LogShape>,
  { said }: Pick<LiveGroup, 'said'>,
  random: Random,
): string | undefined {
  const guards: Readonly<Record<string, unknown>> = protocol.admits ?? {};
  for (const kind of protocol.messages.kinds) {
    const heard: Tagged[] = said.filter((each) => each.kind === kind.kind).slice(0, 20);
    for (let i = 0; i < 20; i++) heard.push(kind.sample(random));
    const isCostly = heard.some((message) => {
      const [inside] = evidence(message);
      return inside !== undefined;
    });
    if (isCostly && guards[kind.kind] === undefined) return kind.kind;
  }
  return undefined;
}

/** A message that a guard refused, and that would have come to something. */
export interface WronglyRefused {
  readonly message: Signed<AnyShape['Message']>;
  readonly what: string;
}

/**
 * Shows `inputs` messages, said ones and strange ones, to the guards of copies of the group's
 * replicas, and steps with those that were refused: nothing may come of it.
 */
export function wronglyRefused(
  group: LiveGroup,
  random: Random,
  inputs: number,
): WronglyRefused | undefined {
  const { prepared, simulation, said } = group;
  let machine: Machine<AnyShape> | undefined;
  let now = simulation.now;
  let refused = 0;
  for (let i = 0; i < inputs; i++) {
    if (i % 25 === 0) machine = simulation.seat(random.below(prepared.scenario.n)).machine?.fork();
    if (machine === undefined) continue;
    const heard = said[random.below(said.length)] as Signed<AnyShape['Message']>;
    const message = random.below(3) > 0 ? heard : strange(prepared, said, random, false);
    now += random.below(2000);
    const isRefused =
      machine.admits?.(message, now) === false ||
      machine.expects?.(message.kind, message.from) === false;
    // What a step says is seen at once; to compare states takes long.
    const compared = isRefused && refused % comparedEvery === 0;
    const before = compared ? stateOf(machine) : '';
    const input = { now, clock: { earliest: now, latest: now } };
    const output = machine.step({ ...input, event: { type: 'message', message } });
    if (!isRefused) continue;
    refused++;
    const { lines: _lines, ...parts } = output;
    const saying = Object.entries(parts).find(([, list]) => list.length > 0);
    if (saying !== undefined) return { message, what: `has ${saying[0]}` };
    if (compared && stateOf(machine) !== before) return { message, what: 'changes the state' };
  }
  return undefined;
}

/** Of so many refused messages one has the states before and after it compared. */
const comparedEvery = 10;

/** Everything but the count of what was dropped. */
function stateOf(machine: Machine<AnyShape>): string {
  return JSON.stringify(machine.snapshot(), (key, value: unknown) => {
    if (key === 'dropped') return undefined;
    if (value instanceof Map) return [...value];
    return value instanceof Set ? [...value] : value;
  });
}
