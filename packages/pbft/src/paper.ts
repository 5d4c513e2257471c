import type { PaperLine } from '@quorumlab/core';

/**
 * The steps of PBFT by the ids that handlers pass to `ctx.line`. Sections are of Castro and Liskov,
 * "Practical Byzantine Fault Tolerance" (OSDI '99).
 */
export const paper = {
  '4.1-relay': {
    section: '§4.1',
    text: 'A backup that gets a request passes it to the primary and starts a timer.',
  },
  '4.2-pre-prepare': {
    section: '§4.2',
    text: 'The primary gives a batch the next number and tells all backups.',
  },
  '4.2-prepare': {
    section: '§4.2',
    text: 'A backup accepts the pre-prepare and says so to all.',
  },
  '4.2-commit': {
    section: '§4.2',
    text: 'With a pre-prepare and Prepares from a quorum the batch is prepared: say Commit.',
  },
  '4.2-committed-local': {
    section: '§4.2',
    text: 'With Commits from a quorum the batch is committed.',
  },
  '4.2-execute': {
    section: '§4.2',
    text: 'Execute it once everything with a lower number has been executed.',
  },
  '4.3-checkpoint': {
    section: '§4.3',
    text: 'Every K batches, say what the state has become.',
  },
  '4.3-stable': {
    section: '§4.3',
    text: 'With the same checkpoint from a quorum, discard the log up to it.',
  },
  '4.3-fetch': {
    section: '§4.3',
    text: 'A replica that lacks a stable checkpoint gets the state from the others.',
  },
  '4.3-installed': {
    section: '§4.3',
    text: 'The state has been checked against the certificate and installed.',
  },
  '4.4-timeout': {
    section: '§4.4',
    text: 'The oldest waiting request has waited too long.',
  },
  '4.4-view-change': {
    section: '§4.4',
    text: 'Stop taking part in the view; say what is stable and what is prepared.',
  },
  '4.4-new-view': {
    section: '§4.4',
    text: 'The new primary has a quorum of view-changes: compute O and begin the view.',
  },
  '4.4-enter': {
    section: '§4.4',
    text: 'A backup finds V valid and O as it computed it, enters the view and prepares O.',
  },
  '4.4-batch': {
    section: '§4.4',
    text: 'A batch that the new view orders was fetched from another replica.',
  },
  '4.4-proofs': {
    section: '§4.4',
    text: 'A backup lacks proofs of what the new view orders, and asks its primary for them.',
  },
  '4.5.2-join': {
    section: '§4.5.2',
    text: 'f+1 replicas want later views: join the smallest of them.',
  },
  '5.1.2-tentative': {
    section: 'TOCS §5.1.2',
    text: 'It is prepared and all before it is committed: say what it gives, tentatively.',
  },
  '3.2.4-ack': {
    section: 'TOCS §3.2.4',
    text: 'A view-change has come: tell the new primary which one.',
  },
  '3.2.4-new-view': {
    section: 'TOCS §3.2.4',
    text: 'What a quorum reported, and others acknowledged, is enough to choose: begin the view.',
  },
  '3.2.4-fetch': {
    section: 'TOCS §3.2.4',
    text: 'A view-change on which the new view rests is not here: ask for it.',
  },
  '3.2.4-vouched': {
    section: 'TOCS §3.2.4',
    text: 'f+1 replicas vouch for what another one has reported.',
  },
  '3.2.4-checkpoint': {
    section: 'TOCS §3.2.4',
    text: 'The new view begins at a checkpoint that is not stable here: get there first.',
  },
  '3.2.4-enter': {
    section: 'TOCS §3.2.4',
    text: 'The reports come to what the primary says: enter the view and prepare what it orders.',
  },
  'status-executed': {
    section: 'ours',
    text: 'f+1 replicas say that they have executed a batch, so it is executed here too.',
  },
  '5.1.3-read': {
    section: 'TOCS §5.1.3',
    text: 'A read is answered once everything that is prepared here has been executed.',
  },
  change: {
    section: 'ours',
    text: 'A change of the group is executed, and names the checkpoint with which its epoch ends.',
  },
  'next-epoch': {
    section: 'ours',
    text: 'The epoch has ended with a stable checkpoint; others vote from the next number on.',
  },
  'show-epochs': {
    section: 'ours',
    text: 'One in an earlier epoch is shown how each one after it began.',
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
  'status-committed': {
    section: 'ours',
    text: 'A commit certificate brings a replica up to date.',
  },
} satisfies Readonly<Record<string, PaperLine>>;

/** The ids of these steps. */
export type Line = keyof typeof paper;
