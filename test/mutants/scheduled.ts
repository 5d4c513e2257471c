/**
 * The wrong variants that are not hunted by seeds, and why random worlds do not reach what they do
 * wrong. Each has a schedule (among the exhibits of its package), which `exhibits.test.ts` plays.
 */

/** It only costs time: in worlds that heal, and whose delays are drawn, everything ends well. */
const onlySlow = 'it costs progress for as long as one schedule goes on, and random worlds heal';
/** It takes a liar who makes one message for it: those of random worlds spoil, hide and repeat. */
const craftedLie = 'it takes a liar who makes one message for this rule, of parts that are true';
/** It takes one order of messages between several leaders, each of which gets only so far. */
const oneOrder = 'it takes leaders in one order, each of which reaches one replica and no other';

/** The worlds of the hunts are of one group, and of clients that ask it for nothing but work. */
const noChanges = 'the worlds of these hunts never change their group, nor who leads it';

/** Nobody has left: and whoever does would have to vote on, for what the others do not. */
const noFormer =
  'it takes a liar who has left and votes on, in the very epoch that does not count it; and the ' +
  'worlds of these hunts never change their group';

/** By protocol and rule. */
export const scheduled: Readonly<Record<string, string>> = {
  'basic-paxos/ballot-reuse':
    'it takes a proposer that crashes between two proposals which reach different acceptors',
  'basic-paxos/wrong-value-rule': oneOrder,
  'basic-paxos/most-frequent-value': oneOrder,
  'basic-paxos/highest-value': oneOrder,
  'basic-paxos/learner-mixes-ballots': oneOrder,
  'multi-paxos/alpha-ignored': noChanges,
  'multi-paxos/first-value': oneOrder,
  'multi-paxos/snapshot-without-configuration': noChanges,
  'multi-paxos/lease-forgotten':
    'it takes an acceptor that restarts and elects another within the moment of its lease',
  'multi-paxos/lease-from-answer':
    'it takes an answer that is late by most of a lease, and a leader who is cut off just then',
  'flexible-paxos/live-resize': 'its quorums are changed by hand at one replica after another',
  'epaxos/ballot-overwrite': oneOrder,
  'epaxos/no-validation':
    'it takes a leader that dies when one replica of five has heard of its command',
  'epaxos/no-back-pressure': onlySlow,
  'raft/no-prevote': onlySlow,
  'raft/no-checkquorum': onlySlow,
  'raft/readindex-without-noop':
    'it takes a read in the moment between an election and the first entry of its term',
  'zab/longest-history': oneOrder,
  'zab/zxid-alone': oneOrder,
  'zab/old-epoch-commit': oneOrder,
  'zab/join-hole': 'it takes a follower that joins while a proposal is between two others',
  'zab/uncut-log':
    'it takes a follower whose history is cut, and which starts again before more comes',
  'zab/stale-leader-read': 'it takes a read in the moment in which two lead, of different epochs',
  'zab/rejoin-as-new': 'it takes a lost disk of the one follower that a commit was counted by',
  'zab/unconfirmed-sync':
    'it takes a read at one that still follows a leader which has been replaced',
  'zab/informs-early':
    'it takes a proposal that only an observer hears of, before its leader is lost',
  'raft/lease-forgotten':
    'it takes a voter that restarts and elects another within the moment in which its lease lasts',
  'raft/single-change-2015': noChanges,
  'raft/joint-union-majority': noChanges,
  'raft/joint-new-majority': noChanges,
  'raft/change-at-commit': noChanges,
  'raft/removed-disrupts': noChanges,
  'raft/timeout-now-unchecked': noChanges,
  'raft/lease-survives-transfer': noChanges,
  'raft/snapshot-without-configuration': noChanges,
  'raft/follower-reads-alone': 'the clients of these hunts ask the leader for their reads',
  'pbft/viewchange-no-proof': craftedLie,
  'pbft/newview-unchecked': craftedLie,
  'pbft/older-certificate-wins': oneOrder,
  'pbft/fixed-timeouts': onlySlow,
  'pbft/join-rule-one': onlySlow,
  'pbft/join-rule-none': onlySlow,
  'pbft/timer-restarts': onlySlow,
  'pbft/local-copy-executes':
    'it takes a client who signs two requests with one sequence: those of random worlds are honest',
  'pbft/checkpoint-unproven': craftedLie,
  'pbft/reads-at-once': 'the groups of these hunts order their reads, as they do unless told',
  'pbft/reads-of-f+1': 'the groups of these hunts order their reads, as they do unless told',
  'pbft/tentative-f+1-replies':
    'it takes a liar who replies in the place of one that is not prepared, and a view that is lost',
  'pbft/read-tentative-state':
    'the groups of these hunts order their reads, as they do unless told',
  'pbft/new-view-without-acks': 'the groups of these hunts sign what they say',
  'pbft/decide-without-A2': 'the groups of these hunts sign what they say',
  'pbft/former-votes': noFormer,
  'pbft/change-at-next-checkpoint':
    'it takes a number that is decided in the window behind a change, while all who could tell ' +
    'of it are away; and the worlds of these hunts never change their group',
  'hotstuff/no-lock': oneOrder,
  'hotstuff/two-phase-livelock': onlySlow,
  'hotstuff/two-chain-old-lock': oneOrder,
  'hotstuff/non-consecutive-commit': oneOrder,
  'hotstuff/no-dummy-blocks': oneOrder,
  'hotstuff/tc-without-highqc-check': craftedLie,
  'hotstuff/vote-amnesia':
    'it takes a crash between two votes of one view, and a leader who proposes twice in it',
  'hotstuff/duplicate-signers': craftedLie,
  'hotstuff/skipped-commit-phase': oneOrder,
  'hotstuff/lock-on-prepare': onlySlow,
  'hotstuff/never-unlocks': oneOrder,
  'hotstuff/view-inflation': craftedLie,
  'hotstuff/former-votes': noFormer,
  'hotstuff/uncommitted-set':
    'it takes a change of the group whose block is certified and then given up; and the worlds ' +
    'of these hunts never change their group',
  'tendermint/no-lock': oneOrder,
  'tendermint/no-unlock': oneOrder,
  'tendermint/no-valid-value': onlySlow,
  'tendermint/nil-polka-unlock': oneOrder,
  'tendermint/trust-valid-round': craftedLie,
  'tendermint/wrong-polka-round': craftedLie,
  'tendermint/mixed-round-precommits': oneOrder,
  'tendermint/hidden-lock': onlySlow,
  'tendermint/first-vote-only': onlySlow,
  'tendermint/no-future-bound': 'it takes a liar who fills the memory, and worlds are not weighed',
  'tendermint/lock-amnesia': oneOrder,
  'tendermint/vote-amnesia':
    'it takes a crash between two votes of one round, and a proposer who proposes twice in it',
  'tendermint/skip-rule-one': onlySlow,
  'tendermint/fixed-timeouts': onlySlow,
  'tendermint/former-votes': noFormer,
  'streamlet/two-block-finality': oneOrder,
  'streamlet/any-notarized': oneOrder,
  'streamlet/chain-amnesia': oneOrder,
  'streamlet/vote-amnesia':
    'it takes a crash between two votes of one epoch, and a leader who proposes twice in it',
  'minbft/counter-gaps': craftedLie,
  'minbft/commits-not-carried': craftedLie,
  'minbft/never-leaves': onlySlow,
  'streamlet/no-future-bound': 'it takes a liar who fills the memory, and worlds are not weighed',
};
