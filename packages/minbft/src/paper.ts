import type { PaperLine } from '@quorumlab/core';

/**
 * The steps of MinBFT by the ids that handlers pass to `ctx.line`. Sections are of Veronese et al.,
 * "Efficient Byzantine Fault Tolerance" (IEEE Transactions on Computers 62, 2013).
 */
export const paper = {
  relay: {
    section: '§5.1',
    text: 'A backup that gets a request passes it to the primary and waits.',
  },
  prepare: {
    section: '§5.1',
    text: 'The primary gives a batch the next position, under its next number.',
  },
  commit: {
    section: '§5.1',
    text: 'A backup takes the PREPARE in the order of its numbers and says COMMIT.',
  },
  execute: {
    section: '§5.1',
    text: 'f+1 have voted for it: execute it once everything before has been executed.',
  },
  checkpoint: {
    section: '§5.3',
    text: 'Every K batches, say what the state has become.',
  },
  stable: {
    section: '§5.3',
    text: 'With the same checkpoint from f+1, let go of what was said before it.',
  },
  'state-fetch': {
    section: '§5.3',
    text: 'A replica that lacks a stable checkpoint gets the state from the others.',
  },
  'state-installed': {
    section: '§5.3',
    text: 'The state has been checked against the certificate and installed.',
  },
  'req-view-change': {
    section: '§5.2',
    text: 'A request has waited too long: ask for the next view.',
  },
  'view-change': {
    section: '§5.2',
    text: 'f+1 ask for a later view: leave this one.',
  },
  'new-view': {
    section: '§5.2',
    text: 'The new primary has heard VIEW-CHANGEs of f+1: begin the view with them.',
  },
  enter: {
    section: '§5.2',
    text: 'A NEW-VIEW is good: what it orders again follows from what was heard.',
  },
  jump: {
    section: 'ours',
    text: 'f+1 say from which number on a member is heard; nobody has what was before.',
  },
  restored: {
    section: 'ours',
    text: 'A replica without its disk has back what others have heard it say.',
  },
  restart: {
    section: 'ours',
    text: 'A replica begins again with what is on its disk, and says it again.',
  },
  status: {
    section: 'ours',
    text: 'Nothing goes on: say where this replica stands.',
  },
  idle: {
    section: 'ours',
    text: 'A replica that misses nothing says where it stands all the same.',
  },
} satisfies Readonly<Record<string, PaperLine>>;

/** The ids of these steps. */
export type Line = keyof typeof paper;
