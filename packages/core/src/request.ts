/**
 * What clients ask for, and when two requests are the same. One home for all who compare them, so
 * that none forgets a part: checkers, vows, and replicas that look whether they have accepted
 * something else before.
 */
import { type Reader, readInteger, SchemaError, sameBytes, toHex, type Writer } from './bytes.ts';
import {
  lengthBytes,
  maxChangeBytes,
  maxEncodedOperationsBytes,
  maxOperationBytes,
  maxOperations,
  operationBytes,
} from './limits.ts';
import { type MessageField, message } from './message.ts';
import { bounded, bytes, type Field, type Infer, integer, list, type Random } from './schema.ts';
import { inSteps, readInSteps } from './steps.ts';
import type { Signed } from './vocabulary.ts';

const none = new Uint8Array();

/**
 * A client asks for `operations` to be ordered and run, all of them at one position. A repeated
 * request is the same object under the same sequence; `acknowledged` is the lowest sequence whose
 * reply the client still waits for, so replicas may forget replies below it (Ongaro's thesis 6.3).
 * All operations of one request take at most 512 KiB, so that frames and batches stay small. One
 * without operations and without a change of the group asks which session its client may open.
 */
export const request: MessageField<Request> = requestField();

/** See {@link request}. */
export interface Request {
  readonly kind: 'request';
  readonly client: number;
  /** Never used again by its client: its upper half ({@link lifeOf}) tells lives apart. */
  readonly sequence: number;
  readonly acknowledged: number;
  /**
   * How many sessions its client has opened before the one that this request is of. A session is
   * opened by the first request with the number that is next. Absent: 0.
   */
  readonly session?: number;
  readonly operations: readonly Uint8Array[];
  /**
   * In place of operations: a change of the group itself, such as its members, for the protocol
   * and not for the application. Only the protocol can read it.
   */
  readonly configuration?: Uint8Array;
}

/** Lives of a client that its sequences tell apart, and sequences of each; 2^48 in all. */
const lives: number = 2 ** 24;
const sequencesOfLife: number = 2 ** 24;

/** Which life of its client a sequence belongs to: `Start.incarnation`, its last 24 bits. */
export const lifeOf = (sequence: number): number => Math.floor(sequence / sequencesOfLife);

/** The first sequence of a life; 0 is never used. */
export const firstSequenceOf = (incarnation: number): number =>
  (incarnation % lives) * sequencesOfLife + 1;

/** Whether this only asks for the number of its client's next session: it changes nothing. */
export const asksForSession = ({ operations, configuration }: Request): boolean =>
  operations.length === 0 && configuration === undefined;

/** At least the bytes that `request` and its seal take when encoded, without encoding it. */
export function requestBytes({ operations, configuration }: Request): number {
  let size = 128 + (configuration?.length ?? 0);
  for (let i = 0; i < operations.length; i++)
    size += (operations[i] as Uint8Array).length + lengthBytes;
  return size;
}

/** As {@link requestBytes}, where a message is filled: small operations count `operationBytes`. */
export const requestWeight = (request: Request): number =>
  128 + (request.configuration?.length ?? 0) + weightOf(request, lengthBytes);

/** What the operations of `request` count where a batch is filled: see `operationBytes`. */
export const bytesOf = (request: Pick<Request, 'operations'>): number => weightOf(request, 0);

function weightOf({ operations }: Pick<Request, 'operations'>, more: number): number {
  let sum = 0;
  for (let i = 0; i < operations.length; i++)
    sum += Math.max((operations[i] as Uint8Array).length + more, operationBytes);
  return sum;
}

/** As `of`; operations that are too many for the message they are in are refused unread. */
function countedOperations(of: Field<readonly Uint8Array[]>): Field<readonly Uint8Array[]> {
  const refuse = (): never => {
    throw new SchemaError('more operations than a message of its kind holds');
  };
  const count = (from: Reader): void => {
    const { at } = from;
    from.operations -= readInteger(from);
    from.at = at;
    if (from.operations < 0) refuse();
  };
  return inSteps([of], {
    ...of,
    write(to, value) {
      to.operations -= value.length;
      if (to.operations < 0) refuse();
      of.write(to, value);
    },
    read(from) {
      count(from);
      return of.read(from);
    },
    *steps(from) {
      count(from);
      return yield* readInSteps(of, from);
    },
  });
}

/** A number that is left out where it is 0. */
function zeroIfAbsent(of: Field<number>): Field<number | undefined> {
  return {
    ...of,
    write: (to, value) => of.write(to, value ?? 0),
    mix: (hash, value) => of.mix(hash, value ?? 0),
    mutate: (value, random) => of.mutate(value ?? 0, random),
  };
}

/** An ordinary request has operations, so it takes no room to say that there is nothing else. */
function requestField(): MessageField<Request> {
  const parts = message('request', {
    client: integer(),
    sequence: integer(),
    acknowledged: integer(),
    session: zeroIfAbsent(integer()),
    operations: countedOperations(
      bounded(list(bytes(maxOperationBytes), maxOperations), maxEncodedOperationsBytes),
    ),
  });
  // Of most clients there is one session, and its number is left out as an absent part is.
  const short = ({ session = 0, ...value }: Infer<typeof parts>): Request =>
    session === 0 ? value : { ...value, session };
  const plain = {
    ...parts,
    write: (to: Writer, value: Request): void => parts.write(to, value as Infer<typeof parts>),
    read: (from: Reader): Request => short(parts.read(from)),
    mix: (hash: number, value: Request): number => parts.mix(hash, value as Infer<typeof parts>),
    sample: (random: Random): Request => short(parts.sample(random)),
    mutate: (value: Request, random: Random): Request =>
      short(parts.mutate({ ...value, session: value.session ?? 0 }, random)),
  };
  const configuration = bytes(maxChangeBytes);
  const joined = (value: Request, about: Uint8Array): Request =>
    about.length === 0 ? value : { ...value, configuration: about };
  return inSteps([parts], {
    ...plain,
    type: `${plain.type}, without operations: configuration ${configuration.type}`,
    maxBytes: plain.maxBytes + configuration.maxBytes,
    write(to, value) {
      plain.write(to, value);
      if (value.operations.length === 0) configuration.write(to, value.configuration ?? none);
      else if (value.configuration !== undefined)
        throw new SchemaError('a request changes the group or runs operations, never both');
    },
    read(from) {
      const value = plain.read(from);
      return value.operations.length === 0 ? joined(value, configuration.read(from)) : value;
    },
    *steps(from) {
      const value = short(yield* readInSteps(parts, from));
      return value.operations.length === 0 ? joined(value, configuration.read(from)) : value;
    },
    mix(hash, value) {
      const out = plain.mix(hash, value);
      return value.configuration === undefined ? out : configuration.mix(out, value.configuration);
    },
    sample(random) {
      const value = plain.sample(random);
      return value.operations.length === 0 ? joined(value, configuration.sample(random)) : value;
    },
    mutate(value, random) {
      const { configuration: about, ...rest } = value;
      const other = plain.mutate(rest, random);
      if (other.operations.length > 0) return other;
      return joined(other, about ?? configuration.sample(random));
    },
  });
}

/** What a request asks for: operations for the application, or a change of the group. */
export type Wish = Pick<Request, 'operations' | 'configuration'>;

/** Whether two ask for the same. No change of the group is the same as an empty one. */
export const sameWish = (one: Wish, two: Wish): boolean =>
  one === two ||
  (sameOperations(one.operations, two.operations) &&
    sameBytes(one.configuration ?? none, two.configuration ?? none));

const sameOperations = (one: Request['operations'], two: Request['operations']): boolean =>
  one === two ||
  (one.length === two.length && one.every((each, i) => sameBytes(each, two[i] as Uint8Array)));

/**
 * Whether two are the same request of the same client. Who signed it does not count, and neither
 * does what the client says to have heard meanwhile, its acknowledgement.
 */
export const sameRequest = (one: Request, two: Request): boolean =>
  one === two ||
  (one.client === two.client &&
    one.sequence === two.sequence &&
    (one.session ?? 0) === (two.session ?? 0) &&
    sameWish(one, two));

/** Whether two are equal in every part: the same bytes when they are encoded. */
export const equalRequests = (one: Request, two: Request): boolean =>
  one === two || (one.acknowledged === two.acknowledged && sameRequest(one, two));

/**
 * Whether two slots hold the same requests in the same order, by `same`. A no-op, which has none,
 * is another decision than any request.
 */
export const sameDecision = (
  one: readonly Request[],
  two: readonly Request[],
  same: (one: Request, two: Request) => boolean = sameRequest,
): boolean =>
  one === two ||
  (one.length === two.length && one.every((each, i) => same(each, two[i] as Request)));

const identities = new WeakMap<Request, string>();

/**
 * A text that two requests share only if they are {@link equalRequests}: what a vow is about. It is
 * kept as long as the request itself.
 */
export function identityOf(request: Request): string {
  let text = identities.get(request);
  if (text === undefined) {
    const { client, session = 0, sequence, operations, configuration = none } = request;
    // An empty operation is one all the same.
    const hexes = operations.map((each) => (each.length === 0 ? '-' : toHex(each)));
    const who = session === 0 ? `${client}` : `${client}.${session}`;
    text = `${who}/${sequence}/${request.acknowledged}/${hexes.join(',')}`;
    if (configuration.length > 0) text += `/${toHex(configuration)}`;
    identities.set(request, text);
  }
  return text;
}

/** A request that its client has not made: `request` with other operations, and as well encoded. */
export function altered(request: Signed<Request>): Signed<Request> {
  const { configuration: _, ...rest } = request;
  return { ...rest, operations: request.operations.length === 0 ? [new Uint8Array(1)] : [] };
}
