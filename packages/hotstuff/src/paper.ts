import type { PaperLine } from '@quorumlab/core';

/**
 * The steps of the family by the ids that handlers pass to `ctx.line`. Sections are of Yin et al.,
 * "HotStuff" (PODC '19); "Jolteon" is Gelashvili et al. (FC '22).
 */
export const paper = {
  propose: {
    section: '§5',
    text: 'The leader of the view proposes a block that extends the highest certified one.',
  },
  vote: {
    section: '§5',
    text: 'A replica votes once a view, to the leader of the next one, if the rules allow it.',
  },
  qc: {
    section: '§5',
    text: 'The leader has votes of a quorum for one block: they are its certificate.',
  },
  'phase-pre-commit': {
    section: '§4, PRE-COMMIT',
    text: 'Basic: the leader shows the prepareQC of its view to all.',
  },
  'vote-pre-commit': {
    section: '§4, PRE-COMMIT',
    text: 'Basic: a replica that has the prepareQC of its view votes to pre-commit.',
  },
  'phase-commit': {
    section: '§4, COMMIT',
    text: 'Basic: the leader shows the precommitQC of its view to all.',
  },
  'vote-commit': {
    section: '§4, COMMIT',
    text: 'Basic: a replica that is locked on the precommitQC of its view votes to commit.',
  },
  'phase-decide': {
    section: '§4, DECIDE',
    text: 'Basic: the leader shows the commitQC of its view to all, who execute.',
  },
  'qc-high': {
    section: '§5',
    text: 'A certificate of a higher view than all before: remember it.',
  },
  lock: {
    section: '§5',
    text: 'Lock on what the certificate shows, so that no vote goes to a branch without it.',
  },
  commit: {
    section: '§5',
    text: 'The commit rule holds for a block: execute it and its ancestors, oldest first.',
  },
  timeout: {
    section: 'Jolteon, figure 2',
    text: 'The leader has been too slow: vote no more up to this view, and say so to all.',
  },
  'timeout-join': {
    section: 'Jolteon, figure 2',
    text: 'f+1 members have given up later views: join them.',
  },
  tc: {
    section: 'Jolteon, figure 2',
    text: 'A quorum has given up the view, and all certificates that they knew are here.',
  },
  'advance-qc': {
    section: 'Jolteon, figure 2',
    text: 'A certificate of this view or a later one begins the view after it.',
  },
  'advance-tc': {
    section: 'Jolteon, figure 2',
    text: 'A timeout certificate of this view or a later one begins the view after it.',
  },
  'sync-fetch': {
    section: 'ours',
    text: 'A block that a certificate names is not here: ask those who signed it.',
  },
  'sync-park': {
    section: 'ours',
    text: 'A proposal waits until the block that it extends is here.',
  },
  'sync-block': {
    section: 'ours',
    text: 'A fetched block has the digest that was asked for.',
  },
  'next-set': {
    section: 'ours',
    text: 'A change of the group is committed: the next epoch begins behind its block.',
  },
  'show-sets': {
    section: 'ours',
    text: 'A replica that knows fewer sets of validators is shown each by the one before.',
  },
  checkpoint: {
    section: 'ours',
    text: 'Every K blocks, say what the state has become.',
  },
  stable: {
    section: 'ours',
    text: 'f+1 members have the same state; let go of the blocks before it.',
  },
  'state-fetch': {
    section: 'ours',
    text: 'A replica that lacks those blocks gets the state instead.',
  },
  'state-installed': {
    section: 'ours',
    text: 'The state was checked against the certificate.',
  },
  restart: {
    section: 'ours',
    text: 'A replica begins again with what is on its disk.',
  },
  status: {
    section: 'ours',
    text: 'Say again what was said, and where this replica stands.',
  },
  idle: {
    section: 'ours',
    text: 'A replica that misses nothing says where it stands all the same.',
  },
} satisfies Readonly<Record<string, PaperLine>>;

/** The ids of these steps. */
export type Line = keyof typeof paper;
