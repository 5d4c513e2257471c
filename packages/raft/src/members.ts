/**
 * Which configurations a server has in its log (thesis 4.1): they come with entries, go with
 * entries that are cut off, and are done with once a later one is committed.
 */
import { type PrincipalId, type ReplicaId, type Roster, range } from '@quorumlab/core';
import { type Configuration, decodeConfiguration, frozen, type Placed } from './configuration.ts';
import { electorate, type Group } from './group.ts';
import type { Entry, Index } from './messages.ts';
import { type Context, configurationsIn, type Pipeline, placed, type Replica } from './state.ts';

/** An entry is in the log now: if it holds a configuration, that is in force (thesis 4.1). */
export function noteEntry(
  replica: Replica,
  index: Index,
  { configuration }: Entry,
  ctx: Context,
): void {
  if (configuration === undefined) return;
  ctx.line('latest');
  replica.configurations = [...replica.configurations, placed(index, frozen(configuration))];
}

/** Entries from `index` on are cut off, and what they said of the group with them. */
export function noteCut(replica: Replica, index: Index): void {
  const { configurations } = replica;
  if ((configurations.at(-1) as Placed).index < index) return;
  replica.configurations = configurations.filter((each) => each.index < index);
}

/** Everything up to commitIndex is committed: no earlier configuration can come back. */
export function noteCommitted(replica: Replica): void {
  const { configurations, commitIndex } = replica;
  const after = configurations.findIndex(({ index }) => index > commitIndex);
  const last = after < 0 ? configurations.length - 1 : after - 1;
  if (last > 0) replica.configurations = configurations.slice(last);
}

/** The group is what the snapshot at `index` says of it, and what the log says after it. */
export function noteSnapshot(
  group: Group,
  replica: Replica,
  index: Index,
  configuration: Configuration | null,
): void {
  const first = placed(index, configuration === null ? group.initial : configuration);
  replica.configurations = [first, ...configurationsIn(replica.log, index)];
}

/** What a snapshot says of the group; null: it has never been changed. */
export function configurationOf(
  replica: Replica,
  index: Index,
  bytes: Uint8Array | undefined,
): Configuration | null {
  if (bytes === undefined) return null;
  // Only a liar's snapshot cannot be read; a member that trusts it has worse to fear.
  return decodeConfiguration(bytes) ?? configurationAt(replica, index);
}

/** The configuration that holds at `index`, which is committed. */
export function configurationAt({ configurations }: Replica, index: Index): Configuration {
  let found = configurations[0] as Placed;
  for (const each of configurations) if (each.index <= index) found = each;
  return found.configuration;
}

/** Every server that there is, as far as this one knows: who was made with the group or came. */
export function acquaintances(group: Group, replica: Replica): readonly ReplicaId[] {
  const { seats = [] } = latestOf(replica);
  const cameLater = seats.map(({ member }) => member).filter((id) => id < group.members.length);
  return [...range(group.known), ...cameLater];
}

/** Whether servers have come that were not made with the group. */
export const hasSeats = (replica: Replica): boolean => (latestOf(replica).seats ?? []).length > 0;

const latestOf = ({ configurations }: Replica): Configuration =>
  (configurations.at(-1) as Placed).configuration;

const rosters = new WeakMap<readonly Placed[], Map<boolean, Roster>>();

/** Who is in the group, for hosts: whoever may still count is in it. */
export function roster(group: Group, { configurations, commitIndex }: Replica): Roster {
  const latest = configurations.at(-1) as Placed;
  const settled = configurations.length === 1 && latest.index <= commitIndex;
  let known = rosters.get(configurations);
  if (known === undefined) rosters.set(configurations, (known = new Map()));
  let found = known.get(settled);
  if (found !== undefined) return found;
  const voters = new Set<ReplicaId>();
  const everyone = new Set<ReplicaId>();
  for (const { configuration } of configurations) {
    const electorate = group.electorateOf(configuration);
    for (const id of electorate.voters) voters.add(id);
    for (const id of electorate.everyone) everyone.add(id);
  }
  found = Object.freeze({
    voters: ascending(voters),
    learners: ascending([...everyone].filter((id) => !voters.has(id))),
    seats: latest.configuration.seats ?? [],
    left: latest.configuration.left ?? [],
    settled,
  });
  known.set(settled, found);
  return found;
}

const ascending = (ids: Iterable<ReplicaId>): readonly ReplicaId[] =>
  Object.freeze([...ids].sort((one, two) => one - two));

/** Whether this server elects and commits. */
export const isVoter = (group: Group, replica: Replica, id: ReplicaId): boolean =>
  electorate(group, replica).voters.includes(id);

/**
 * Whether this server may be needed as a leader (thesis 4.2.2): it votes, or did until a change of
 * which it does not know that it is committed. Then nobody else may be able to complete that.
 */
export const mayLead = (group: Group, replica: Replica, id: ReplicaId): boolean =>
  isVoter(group, replica, id) ||
  replica.configurations.some(({ configuration }) =>
    group.electorateOf(configuration).voters.includes(id),
  );

/**
 * Whom a leader sends to: everybody in a configuration that may count, so that those who leave hear
 * of it, and those who are to come.
 */
export function audience(group: Group, leader: Replica, self: ReplicaId): readonly ReplicaId[] {
  const servers = new Set<ReplicaId>(leader.catchUp?.servers);
  for (const { configuration } of leader.configurations)
    for (const id of group.electorateOf(configuration).everyone) servers.add(id);
  servers.delete(self);
  return [...servers].sort((one, two) => one - two);
}

/** How a leader begins to feed a follower. */
export const newPipeline = (): Pipeline => ({
  probing: true,
  inFlight: [],
  heardAt: null,
  ackedRound: 0,
  grantedAt: null,
  told: 0,
});

/** Whether `from` is another member of the group. Clients and strangers are not. */
export const isPeer = (from: PrincipalId, ctx: Context): boolean =>
  from !== ctx.self && from < ctx.group.members.length;
