/**
 * Who is in the group: chapter 4 of Ongaro's thesis. A configuration stands in the log, and the
 * latest one in its log is what a server goes by, whether it is committed or not (4.1).
 */
import {
  aboutField,
  checked,
  decode,
  encode,
  type Field,
  type Infer,
  integer,
  list,
  message,
  messages,
  type OfKind,
  type ReplicaId,
  record,
  SchemaError,
  type Seated,
  sameBytes,
  seated,
  seatedBytes,
  seatedIn,
  withSeat,
} from '@quorumlab/core';

/** Most servers that one group can know: an entry with all of them fits into one append. */
export const serversLimit = 5_120;

/** Who votes, and who only listens. All lists are ascending. */
export interface Configuration extends Seated {
  /** Whose majority elects and commits; while it is joint, those of C_new. Never empty. */
  readonly voters: readonly ReplicaId[];
  /** C_old, whose majority is needed as well while the configuration is C_old,new; else empty. */
  readonly outgoing: readonly ReplicaId[];
  /** Non-voting members (4.2.1): they get the log, and count for nothing unless they vote too. */
  readonly learners: readonly ReplicaId[];
}

/** Where a configuration stands in the log; 0: before all entries. */
export interface Placed {
  readonly index: number;
  readonly configuration: Configuration;
}

/** Whether it is C_old,new: two majorities decide. */
export const isJoint = ({ outgoing }: Configuration): boolean => outgoing.length > 0;

/** C_new of a joint configuration: what its leader appends once the joint one is committed. */
export const settled = (joint: Configuration): Configuration => frozen({ ...joint, outgoing: [] });

/** Frozen values are shared and never copied, so what is worked out for one is found again. */
export const frozen = ({ voters, outgoing, learners, ...more }: Configuration): Configuration =>
  Object.freeze({
    ...seatedIn(more),
    voters: Object.freeze([...voters]),
    outgoing: Object.freeze([...outgoing]),
    learners: Object.freeze([...learners]),
  });

const isAscending = (servers: readonly ReplicaId[]): boolean =>
  servers.every((each, i) => i === 0 || each > (servers[i - 1] as ReplicaId));

const servers = list(integer(serversLimit - 1), serversLimit);

/** The encoding of a configuration, in entries, on disks and in snapshots. */
export const configurationField: Field<Configuration> = seated(
  checked(
    record({ voters: servers, outgoing: servers, learners: servers }),
    `configuration of up to ${serversLimit} servers`,
    ({ voters, outgoing, learners }) =>
      voters.length > 0 && [voters, outgoing, learners].every(isAscending)
        ? undefined
        : 'a configuration has voters, and its lists ascend',
  ),
);

/** An upper bound of its encoded size, without encoding it. */
export const configurationBytes = (of: Configuration): number =>
  9 + 2 * (of.voters.length + of.outgoing.length + of.learners.length) + seatedBytes(of);

/** How a change goes from the old group to the new one. */
export type How = 'auto' | 'single' | 'joint';

const hows: readonly How[] = ['auto', 'single', 'joint'];

/** What clients ask of the group itself. */
const wishes = messages(
  message('change', {
    voters: servers,
    learners: servers,
    leaving: servers,
    // 1: whoever is not named leaves. 0: whoever is not named stays what it is.
    only: integer(1),
    how: integer(hows.length - 1),
  }),
  message('transfer', { to: integer(serversLimit - 1) }),
  message('seat', { server: integer(serversLimit - 1), about: aboutField }),
);

/** See {@link encodeChange}, {@link encodeTransfer} and {@link encodeSeat}. */
export type Wish = Infer<typeof wishes>;

/** A wish that the group be another one. */
export type ChangeWish = OfKind<Wish, 'change'>;

/** A change of the group that no group can make. */
export class ConfigurationError extends RangeError {
  override readonly name: string = 'ConfigurationError';
}

/** What is to become of which servers. */
export interface Change {
  /** They vote from then on. Who is new gets the log first, and votes once it has it. */
  readonly voters?: readonly ReplicaId[];
  /** They get the log and count for nothing. */
  readonly learners?: readonly ReplicaId[];
  /** They leave the group. */
  readonly leaving?: readonly ReplicaId[];
  /** Whoever is not named leaves. Unless told, whoever is not named stays what it is. */
  readonly only?: boolean;
  /**
   * 'single' (4.1): the majorities of old and new group meet, so the new one counts at once; only
   * one voter may come or go. 'joint' (4.3): both majorities count for a while. 'auto', unless
   * told: single where that is allowed, else joint.
   */
  readonly how?: How;
}

/**
 * What a client submits to change the group: see `Request.configuration`. Throws
 * {@link ConfigurationError} for what no group can be.
 */
export function encodeChange(change: Change): Uint8Array {
  const { voters = [], learners = [], leaving = [], only = false, how = 'auto' } = change;
  const named = [...voters, ...learners, ...leaving];
  const strange = named.find((id) => !(Number.isInteger(id) && id >= 0 && id < serversLimit));
  if (strange !== undefined)
    throw new ConfigurationError(
      `servers are numbers from 0 to ${serversLimit - 1}, and ${strange} is none`,
    );
  if (only && voters.length === 0)
    throw new ConfigurationError('a group needs voters; name at least one of the present ones');
  if (named.length === 0)
    throw new ConfigurationError('this changes nothing; name who is to vote, learn or leave');
  const twice = named.find((id, i) => named.indexOf(id) !== i);
  if (twice !== undefined)
    throw new ConfigurationError(`server ${twice} is named twice; say once what becomes of it`);
  return encode(wishes, {
    kind: 'change',
    voters: ascending(voters),
    learners: ascending(learners),
    leaving: ascending(leaving),
    only: only ? 1 : 0,
    how: hows.indexOf(how),
  });
}

/**
 * What a client submits so that server `to` leads (thesis 3.10): see `Request.configuration`.
 * Throws {@link ConfigurationError} for what is no server.
 */
export function encodeTransfer(to: ReplicaId): Uint8Array {
  if (!(Number.isInteger(to) && to >= 0 && to < serversLimit))
    throw new ConfigurationError(
      `servers are numbers from 0 to ${serversLimit - 1}, and ${to} is none`,
    );
  return encode(wishes, { kind: 'transfer', to });
}

/**
 * What a client submits so that `server`, which nobody knew when the group was made, becomes a
 * learner: see `Request.configuration`. `about` is what the others' hosts have to know of it.
 * Throws {@link ConfigurationError} for what is no server.
 */
export function encodeSeat(server: ReplicaId, about: Uint8Array): Uint8Array {
  if (!(Number.isInteger(server) && server >= 0 && server < serversLimit))
    throw new ConfigurationError(
      `servers are numbers from 0 to ${serversLimit - 1}, and ${server} is none`,
    );
  return encode(wishes, { kind: 'seat', server, about });
}

/** What stands in a command, or nothing if no honest client made it. */
export function decodeWish(bytes: Uint8Array): Wish | undefined {
  try {
    return decode(wishes, bytes);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

const ascending = (ids: Iterable<ReplicaId>): ReplicaId[] =>
  [...new Set(ids)].sort((one, two) => one - two);

/** The group that a wish asks for, or why there can be none. */
export type Wanted = { readonly next: Configuration } | { readonly refusal: string };

/** A wish that a server becomes known, and a learner. */
export type SeatWish = OfKind<Wish, 'seat'>;

/**
 * What the group is to be once a server has come that was not made with it. A number means one
 * server for good: the same with another key would be one that has forgotten its votes. `known`:
 * how many servers were made with the group; `seats`: how many numbers there are.
 */
export function seatedBy(
  { server, about }: SeatWish,
  current: Configuration,
  known: number,
  seats: number,
): Wanted {
  const refused = (refusal: string): Wanted => ({ refusal });
  if (server < known)
    return refused(`server ${server} was made with the group; let it in without telling its key`);
  if (server >= seats)
    return refused(`there is room for the servers 0 to ${seats - 1}, and ${server} is none`);
  const before = current.seats?.find(({ member }) => member === server);
  if (before !== undefined && !sameBytes(before.about, about))
    return refused(
      `server ${server} is known with another key or address; a number is never given twice, so ` +
        'take the next one',
    );
  if ([...current.voters, ...current.learners].includes(server))
    return refused('the group is that already');
  const learners = ascending([...current.learners, server]);
  const left = current.left?.filter((id) => id !== server) ?? [];
  return { next: frozen({ ...current, learners, seats: withSeat(current, server, about), left }) };
}

/**
 * What the group is to be after `wish`: C_new at once, or C_old,new first. `known`: how many
 * servers were made with it.
 */
export function wantedBy(wish: ChangeWish, current: Configuration, known: number): Wanted {
  const refused = (refusal: string): Wanted => ({ refusal });
  const { voters, learners, leaving, only } = wish;
  const isSeated = (id: ReplicaId): boolean => current.seats?.some((s) => s.member === id) === true;
  const all = [...voters, ...learners, ...leaving];
  const stranger = all.find((id) => id >= known && !isSeated(id));
  if (stranger !== undefined)
    return refused(`server ${stranger} is not one of the ${known} known, 0 to ${known - 1}`);
  const members = new Set([...current.voters, ...current.learners]);
  const absent = leaving.find((id) => !members.has(id));
  if (absent !== undefined) return refused(`server ${absent} is not in the group`);
  const named = new Set([...voters, ...learners, ...leaving]);
  const stays = (id: ReplicaId): boolean => only === 0 && !named.has(id);
  const next = {
    voters: ascending([...voters, ...current.voters.filter(stays)]),
    learners: ascending([...learners, ...current.learners.filter(stays)]),
  };
  if (next.voters.length === 0) return refused('a group needs voters');
  const isSame = (one: readonly ReplicaId[], two: readonly ReplicaId[]): boolean =>
    one.join() === two.join();
  if (isSame(next.voters, current.voters) && isSame(next.learners, current.learners))
    return refused('the group is that already');
  if (!next.voters.some((id) => members.has(id)))
    return refused('nobody of the present group is in it, so nobody in it need know the log');
  const come = next.voters.filter((id) => !current.voters.includes(id));
  const go = current.voters.filter((id) => !next.voters.includes(id));
  const how = hows[wish.how] ?? 'auto';
  const isSingle = come.length + go.length <= 1;
  if (how === 'single' && !isSingle)
    return refused(
      `${come.length} voters come and ${go.length} go, and a single-server change is about one: ` +
        'make one change after the other, or a joint one',
    );
  const outgoing = how === 'joint' || !isSingle ? current.voters : [];
  // Who is told to leave need not be talked to any more; who is only not named may wait.
  const gone = [...(current.left ?? []), ...leaving];
  const left = ascending(gone.filter((id) => !next.voters.concat(next.learners).includes(id)));
  return { next: frozen({ ...current, ...next, outgoing, left }) };
}

/** What snapshots hold of the group. */
export const encodeConfiguration = (configuration: Configuration): Uint8Array =>
  encode(configurationField, configuration);

/** The opposite of {@link encodeConfiguration}; nothing for bytes that no honest server made. */
export function decodeConfiguration(bytes: Uint8Array): Configuration | undefined {
  try {
    return frozen(decode(configurationField, bytes));
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}
