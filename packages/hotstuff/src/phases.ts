/**
 * The phases of basic HotStuff: "HotStuff" (PODC '19), section 4, algorithm 2. A leader shows the
 * certificate of each phase of its view to all, and all vote on it to that leader: PRE-COMMIT on
 * the prepareQC, COMMIT on the precommitQC; upon the commitQC they execute. PREPARE itself, the
 * proposal, is in `pipeline.ts`.
 */
import type { Signed } from '@quorumlab/core';
import { isCertificate, learn } from './certificates.ts';
import { type Group, leaderOf } from './group.ts';
import { isVoter } from './membership.ts';
import {
  type Commit,
  type Decide,
  Phase,
  type PreCommit,
  type QuorumCertificate,
  type Vote,
} from './messages.ts';
import { type Context, endsView, hasLeft, type Replica } from './state.ts';

/** A certificate of one phase, shown by the leader of its view. */
export type Shown = PreCommit | Commit | Decide;

/** In which message a certificate of each phase is shown. */
const shownIn = ['pre-commit', 'commit', 'decide'] as const;

/** What the leader says about a certificate of its view. */
const shown = (justify: QuorumCertificate): Shown => ({
  kind: shownIn[justify.body.phase ?? Phase.prepare] as Shown['kind'],
  justify,
});

/** "as a leader: V ← votes of n − f; QC(V); broadcast Msg(phase, ⊥, QC)". */
export function show(justify: QuorumCertificate, ctx: Context): void {
  const message = shown(justify);
  ctx.line(`phase-${message.kind}`);
  ctx.broadcast(message);
}

/** matchingQC: the leader of its view shows it, in the message of its phase, and all signed it. */
export const matchingQC = (
  group: Group,
  replica: Replica,
  { from, kind, justify }: Signed<Shown>,
): boolean =>
  from === leaderOf(group, replica, justify.body.view) &&
  shownIn.indexOf(kind) === justify.body.phase &&
  isCertificate(group, replica, justify);

/** Msg(pre-commit | commit | decide, ⊥, QC): what follows is settled, whoever it came from. */
export function onShown(replica: Replica, message: Signed<Shown>, ctx: Context): void {
  if (!matchingQC(ctx.group, replica, message)) return;
  learn(replica, message.justify, ctx);
}

/** "as a replica: upon a QC of curView: send voteMsg(next phase, m.justify.node, ⊥)". */
export function maybeConfirm(replica: Replica, ctx: Context): void {
  const { view, confirmed } = replica;
  const vote = nextVote(replica);
  if (vote === undefined) return;
  if (confirmed?.view === view && confirmed.phase === vote.phase) return;
  replica.confirmed = vote;
  ctx.line(vote.phase === Phase.preCommit ? 'vote-pre-commit' : 'vote-commit');
  if (replica.lastVoted < view) ctx.save({ lastVoted: view });
  ctx.send(leaderOf(ctx.group, replica, view), vote);
}

/** The vote on the highest certificate, if that is of a phase of this view. */
export function nextVote(replica: Replica): Vote | undefined {
  const { high, view } = replica;
  if (high === null || high.body.view !== view || endsView(high.body)) return undefined;
  if (hasLeft(replica, view) || !isVoter(replica, replica.self)) return undefined;
  return { ...high.body, phase: (high.body.phase ?? Phase.prepare) + 1 };
}

/** What a leader shows again: the highest certificate of its view. */
export function ownShown(group: Group, replica: Replica): Shown | undefined {
  const { high, view, self } = replica;
  if (high === null || high.body.view !== view) return undefined;
  if (leaderOf(group, replica, view) !== self) return undefined;
  return shown(high);
}
