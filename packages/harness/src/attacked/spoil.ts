/**
 * Every way to spoil one message in one place: what a liar sends where somebody honest would have
 * said `message`. Made from the message itself and its schema, so that a new kind of message, or a
 * new field, is spoilt without a line of its own.
 */
import {
  type Certificate,
  decode,
  encode,
  firstClient,
  type MessagesField,
  maxInteger,
  type Random,
  type Signature,
  type Signed,
  type Tagged,
} from '@quorumlab/core';

/** A message that is wrong in one place. */
export interface Spoilt {
  /** Where, as in `viewChanges[].view`; `from`: its sender. */
  readonly path: string;
  /** How, in a few words: `less`, `without one of 3` signers. */
  readonly how: string;
  readonly message: Signed<Tagged>;
}

/** What spoiling has to know of a group. */
export interface SpoilOptions {
  readonly n: number;
  readonly messages: MessagesField<Tagged>;
  readonly random: Random;
}

/** A value in place of another, and how it differs. */
type Change = readonly [how: string, value: unknown];
type Placed = readonly [path: string, how: string, value: unknown];
type Plain = Readonly<Record<string, unknown>>;

/** Every single-place spoiling of `message` that still decodes; outer signatures are its liar's. */
export function* spoilings(message: Signed<Tagged>, options: SpoilOptions): Iterable<Spoilt> {
  const { n, messages } = options;
  const { from, signature, ...body } = message;
  for (const [how, other] of [...othersOf(from, n), ['a client', firstClient + 9]] as const)
    yield { path: 'from', how, message: { ...message, from: other } };
  const schema = messages.of(message.kind);
  if (schema === undefined) return;
  for (const [name, field] of Object.entries(schema.parts)) {
    const value = (body as Plain)[name];
    const invented: readonly Placed[] =
      value === null ? [[name, 'invented', sampled(() => field.sample(options.random))]] : [];
    const made = new Set<string>();
    for (const [path, how, changed] of [...placesOf(value, name, n), ...invented]) {
      // Of two values that stand for one thing, the first that decodes will do.
      if (made.has(`${path} ${how}`)) continue;
      const spoilt = recoded(messages, { ...body, [name]: changed } as Tagged);
      if (spoilt === undefined) continue;
      made.add(`${path} ${how}`);
      yield { path, how, message: { ...spoilt, from, signature } };
    }
  }
}

const othersOf = (from: number, n: number): readonly (readonly [how: string, from: number])[] =>
  n > 1 && from < n ? [['another member', (from + 1) % n]] : [];

/** A few tries for something that is not null. */
function sampled(make: () => unknown): unknown {
  for (let i = 0; i < 8; i++) {
    const value = make();
    if (value !== null) return value;
  }
  return null;
}

/** As its receiver decodes it; nothing if no decoder would let it pass. */
function recoded(messages: MessagesField<Tagged>, message: Tagged): Tagged | undefined {
  try {
    return decode(messages, encode(messages, message));
  } catch {
    return undefined;
  }
}

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array);

const isSigned = (value: unknown): value is Signed<Tagged> =>
  isPlain(value) && 'from' in value && 'kind' in value && value.signature instanceof Uint8Array;

const isCertificate = (value: unknown): value is Certificate<Tagged> =>
  isPlain(value) && 'body' in value && Array.isArray(value.seals);

/** Every way to change `value`, and everything in it, in one place. */
function* placesOf(value: unknown, path: string, n: number): Iterable<Placed> {
  for (const [how, changed] of changesOf(value, n)) yield [path, how, changed];
  // A client's request is its own word, and what a quorum signed is the quorum's: both are looked
  // at by keyrings, which cannot be fooled.
  if (isCertificate(value) || (isSigned(value) && value.kind === 'request')) return;
  if (Array.isArray(value)) {
    for (const i of new Set([0, value.length - 1]))
      if (i in value)
        for (const [inner, how, changed] of placesOf(value[i], `${path}[]`, n))
          yield [inner, how, value.with(i, changed)];
  } else if (isPlain(value))
    for (const [name, part] of Object.entries(value))
      if (name !== 'from' && name !== 'signature' && name !== 'kind')
        for (const [inner, how, changed] of placesOf(part, `${path}.${name}`, n))
          yield [inner, how, { ...value, [name]: changed }];
}

/** Every way to change `value` itself. */
function changesOf(value: unknown, n: number): readonly Change[] {
  if (typeof value === 'number') return numbersBeside(value);
  if (typeof value === 'boolean') return [['the opposite', !value]];
  if (typeof value === 'string') return [['another', anotherText(value)]];
  if (Array.isArray(value)) return listsBeside(value);
  if (isCertificate(value)) return [['left out', null], ...certificatesBeside(value)];
  if (isSigned(value)) return [['left out', null], ...signersBeside(value, n)];
  return isPlain(value) ? [['left out', null]] : [];
}

const numbersBeside = (value: number): readonly Change[] => [
  ...(value > 0 ? [['less', value - 1] as const] : []),
  ...(value > 1 ? [['nothing', 0] as const] : []),
  ['more', value + 1],
  ['much more', value + 1000],
  ...[1, 16, 256].map((share) => ['the most', maxInteger / share] as const),
];

/** Another text of the same form: the last digit of a digest differs. */
const anotherText = (value: string): string =>
  value.slice(0, -1) + (value.endsWith('0') ? '1' : '0');

function listsBeside(value: readonly unknown[]): readonly Change[] {
  if (value.length === 0) return [];
  const doubled = [...value, value[value.length - 1]];
  const several: readonly Change[] = [
    ['emptied', []],
    ['turned round', [...value].reverse()],
  ];
  return [
    ['one short', value.slice(0, -1)],
    ['one twice', doubled],
    ...(value.length > 1 ? several : []),
  ];
}

function certificatesBeside({ body, seals }: Certificate<Tagged>): readonly Change[] {
  const [first, ...rest] = seals;
  if (first === undefined) return [];
  return [
    [`without one of ${seals.length}`, { body, seals: rest }],
    ['without any signer', { body, seals: [] }],
  ];
}

const signersBeside = (value: Signed<Tagged>, n: number): readonly Change[] =>
  othersOf(value.from, n).map(([how, from]) => [how, { ...value, from }]);

/** A signature that nobody made. */
const forged: Signature = new Uint8Array(64).fill(7) as Signature;

/** `value` with one of the signatures inside it forged, for each of them, and where it is. */
export function* forgeries(value: unknown, path = ''): Iterable<readonly [string, unknown]> {
  if (isSigned(value)) yield [path, { ...value, signature: forged }];
  if (isCertificate(value))
    for (const [i, seal] of value.seals.entries()) {
      const seals = value.seals.with(i, { ...seal, signature: forged });
      yield [`${path} of ${seal.from}`, { ...value, seals }];
    }
  else if (Array.isArray(value))
    for (const [i, part] of value.entries())
      for (const [where, other] of forgeries(part, `${path}[${i}]`))
        yield [where, value.with(i, other)];
  else if (isPlain(value))
    for (const [name, part] of Object.entries(value))
      for (const [where, other] of forgeries(part, `${path}.${name}`))
        yield [where, { ...value, [name]: other }];
}

/** Whether somewhere in `value` there are signatures of several over one statement. */
export function hasCertificate(value: unknown): boolean {
  if (isCertificate(value)) return true;
  if (Array.isArray(value)) return value.some(hasCertificate);
  return isPlain(value) && Object.values(value).some(hasCertificate);
}
