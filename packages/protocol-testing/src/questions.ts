/**
 * Every message that differs in one thing from another one, and what it would come to: guards are
 * met by the very message that each of them is there for.
 */
import { decode, encode, firstClient, type Output, type Seal, type Signed } from '@quorumlab/core';
import type { ByzantineNetwork, RequestShape } from './byzantine-network.ts';
import type { Sheet } from './sheet.ts';
import { changesIn, effectsIn, holdingsIn, type Names, shown } from './transcript.ts';

/** What is different, and what it is then. */
type Variation = readonly [what: string, value: unknown];

const otherDigest = 'e'.repeat(64);

/** Values that differ from `value` in one thing. */
function* variationsOf(value: unknown): Generator<Variation> {
  if (typeof value === 'number') {
    if (value > 0) yield ['-1', value - 1];
    yield ['+1', value + 1];
  } else if (typeof value === 'string') {
    if (/^[0-9a-f]{64}$/.test(value)) yield [' of something else', otherDigest];
  } else if (Array.isArray(value)) yield* variationsOfList(value);
  else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
    yield* 'seals' in value ? variationsOfSeals(value as never) : variationsOfFields(value);
}

function* variationsOfFields(value: object): Generator<Variation> {
  for (const [name, each] of Object.entries(value)) {
    if (name === 'kind') continue;
    for (const [what, other] of variationsOf(each))
      yield [`${name}${what}`, { ...value, [name]: other }];
    if (each === null) yield [`${name} 0`, { ...value, [name]: 0 }];
    else if (typeof each === 'number' || typeof each === 'string')
      yield [`${name} nothing`, { ...value, [name]: null }];
  }
}

function* variationsOfSeals<B>(value: {
  readonly body: B;
  readonly seals: readonly Seal[];
}): Generator<Variation> {
  for (const [what, body] of variationsOf(value.body)) yield [` with ${what}`, { ...value, body }];
  const { seals } = value;
  const last = seals.at(-1) as Seal;
  const rest = seals.slice(0, -1);
  yield [' by one fewer', { ...value, seals: rest }];
  yield [' by one twice', { ...value, seals: [...rest, rest.at(-1)] }];
  yield [' in another order', { ...value, seals: [...seals].reverse() }];
  yield [' by a stranger', { ...value, seals: [...rest, { ...last, from: 1000 }] }];
}

function* variationsOfList(value: readonly unknown[]): Generator<Variation> {
  const [first, ...rest] = value;
  if (first === undefined) return;
  yield [' less the first', rest];
  yield [' twice', [...value, ...value]];
  if (typeof first === 'object' && first !== null && 'from' in first)
    yield [' signed by another', [{ ...first, from: 3 }, ...rest]];
}

/**
 * Asks the replica in seat `self`, as it is now, about messages and all that are nearly like them:
 * whether its guards admit them, what it would do, and what it would hold then. The answers are
 * written on `sheet`.
 */
export function askedIn<P extends RequestShape>(
  network: ByzantineNetwork<P>,
  self: number,
  messages: readonly (readonly [from: number, message: P['Message']])[],
  names: Names,
  sheet: Sheet,
): void {
  const { now, protocol } = network;
  const { machine } = network.seat(self);
  const before = holdingsIn(network.state(self), names);

  const answer = (message: Signed<P['Message']>): string => {
    const asked = machine.fork();
    const isAdmitted = machine.admits?.(message, now) !== false;
    const clock = { earliest: now, latest: now };
    const word = isAdmitted ? 'admitted' : 'refused';
    let output: Output<P>;
    try {
      output = asked.step({ now, clock, event: { type: 'message', message } });
    } catch (error) {
      return `${word}, and stops: ${(error as Error).message}`;
    }
    const { stable, volatile } = asked.snapshot();
    const after = holdingsIn<P>({ ...stable, ...volatile }, names);
    const comes = [
      ...effectsIn(output, names),
      ...changesIn(before, after).map((each) => `then ${each}`),
    ];
    return [comes.length > 0 ? word : `${word}, nothing`, ...comes].join('\n    ');
  };

  /** `message` as it comes out of its bytes; nothing: it has none, or nobody takes them. */
  const carried = (message: P['Message']): P['Message'] | undefined => {
    try {
      return decode(protocol.messages, encode(protocol.messages, message));
    } catch {
      return undefined;
    }
  };

  const { length } = protocol.members;
  for (const [from, message] of messages) {
    const answers = new Map<string, string[]>();
    const note = (what: string, of: Signed<P['Message']>): void => {
      const said = answer(of);
      answers.set(said, [...(answers.get(said) ?? []), what]);
    };
    const signed = network.sign(message, from);
    note(`of ${from}`, signed);
    for (const other of [(from + 1) % length, self, length, firstClient])
      note(`of ${other}`, { ...signed, from: other });
    for (const [what, part] of variationsOfFields(message)) {
      const read = carried(part as P['Message']);
      if (read !== undefined) note(what, { ...read, from, signature: signed.signature });
    }
    sheet.write(shown(message, names));
    for (const [said, whats] of answers) sheet.write(`  ${whats.join(', ')}: ${said}`);
  }
}
