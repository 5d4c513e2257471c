/**
 * Changing the group: chapter 4 of Ongaro's thesis, with its erratum of 2015. A client's request
 * that holds what `encodeChange` makes comes to the leader, as commands do.
 *
 * ```text
 * latest                  whoever has a configuration in its log goes by the latest one (4.1)
 *                         upon a wish for C_new at the leader:
 * change-wait               ignore it until an entry of currentTerm is committed (erratum)
 * change-refuse             if C_old is not committed, or C_new is no group: answer why
 * catch-up-1                servers that are new to the vote get the log first, in rounds (4.2.1):
 *                           a round ends when they have what the log had when it began
 * catch-up-2                one that took an election timeout or longer is followed by another
 * catch-up-3                after ten rounds, or without progress: answer why, and forget it
 * single                    one voter more or less, or none: append C_new
 * joint-1                   else: append C_old,new; the majorities of both groups decide (4.3)
 * joint-2                 upon C_old,new committed at a leader of any term: append C_new
 * leave                   upon C_new committed at a leader that is not in it: step down (4.2.2)
 * snapshot-configuration  a snapshot holds the configuration at its last index (thesis 5.1)
 * ```
 */
import { assert, type ReplicaId, type Request, requestKey, type Signed } from '@quorumlab/core';
import {
  type ChangeWish,
  type Configuration,
  decodeWish,
  isJoint,
  type Placed,
  seatedBy,
  settled,
  wantedBy,
} from './configuration.ts';
import {
  append,
  mayAppend,
  noteAudience,
  pipelineOf,
  replicateTo,
  sendHeartbeats,
} from './leader.ts';
import { lastIndex } from './log.ts';
import { type Index, refusalLimit } from './messages.ts';
import { maybeAllowReads } from './read-index.ts';
import type { CatchUp, Context, Replica } from './state.ts';
import { becomeFollower } from './term.ts';
import { transferTo } from './transfer.ts';

/** Rounds in which a new server may catch up (thesis 4.2.1). */
const mostRounds = 10;

/** So many election timeouts a new server may be silent, or get no further. */
const patience = { silent: 10, stuck: 200 } as const;

/** The configuration that the leader goes by, and where it stands. */
const latest = ({ configurations }: Replica): Placed => configurations.at(-1) as Placed;

/** What came of a request that leaves the group as it is is part of the log, for its session. */
function answer(leader: Replica, command: Signed<Request>, why: string, ctx: Context): void {
  ctx.line('change-refuse');
  const refusal = `the group stays as it is: ${why}`.slice(0, refusalLimit);
  append(leader, { command, refusal }, ctx);
}

/** A client asks for another group. */
export function changeGroup(leader: Replica, command: Signed<Request>, ctx: Context): void {
  const { group } = ctx;
  if (leader.role !== 'leader') return;
  const wish = decodeWish(command.configuration ?? new Uint8Array());
  if (wish?.kind === 'transfer') return transferTo(leader, command, wish.to, ctx);
  if (leader.transfer !== null || !mayAppend(group, leader, command)) return;
  const { catchUp } = leader;
  if (catchUp !== null && requestKey(catchUp.command) === requestKey(command)) return;
  if (!group.rules.mayChange(leader)) return ctx.line('change-wait');
  const refuse = (why: string): void => answer(leader, command, why, ctx);
  if (wish === undefined) return refuse('it cannot be read');
  if (group.isFixed) return refuse('its quorums were set by hand');
  if (catchUp !== null)
    return refuse(`an earlier change waits for ${named(catchUp.servers)} to catch up`);
  const { index, configuration } = latest(leader);
  if (index > leader.commitIndex || isJoint(configuration))
    return refuse(`an earlier change, entry ${index} of the log, is on its way; wait for it`);
  const wanted =
    wish.kind === 'seat'
      ? seatedBy(wish, configuration, group.known, group.members.length)
      : wantedBy(wish, configuration, group.known);
  if ('refusal' in wanted) return refuse(wanted.refusal);
  const newcomers = wanted.next.voters.filter((id) => !configuration.voters.includes(id));
  if (newcomers.length === 0) return appendChange(leader, command, wanted.next, ctx);
  begin(leader, command, newcomers, ctx);
}

const named = (servers: readonly ReplicaId[]): string =>
  `server${servers.length === 1 ? '' : 's'} ${servers.join(', ')}`;

/** From the moment at which it is in the log the configuration counts (thesis 4.1). */
function appendChange(
  leader: Replica,
  command: Signed<Request>,
  configuration: Configuration,
  ctx: Context,
): void {
  ctx.line(isJoint(configuration) ? 'joint-1' : 'single');
  append(leader, { command, configuration }, ctx);
}

/** Servers that are new to the vote get the log first: else nothing might commit until they do. */
function begin(
  leader: Replica,
  command: Signed<Request>,
  servers: readonly ReplicaId[],
  ctx: Context,
): void {
  ctx.line('catch-up-1');
  const goal = lastIndex(leader);
  const { now } = ctx;
  leader.catchUp = {
    command,
    servers,
    goal,
    round: 1,
    roundBegan: now,
    least: 0,
    leastSince: now,
  };
  noteAudience(leader, goal, ctx);
  for (const id of servers) replicateTo(leader, id, ctx);
  ctx.setTimer('catch-up', ctx.group.heartbeat);
  goOn(leader, ctx);
}

const leastOf = ({ matchIndex }: Replica, { servers }: CatchUp): Index =>
  Math.min(...servers.map((id) => matchIndex.get(id) ?? 0));

/** A new server has acknowledged something, or time has passed: the change may be due. */
export function goOn(leader: Replica, ctx: Context): void {
  for (;;) {
    const { catchUp } = leader;
    if (catchUp === null) return;
    const least = leastOf(leader, catchUp);
    if (least < catchUp.goal) {
      if (least > catchUp.least) leader.catchUp = { ...catchUp, least, leastSince: ctx.now };
      return;
    }
    // What has come since takes about as long as this round did: nobody waits longer for a commit.
    if (ctx.now - catchUp.roundBegan < ctx.group.electionTimeout)
      return caughtUp(leader, catchUp, ctx);
    if (catchUp.round >= mostRounds)
      return giveUp(
        leader,
        `${named(catchUp.servers)} did not catch up in ${mostRounds} rounds: each took longer ` +
          'than an election timeout',
        ctx,
      );
    ctx.line('catch-up-2');
    const goal = lastIndex(leader);
    leader.catchUp = { ...catchUp, goal, round: catchUp.round + 1, roundBegan: ctx.now };
  }
}

function caughtUp(leader: Replica, { command }: CatchUp, ctx: Context): void {
  leader.catchUp = null;
  ctx.clearTimer('catch-up');
  const wish = decodeWish(command.configuration ?? new Uint8Array()) as ChangeWish;
  const wanted = wantedBy(wish, latest(leader).configuration, ctx.group.members.length);
  assert('next' in wanted, 'the group has changed while new servers caught up');
  appendChange(leader, command, wanted.next, ctx);
}

function giveUp(leader: Replica, why: string, ctx: Context): void {
  const { catchUp } = leader;
  if (catchUp === null) return;
  ctx.line('catch-up-3');
  leader.catchUp = null;
  ctx.clearTimer('catch-up');
  noteAudience(leader, lastIndex(leader), ctx);
  answer(leader, catchUp.command, why, ctx);
}

/** `upon catch-up timeout`: looks whether the new servers still get on. */
export function catchUpTimeout(leader: Replica, ctx: Context): void {
  const { group } = ctx;
  goOn(leader, ctx);
  const { catchUp } = leader;
  if (catchUp === null) return;
  const { servers, roundBegan, leastSince, goal } = catchUp;
  const isLate = (since: number, timeouts: number): boolean =>
    ctx.now - since > timeouts * group.electionTimeout;
  const silent = servers.filter((id) =>
    isLate(pipelineOf(leader, id).heardAt ?? roundBegan, patience.silent),
  );
  if (silent.length > 0) return giveUp(leader, `${named(silent)} did not answer; is it up?`, ctx);
  if (isLate(leastSince, patience.stuck)) {
    const least = leastOf(leader, catchUp);
    const stuck = servers.filter((id) => (leader.matchIndex.get(id) ?? 0) === least);
    const where = `has stayed at entry ${least} of ${goal} for too long`;
    return giveUp(leader, `${named(stuck)} ${where}`, ctx);
  }
  ctx.setTimer('catch-up', group.heartbeat);
}

/**
 * Something was committed. If the latest configuration is among it, whoever left hears of it; a
 * joint one is followed by C_new, whoever began it; and a leader that has left makes room.
 */
export function settleGroup(leader: Replica, ctx: Context): void {
  const { group } = ctx;
  const { index, configuration } = latest(leader);
  if (index > leader.commitIndex) return;
  if (isJoint(configuration)) {
    if (!group.rules.mayChange(leader) || leader.transfer !== null) return;
    ctx.line('joint-2');
    return append(leader, { command: null, configuration: settled(configuration) }, ctx);
  }
  if (leader.settled >= index) return;
  leader.settled = index;
  const { everyone, voters } = group.electorateOf(configuration);
  const isLeaving = !voters.includes(ctx.self);
  const hasLeft = (id: ReplicaId): boolean =>
    !everyone.includes(id) && leader.catchUp?.servers.includes(id) !== true;
  if (isLeaving || leader.followers.some(hasLeft)) {
    sendHeartbeats(leader, ctx);
    noteAudience(leader, lastIndex(leader), ctx);
  }
  // Whoever is left may have answered already: nobody else will.
  if (!isLeaving) return maybeAllowReads(leader, ctx);
  ctx.line('leave');
  // Nobody has to wait until it is missed (thesis 3.10).
  const successor = voters.find((id) => group.rules.mayHandOver(leader, id));
  if (successor !== undefined)
    ctx.send(successor, { kind: 'timeout-now', term: leader.currentTerm });
  becomeFollower(leader, null, ctx);
}
