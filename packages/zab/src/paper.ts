import type { PaperLine } from '@quorumlab/core';

/**
 * The steps of Zab by the ids that handlers pass to `ctx.line`. Steps named ℓ and f are of
 * Junqueira, Reed and Serafini, "Zab: High-performance broadcast for primary-backup systems" (DSN
 * 2011); "ZooKeeper" is Apache ZooKeeper, whose specification of Zab and whose code have what the
 * paper leaves open; "DISC 2017" is Michael et al., "Recovering Shared Objects Without Stable
 * Storage".
 */
export const paper = {
  look: {
    section: 'ZooKeeper, FastLeaderElection',
    text: 'No leader: begin a round of election, nominate oneself, and tell all others.',
  },
  'look-better': {
    section: 'ZooKeeper, FastLeaderElection',
    text: 'Another nomination is better, by current epoch, last zxid and id: adopt and repeat it.',
  },
  'look-round': {
    section: 'ZooKeeper, FastLeaderElection',
    text: 'A later round of election has begun: join it, and forget the votes of the older one.',
  },
  'look-tell': {
    section: 'ZooKeeper, FastLeaderElection',
    text: 'Another one looks for a leader: tell it whom to follow, or that its round is over.',
  },
  'look-grace': {
    section: 'ZooKeeper, FastLeaderElection',
    text: 'A quorum nominates the same: wait a moment for a better nomination.',
  },
  'look-settled': {
    section: 'ZooKeeper, FastLeaderElection',
    text: 'A quorum follows a leader that says it leads: follow it too.',
  },
  lead: {
    section: '§4.2, phase 1',
    text: 'Elected: become the prospective leader.',
  },
  'f-1-1': {
    section: '§4.2, step f.1.1',
    text: 'Elected another: follow it, and send it CEPOCH with the epoch promised last.',
  },
  'l-1-1': {
    section: '§4.2, step ℓ.1.1',
    text: 'CEPOCH of a quorum: propose NEWEPOCH with an epoch later than all of theirs.',
  },
  'f-1-2': {
    section: '§4.2, step f.1.2',
    text: 'NEWEPOCH later than what is promised: promise it, acknowledge with the own history.',
  },
  'f-1-2-leave': {
    section: 'ZooKeeper, Learner.registerWithLeader',
    text: 'NEWEPOCH no later than what another was promised: leave this leader.',
  },
  'l-1-1-leave': {
    section: 'ours',
    text: 'A follower has promised a later epoch to another: make room for a new epoch.',
  },
  'l-1-2': {
    section: '§4.2, step ℓ.1.2',
    text: 'ACK-E of a quorum: the best history among them becomes that of the epoch.',
  },
  'l-1-2-leave': {
    section: 'ZooKeeper, Leader.waitForEpochAck',
    text: 'A follower has a better history than the prospective leader: leave the lead to it.',
  },
  'l-2-1': {
    section: '§4.2, step ℓ.2.1',
    text: 'Propose NEWLEADER with the history of the epoch, as far as the follower lacks it.',
  },
  diff: {
    section: 'ZooKeeper, LearnerHandler.syncFollower',
    text: 'The follower lacks more than fits into NEWLEADER: send the first of it before.',
  },
  trunc: {
    section: 'ZooKeeper, LearnerHandler.syncFollower',
    text: 'The follower has transactions that the leader has not: have them cut off.',
  },
  snap: {
    section: 'ZooKeeper, LearnerHandler.syncFollower',
    text: 'The leader no longer holds what the follower lacks: send the state instead.',
  },
  'f-2-1': {
    section: '§4.2, step f.2.1',
    text: 'NEWLEADER of the promised epoch: make its history the own, then the epoch current.',
  },
  'f-2-1-diff': {
    section: 'ZooKeeper, Learner.syncWithLeader',
    text: 'Accept transactions of the history of the epoch; the epoch is not current yet.',
  },
  'f-2-1-trunc': {
    section: 'ZooKeeper, Learner.syncWithLeader',
    text: 'Cut off what is not in the history of the epoch, on disk too.',
  },
  'f-2-1-snap': {
    section: 'ZooKeeper, Learner.syncWithLeader',
    text: 'Get the state of the leader and make it durable.',
  },
  'f-2-1-installed': {
    section: 'ZooKeeper, Learner.syncWithLeader',
    text: 'The state is durable: it takes the place of the history up to it.',
  },
  'l-2-2': {
    section: '§4.2, step ℓ.2.2',
    text: 'ACK-LD of a quorum: the epoch is established, its history committed; send COMMIT-LD.',
  },
  'f-2-2': {
    section: '§4.2, step f.2.2',
    text: 'COMMIT-LD: deliver the history of the epoch.',
  },
  'l-3-1': {
    section: '§4.2, step ℓ.3.1',
    text: 'A command of a client: propose it under the next zxid to all that follow.',
  },
  'l-3-2': {
    section: '§4.2, step ℓ.3.2',
    text: 'A quorum has acknowledged a proposal and all before it: send COMMIT.',
  },
  'l-3-3': {
    section: '§4.2, step ℓ.3.3',
    text: 'CEPOCH when the epoch is chosen: send NEWEPOCH, and the history as it is by then.',
  },
  'l-3-4': {
    section: '§4.2, step ℓ.3.4',
    text: 'ACK-LD when the epoch is established: send COMMIT-LD, and count the follower in.',
  },
  'f-3-2': {
    section: '§4.2, step f.3.2',
    text: 'Accept proposals in the order in which they were proposed, and acknowledge them.',
  },
  'f-3-2-early': {
    section: 'ours: channels of the paper are FIFO',
    text: 'It came before what it follows: keep it until that has come.',
  },
  'f-3-3': {
    section: '§4.2, step f.3.3',
    text: 'Deliver what is committed, in the order of the history and once.',
  },
  again: {
    section: 'ours: channels of the paper lose nothing',
    text: 'A later ping was answered without this message: send it again.',
  },
  ping: {
    section: 'ZooKeeper, Leader.lead',
    text: 'A sign of life to all that follow, with how much is committed.',
  },
  'lost-leader': {
    section: '§4.2, phase 3; ZooKeeper, syncLimit',
    text: 'No word of the leader for too long: look for another.',
  },
  'lost-quorum': {
    section: '§4.2, phase 3; ZooKeeper, syncLimit',
    text: 'No quorum has answered the leader for too long: it leads no more.',
  },
  sync: {
    section: 'ZooKeeper, sync',
    text: 'Reads wait: propose a no-op for all of them.',
  },
  'sync-done': {
    section: 'ZooKeeper, sync',
    text: 'The no-op is committed: the reads may go once it is delivered.',
  },
  'sync-ask': {
    section: 'ZooKeeper, sync',
    text: 'Reads wait at one that does not lead: ask the leader, once for all of them.',
  },
  'sync-asked': {
    section: 'ZooKeeper, sync',
    text: 'A follower or observer asks for its readers: the next no-op is for them too.',
  },
  'sync-answered': {
    section: 'ZooKeeper, sync',
    text: 'The leader still led: the reads may go once what it names is delivered.',
  },
  inform: {
    section: 'ZooKeeper, Leader.inform',
    text: 'A transaction is committed: send it to the observers, which have not seen it yet.',
  },
  informed: {
    section: 'ZooKeeper, Observer.processPacket',
    text: 'INFORM: make it durable and deliver it.',
  },
  'snapshot-take': {
    section: 'ZooKeeper, snapshots',
    text: 'The state is durable up to a zxid: drop transactions before it.',
  },
  'rejoin-1': {
    section: 'not in the paper: DISC 2017',
    text: 'The disk was lost: ask all others what one may have promised, and promise nothing.',
  },
  'rejoin-2': {
    section: 'not in the paper: DISC 2017',
    text: 'A member lost its disk: tell it what was promised, and count it anew.',
  },
  'rejoin-3': {
    section: 'not in the paper: DISC 2017',
    text: 'All others have answered: promise what any of them has promised.',
  },
  'rejoin-4': {
    section: 'not in the paper: DISC 2017',
    text: 'The history is as good as the best that was heard: count as one that has it.',
  },
} satisfies Readonly<Record<string, PaperLine>>;

/** The ids of these steps. */
export type Line = keyof typeof paper;
