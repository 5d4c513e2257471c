/**
 * Zab: Junqueira, Reed and Serafini, "Zab: High-performance broadcast for primary-backup systems"
 * (DSN 2011). Its phases are in `looking.ts` and `election.ts` (0), `discovery.ts` (1),
 * `synchronization.ts` (2) and `broadcast.ts` with `proposals.ts` and `commit.ts` (3); what makes
 * channels FIFO in `channel.ts`; what a replica does that has lost its disk, which is not in the
 * paper, in `rejoin.ts`.
 *
 * ```text
 *                on disk: f.p (acceptedEpoch), f.a (currentEpoch), h (history of ⟨v, z⟩)
 *                z, z′ are zxids ⟨epoch, counter⟩; ℓ leads, f follows; Q is a majority
 *
 *                Phase 0, election: any oracle will do (FastLeaderElection)
 * look           upon no leader: round++; nominate ⟨f.a, last zxid, self⟩; tell all
 *                upon a nomination of one that looks:
 * look-round       of a later round: join it, forget the votes
 * look-better      higher by ⟨f.a, last zxid⟩, or of equal ones a lower id: nominate that; tell all
 * look-tell        of an older round, or not looking: answer with the own state
 * look-grace       if a majority nominates the same, and nobody a better one for a moment:
 * lead               if it is the own id: become prospective leader
 * f-1-1              else: follow it; send it CEPOCH(f.p), until NEWEPOCH comes
 * look-settled   upon a majority that follows one which says that it leads: follow it
 *
 *                Phase 1, discovery
 * l-1-1          upon CEPOCH(e) of Q at ℓ: e′ ← 1 + the largest e; send NEWEPOCH(e′) to Q
 * f-1-2          upon NEWEPOCH(e′) of ℓ: if f.p < e′: f.p ← e′; send ACK-E(f.a, h)
 * f-1-2-leave      else, if e′ was not promised to ℓ: look
 * l-1-2          upon ACK-E of Q at ℓ: h of the f in Q with the highest ⟨f.a, last zxid⟩ is that
 *                  of e′; it is ℓ's own, since
 * l-1-2-leave      if an f has a higher one: look
 *
 *                Phase 2, synchronization
 * l-2-1          send NEWLEADER(e′, h) to each f of which ACK-E came: what it lacks of h
 * trunc            before it, if f has what is not in h: TRUNC
 * diff             before it, if it is much: DIFF
 * snap             before it, if the first of it is no longer in h: SNAP
 * f-2-1-trunc    upon TRUNC(z): cut h off behind z
 * f-2-1-diff     upon DIFF(z, T): h ← h up to z, T
 * f-2-1-snap     upon SNAP(z): get the state at z;
 * f-2-1-installed  h ← that state, and what follows z
 * f-2-1          upon NEWLEADER(e′, T), if f.p = e′: h ← T; f.a ← e′; send ACK-LD
 * l-2-2          upon ACK-LD of Q at ℓ: deliver h; send COMMIT-LD to Q; phase 3 begins
 * f-2-2          upon COMMIT-LD: deliver h
 *
 *                Phase 3, broadcast
 * l-3-1          upon a command v at ℓ: z ← ⟨e′, counter + 1⟩; h ← h, ⟨v, z⟩;
 *                  send PROPOSE(e′, v, z) to all to whom NEWLEADER was sent
 * f-3-2          upon PROPOSE(e′, v, z): when z is next, h ← h, ⟨v, z⟩; send ACK(z)
 * f-3-2-early      until then keep it
 * l-3-2          upon ACK(z) of Q at ℓ: send COMMIT(z) to all of which ACK-LD came
 * f-3-3          upon COMMIT(z): deliver all of h up to z, in order
 * l-3-3          upon CEPOCH at ℓ: send NEWEPOCH(e′), then NEWLEADER(e′, h), as h is by then
 * l-1-1-leave      if another was promised e′ or more: look
 * l-3-4          upon ACK-LD at ℓ: send COMMIT-LD(the last z that is committed)
 * ping           now and then: tell all that ℓ lives, and what is committed
 * again          upon an answer to a later ping: send again what is unanswered
 * lost-leader    upon no word of ℓ for a timeout at f: look
 * lost-quorum    upon no word of Q for a timeout at ℓ: look
 * sync, sync-done  upon a read at ℓ: propose a no-op; when it is committed, the read may go
 * ```
 *
 * Beyond this page: `snapshot-take` (`snapshot.ts`); `rejoin-1` to come back without a disk, and
 * `rejoin-2`, `rejoin-3`, `rejoin-4` (`rejoin.ts`). Observers join as followers do, once an epoch
 * is established; they promise and acknowledge nothing that is counted, and get `inform`, after
 * COMMIT, in place of PROPOSE, which they deliver as `informed` (`synchronization.ts`). Reads of
 * those that do not lead: `sync-ask`, `sync-asked` and `sync-answered` (`sync.ts`).
 *
 * The roles. A leader is prospective until its epoch is established, and who follows joins until it
 * knows that:
 *
 * | from | to | when |
 * |---|---|---|
 * | | looking | it starts, with a disk |
 * | looking | prospective leader | a majority nominates it |
 * | looking | joining | a majority nominates another, or follows one that leads |
 * | joining | follower | COMMIT-LD |
 * | joining | observer | COMMIT-LD, and it has no vote |
 * | observer | looking | no word of its leader |
 * | joining | looking | no NEWEPOCH in time, or one that it must refuse |
 * | follower | looking | no word of its leader |
 * | follower | joining | its leader has started again, and leads a new epoch (rare) |
 * | prospective leader | leader | ACK-LD of a majority |
 * | prospective leader | looking | no majority answers, or one of it has a better history |
 * | leader | looking | no majority answers, or a follower has promised a later epoch |
 * | | rejoining | it starts, and its disk was lost |
 * | rejoining | looking | all others have answered |
 */
import type { Protocol } from '@quorumlab/core';
import { guards } from './admits.ts';
import { ack, commit, ping, pingTimeout, quorumTimeout } from './broadcast.ts';
import { ackEpoch, cepoch, join, newEpoch } from './discovery.ts';
import { electionTimeout, graceTimeout, onNotification } from './election.ts';
import { groupOf, isVoter, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import { propose } from './proposals.ts';
import { readAtLeader } from './read.ts';
import { askToRejoin, onRejoin, rejoin, rejoinReply, start } from './rejoin.ts';
import { type Rules, rules } from './rules.ts';
import { snap, snapshotInstalled, snapshotTaken } from './snapshot.ts';
import { firstStable, firstVolatile, stored, type Zab } from './state.ts';
import { counter, status } from './status.ts';
import { readAtFollower, sync, syncReply } from './sync.ts';
import { ackLeader, commitLeader, ordered, trunc } from './synchronization.ts';
import { conflict, vows } from './vows.ts';

/**
 * Zab for a group of `n`. Throws `OptionsError` if the group is too small for `f`, and core's
 * QuorumError if two quorums need not meet; both can be forced with `unsafe`. The second argument
 * exists for tests of what happens when a rule is wrong.
 *
 * @example
 * ```ts
 * import { simulateService } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 * import { zab } from '@quorumlab/zab';
 *
 * const group = zab({ n: 3 });
 * const { submit } = simulateService(group, { stateMachine: keyValueStore });
 * submit(kv.put('greeting', 'hello'));
 * console.log(kv.result(submit(kv.get('greeting')))); // { kind: 'value', value: the five bytes }
 * ```
 */
export function zab(options: Options, chosen: Partial<Rules> = {}): Protocol<Zab> {
  const group = groupOf(options, { ...rules, ...chosen });
  const { f, followerReads: readsAnywhere } = group;
  const { snapshotEvery = 10_000 } = options;
  return {
    name: 'zab',
    version: 2,
    claims: { faults: 'crash', replicas: (faults) => 2 * faults + 1, order: 'total' },
    members: group.members,
    group,
    f,
    client: {
      ...{ matching: 1, ask: 'leader', signed: false },
      ...(readsAnywhere ? { readsAnywhere } : {}),
    },
    messages: group.schemas.messages,
    limitedBy: {
      diff: 'maxBytesPerMessage',
      newleader: 'maxBytesPerMessage',
      propose: 'maxBytesPerMessage',
      inform: 'maxBytesPerMessage',
    },
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: (stable, self) => firstVolatile(stable, self, !isVoter(group, self)),
    start,
    rejoin,
    propose,
    read(replica, id, ctx) {
      if (replica.phase !== 'broadcast') return;
      if (replica.role === 'leading') readAtLeader(replica, id, ctx);
      else if (readsAnywhere) readAtFollower(replica, id, ctx);
    },
    on: {
      notification: onNotification,
      cepoch: cepoch,
      newepoch: newEpoch,
      'ack-e': ackEpoch,
      trunc: trunc,
      snap: snap,
      diff: ordered,
      newleader: ordered,
      'ack-ld': ackLeader,
      'commit-ld': commitLeader,
      propose: ordered,
      ack: ack,
      commit: commit,
      ping: ping,
      rejoin: onRejoin,
      'rejoin-reply': rejoinReply,
      inform: ordered,
      sync: sync,
      'sync-reply': syncReply,
    },
    admits: guards(group),
    timeout(replica, timer, ctx) {
      switch (timer) {
        case 'election':
          return electionTimeout(replica, ctx);
        case 'grace':
          return graceTimeout(replica, ctx);
        case 'join':
          return join(replica, ctx);
        case 'ping':
          return pingTimeout(replica, ctx);
        case 'quorum':
          return quorumTimeout(replica, ctx);
        case 'rejoin':
          return askToRejoin(replica, ctx);
      }
    },
    snapshotEvery,
    snapshotTaken,
    snapshotInstalled,
    status,
    termWord: 'epoch',
    counter,
    vows,
    conflict: (message, fork, known) => conflict(group, message, fork, known),
    invariant,
  };
}
