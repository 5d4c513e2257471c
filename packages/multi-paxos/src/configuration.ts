/**
 * Who decides a slot: §3 of "Paxos Made Simple", where the configuration is part of the state that
 * commands change. A change chosen at slot s governs from slot s + α on, so whoever proposes at a
 * slot knows its configuration once everything up to α slots before is executed.
 */
import {
  decode,
  encode,
  type Field,
  integer,
  list,
  type Phases,
  QuorumError,
  type ReplicaId,
  record,
  requireOverlap,
  SchemaError,
  type Slot,
  text,
} from '@quorumlab/core';

/** What a client asks for: the members of the group from now on, and how many make a quorum. */
export interface Change {
  /** Ascending, each a number below the n of the options. */
  readonly members: readonly ReplicaId[];
  /** Read by the `quorums` of the options; empty: as they are without being told. */
  readonly quorums: string;
}

/** A configuration, and the first slot that it governs; it does so up to the next one. */
export interface Configuration extends Change {
  readonly fromSlot: Slot;
}

/** The quorums of a group that has these members. Throws QuorumError if there are none. */
export type Quorums = (members: readonly ReplicaId[], quorums: string) => Phases;

/** Most members of a group. */
export const membersLimit = 1024;

const change: Field<Change> = record({
  members: list(integer(membersLimit), membersLimit),
  quorums: text(256),
});

/** Ascending: the one that governs the first unchosen slot, and the one that comes, if any. */
export const configurations: Field<readonly Configuration[]> = list(
  record({
    members: list(integer(membersLimit), membersLimit),
    quorums: text(256),
    fromSlot: integer(),
  }),
  4,
);

/** A member list, or sizes of quorums, that no group can have. */
export class ConfigurationError extends RangeError {
  override readonly name: string = 'ConfigurationError';
}

/**
 * What a client submits to change the group: see `Request.configuration`. Throws
 * {@link ConfigurationError} for a group that nobody could be in.
 */
export function encodeChange(members: readonly ReplicaId[], quorums = ''): Uint8Array {
  const ascending = [...new Set(members)].sort((first, second) => first - second);
  if (ascending.length === 0)
    throw new ConfigurationError('a group needs members; name at least one of the present ones');
  if (ascending.some((each) => !(Number.isInteger(each) && each >= 0 && each < membersLimit)))
    throw new ConfigurationError(
      `members are numbers from 0 to ${membersLimit - 1}, and these are not: ${members.join(', ')}`,
    );
  return encode(change, { members: ascending, quorums });
}

/** What stands in a command, or nothing if no honest client made it. */
function decodeChange(bytes: Uint8Array): Change | undefined {
  try {
    return decode(change, bytes);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

/** What a configuration command came to: the group after it, and why if that is the same. */
export interface Outcome {
  readonly configurations: readonly Configuration[];
  readonly refusal?: string;
}

/** What a group's membership hangs on: the part of the options that says who can be a member. */
export interface Universe {
  readonly members: readonly ReplicaId[];
  readonly alpha: number;
  readonly quorums: Quorums;
  /** The first slot that a change chosen at `slot` governs. */
  governs(slot: Slot, alpha: number): Slot;
}

/**
 * Executes a configuration command at `slot`. A function of the log alone, so all replicas agree.
 * Whatever is refused changes nothing.
 */
export function execute(
  universe: Universe,
  current: readonly Configuration[],
  slot: Slot,
  command: Uint8Array,
): Outcome {
  const wanted = decodeChange(command);
  const refusal =
    wanted === undefined ? 'it cannot be read' : refusalOf(universe, current, slot, wanted);
  if (wanted === undefined || refusal !== undefined)
    return { configurations: current, refusal: `the group stays as it is: ${refusal}` };
  const { members, quorums } = wanted;
  const fromSlot = universe.governs(slot, universe.alpha);
  const next: Configuration = Object.freeze({ members: Object.freeze(members), quorums, fromSlot });
  // With α = 1 the group that is replaced has no slot left.
  const before = universe.alpha === 1 ? [] : since(current, slot + 1);
  return { configurations: Object.freeze([...before, next]) };
}

function refusalOf(
  { members: known, quorums }: Universe,
  current: readonly Configuration[],
  slot: Slot,
  wanted: Change,
): string | undefined {
  const last = current.at(-1) as Configuration;
  const { members } = wanted;
  if (members.length === 0) return 'a group needs members';
  const stranger = members.find((each) => !known.includes(each));
  if (stranger !== undefined) return `replica ${stranger} is not one of the ${known.length} known`;
  if (members.some((each, i) => i > 0 && each <= (members[i - 1] as ReplicaId)))
    return 'its members are not in ascending order';
  if (last.fromSlot > slot)
    return `an earlier change takes effect at slot ${last.fromSlot}; wait for it`;
  if (!members.some((each) => last.members.includes(each)))
    return 'nobody of the present group is in it, so nobody in it need know the log';
  return quorumsRefused(quorums, wanted);
}

/** Why these quorums cannot decide anything safely, if so. */
export function quorumsRefused(
  quorums: Quorums,
  { members, quorums: told }: Change,
): string | undefined {
  try {
    requireOverlap(quorums(members, told));
    return undefined;
  } catch (error) {
    if (error instanceof QuorumError) return error.message;
    throw error;
  }
}

/** The configurations that govern slots from `slot` on. */
export function since(all: readonly Configuration[], slot: Slot): readonly Configuration[] {
  let first = 0;
  while (first + 1 < all.length && (all[first + 1] as Configuration).fromSlot <= slot) first += 1;
  return first === 0 ? all : all.slice(first);
}

/** The configuration that governs `slot`. */
export function governing(all: readonly Configuration[], slot: Slot): Configuration {
  let found = all[0] as Configuration;
  for (let i = 1; i < all.length; i++) {
    const next = all[i] as Configuration;
    if (next.fromSlot <= slot) found = next;
  }
  return found;
}

/** What snapshots hold of the group. */
export const encodeConfigurations = (all: readonly Configuration[]): Uint8Array =>
  encode(configurations, all);

/** The opposite of {@link encodeConfigurations}; nothing for bytes that no honest replica made. */
export function decodeConfigurations(bytes: Uint8Array): readonly Configuration[] | undefined {
  try {
    const all = decode(configurations, bytes);
    return all.length === 0 ? undefined : Object.freeze(all.map(frozen));
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

/** Frozen values are shared and never copied, so what is worked out for one is found again. */
export const frozen = ({ members, quorums, fromSlot }: Configuration): Configuration =>
  Object.freeze({ members: Object.freeze([...members]), quorums, fromSlot });
