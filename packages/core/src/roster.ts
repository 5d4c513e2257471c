/** Who is in a group, as its hosts need to know it: whom to dial, whom to admit, whom to drop. */
import { type Reader, readByte, SchemaError, sameBytes, writeByte } from './bytes.ts';
import { bytes, type Field, integer, list, record } from './schema.ts';
import { inSteps, readInSteps } from './steps.ts';
import type { ReplicaId } from './vocabulary.ts';

/** Most bytes of what is known of a member that came later. */
export const mostAboutBytes = 128;

/** Most members that may come to one group, one after the other. */
export const mostSeats = 64;

/**
 * A member that was not known when its group was made. What its hosts have to know of it, a key and
 * an address, stands in the log for them: protocols pass it on and do not read it.
 */
export interface Seat {
  readonly member: ReplicaId;
  /** For hosts; at most {@link mostAboutBytes}. */
  readonly about: Uint8Array;
}

/** Who is in a group, by one replica's configuration. */
export interface Roster {
  /** Whose votes count, by any configuration that may still count. Ascending. */
  readonly voters: readonly ReplicaId[];
  /** Who gets the log and has no vote. Ascending. */
  readonly learners: readonly ReplicaId[];
  /** All that ever came, in the group or not, in the order in which they came. */
  readonly seats: readonly Seat[];
  /** Who was told to leave and has not come back. Ascending. */
  readonly left: readonly ReplicaId[];
  /** Whether this is final: no earlier configuration can come back. */
  readonly settled: boolean;
}

/** What stands about one of those that came. */
export const aboutField: Field<Uint8Array> = bytes(mostAboutBytes);

const member = integer(65_535);

const seatsField: Field<readonly Seat[]> = list(record({ member, about: aboutField }), mostSeats);

/** What {@link seated} adds to a value. */
export interface Seated {
  /** Who came later, in that order; absent: nobody has yet. */
  readonly seats?: readonly Seat[];
  /** Who was told to leave and has not come back; absent: nobody. Ascending. */
  readonly left?: readonly ReplicaId[];
}

const more = record({ seats: seatsField, left: list(member, 2 * mostSeats) });

/**
 * `plain`, whose encodings never begin with a zero, and before it who came later and who has left.
 * A value of which nobody came and nobody left has the bytes that it had before there was this.
 */
export function seated<T extends object>(plain: Field<T>): Field<T & Seated> {
  return inSteps([plain], {
    type: `${plain.type}, or behind ${more.type}`,
    maxBytes: 1 + plain.maxBytes + more.maxBytes,
    write(to, value) {
      const { seats = [], left = [] } = value;
      if (seats.length + left.length > 0) {
        writeByte(to, 0);
        more.write(to, { seats, left });
      }
      plain.write(to, value);
    },
    read(from) {
      const before = readMore(from);
      return { ...plain.read(from), ...before };
    },
    *steps(from) {
      const before = readMore(from);
      return { ...(yield* readInSteps(plain, from)), ...before };
    },
    mix(hash, value) {
      const out = plain.mix(hash, value);
      const { seats = [], left = [] } = value;
      return seats.length + left.length === 0 ? out : more.mix(out, { seats, left });
    },
    sample: (random) => plain.sample(random),
    mutate: (value, random) => ({ ...plain.mutate(value, random), ...seatedIn(value) }),
  });
}

function readMore(from: Reader): Seated {
  if (from.bytes[from.at] !== 0) return {};
  readByte(from);
  const { seats, left } = more.read(from);
  // One value has one encoding.
  if (seats.length + left.length === 0)
    throw new SchemaError('nobody came and nobody left, so nothing is to stand here');
  return { ...(seats.length > 0 && { seats }), ...(left.length > 0 && { left }) };
}

/** Of a configuration only that: frozen, and what is empty is absent. */
export const seatedIn = ({ seats = [], left = [] }: Seated): Seated => ({
  ...(seats.length > 0 && { seats: Object.freeze([...seats]) }),
  ...(left.length > 0 && { left: Object.freeze([...left]) }),
});

/** An upper bound of what it takes in an encoding. */
export const seatedBytes = ({ seats = [], left = [] }: Seated): number =>
  seats.reduce((sum, { about }) => sum + about.length + 8, 8 + 4 * left.length);

/** `seats` with one more; a member that is there already has one. */
export const withSeat = (
  { seats = [] }: Seated,
  member: ReplicaId,
  about: Uint8Array,
): readonly Seat[] => [...seats.filter((each) => each.member !== member), { member, about }];

/**
 * Why a change about replica `server` cannot be, by what `about` tells of it, in a sentence;
 * nothing if it may be. `known` replicas were made with the group, and there are `room` numbers in
 * all. A number means one replica for good: with another key it would be one that has forgotten.
 */
export function refusalOfSeat(
  { known, room }: { readonly known: number; readonly room: number },
  { seats = [] }: Seated,
  server: ReplicaId,
  about: Uint8Array,
): string | undefined {
  const seat = seats.find((each) => each.member === server);
  if (server >= room) return `there is room for replicas 0 to ${room - 1}, and ${server} is none`;
  if (server < known)
    return about.length > 0
      ? `replica ${server} was made with the group; do not tell its key`
      : undefined;
  if (seat === undefined)
    return about.length === 0
      ? `replica ${server} is not one of the ${known + seats.length} known`
      : undefined;
  if (about.length === 0 || sameBytes(seat.about, about)) return undefined;
  return (
    `replica ${server} is known with another key or address; a number is never given twice, so ` +
    'take the next one'
  );
}
