import type { PaperLine } from '@quorumlab/core';

/**
 * The steps of Basic Paxos by the ids that handlers pass to `ctx.line`: Lamport, "Paxos Made
 * Simple" (2001). 1a to 2b are the names that "Fast Paxos" (2006) gives to the four messages.
 */
export const paper = {
  '1a': {
    section: '§2.2, phase 1 (a); §2.5',
    text: 'Choose a new number, remember it on the disk, send a prepare request to the acceptors.',
  },
  '1b': {
    section: '§2.2, phase 1 (b)',
    text: 'Promise to accept nothing numbered lower, and report the highest accepted proposal.',
  },
  '2a': {
    section: '§2.2, phase 2 (a)',
    text: 'A majority promised: propose the value reported with the highest number, or the own.',
  },
  '2b': {
    section: '§2.2, phase 2 (b)',
    text: 'Accept the proposal unless a higher number was promised, and tell all learners.',
  },
  learn: {
    section: '§2.3',
    text: 'A majority has accepted the same proposal: its value is chosen.',
  },
  nack: {
    section: '§2.2, end',
    text: 'A higher number was promised: tell the proposer, so that it gives this one up.',
  },
  'back-off': {
    section: '§2.4',
    text: 'Refused: wait at random, each time longer, so that one proposer gets its turn.',
  },
  ask: {
    section: '§2.3, end',
    text: 'A message to a learner may be lost: ask whether a value was chosen.',
  },
  told: {
    section: '§2.3',
    text: 'Another learner knows the chosen value and says so.',
  },
  read: {
    section: 'ours',
    text: 'Phase 1 found nothing accepted, or the value is chosen: the read may be answered.',
  },
  rejoin: {
    section: 'ours, after §2.2 and §2.5',
    text: 'The disk with the promises is lost: never promise, accept or propose again, only learn.',
  },
} satisfies Readonly<Record<string, PaperLine>>;

/** The ids of these steps. */
export type Line = keyof typeof paper;
