import type { PaperLine } from '@quorumlab/core';

/**
 * The steps by the ids that handlers pass to `ctx.line`. Lines are those of Algorithm 1 in Buchman,
 * Kwon and Milosevic, "The latest gossip on BFT consensus" (arXiv 1807.04938): an id begins with
 * the first line that it stands for.
 */
export const paper = {
  '11-start-round': {
    section: 'Algorithm 1, lines 11 to 13',
    text: 'StartRound: the next round, or the first one of a height, begins with its proposal.',
  },
  '14-propose': {
    section: 'Algorithm 1, lines 14 to 19',
    text: 'The proposer of the round proposes its valid value, or a new one if it has none.',
  },
  '20-timeout-propose': {
    section: 'Algorithm 1, lines 20 and 21',
    text: 'Wait for the proposal, but not longer than timeoutPropose.',
  },
  '22-prevote': {
    section: 'Algorithm 1, lines 22 to 24',
    text: 'A new value, and no lock on another one: prevote for it.',
  },
  '26-nil': {
    section: 'Algorithm 1, lines 25 to 27',
    text: 'A new value, but locked on another one, or it is not valid: prevote nil.',
  },
  '28-prevote': {
    section: 'Algorithm 1, lines 28 to 30',
    text: 'A value that had a polka in an earlier round, no earlier than the lock: prevote for it.',
  },
  '32-nil': {
    section: 'Algorithm 1, lines 31 to 33',
    text: 'A value that had a polka before this replica locked another one: prevote nil.',
  },
  '34-timeout-prevote': {
    section: 'Algorithm 1, lines 34 and 35',
    text: 'A quorum has prevoted, not for one value: wait for more, no longer than timeoutPrevote.',
  },
  '36-lock': {
    section: 'Algorithm 1, lines 36 to 41',
    text: 'A polka for the value in this round: lock it and precommit it.',
  },
  '42-valid': {
    section: 'Algorithm 1, lines 42 and 43',
    text: 'A polka for the value: it is the valid value, to be proposed again.',
  },
  '44-nil': {
    section: 'Algorithm 1, lines 44 to 46',
    text: 'A quorum has prevoted nil: precommit nil, and keep the lock.',
  },
  '47-timeout-precommit': {
    section: 'Algorithm 1, lines 47 and 48',
    text: 'A quorum has precommitted, not one value: wait for more, then begin the next round.',
  },
  '49-decide': {
    section: 'Algorithm 1, lines 49 to 54',
    text: 'Precommits of a quorum for the value in one round: decide it; the next height begins.',
  },
  '55-skip': {
    section: 'Algorithm 1, lines 55 and 56',
    text: 'f+1 members are in later rounds: begin the one that all of these have reached.',
  },
  '57-on-timeout-propose': {
    section: 'Algorithm 1, lines 57 to 60',
    text: 'No proposal came in time: prevote nil.',
  },
  '61-on-timeout-prevote': {
    section: 'Algorithm 1, lines 61 to 64',
    text: 'No value had a polka in time: precommit nil.',
  },
  '65-on-timeout-precommit': {
    section: 'Algorithm 1, lines 65 to 67',
    text: 'No value was decided in time: begin the next round.',
  },
  'gossip-polka': {
    section: 'section 2.1, Gossip communication',
    text: 'Pass the polka of the valid value on: whoever missed one of its prevotes has it now.',
  },
  relay: {
    section: 'ours',
    text: 'Tell the others of requests that clients have sent here.',
  },
  'fetch-batch': {
    section: 'ours',
    text: 'A quorum has voted for a value whose batch is not here: ask those who voted.',
  },
  batch: {
    section: 'ours',
    text: 'The batch has the digest that was asked for.',
  },
  'sync-decision': {
    section: 'ours',
    text: 'Others have decided at this height: take the value, with the precommits of a quorum.',
  },
  checkpoint: {
    section: 'ours',
    text: 'Every K heights, say what the state has become.',
  },
  stable: {
    section: 'ours',
    text: 'A quorum has the same state; let go of what was decided a window before it.',
  },
  'state-fetch': {
    section: 'ours',
    text: 'A replica that lacks the decisions before a stable state gets the state instead.',
  },
  'state-installed': {
    section: 'ours',
    text: 'The state was checked against the certificate.',
  },
  'next-set': {
    section: 'ours',
    text: 'A change was decided: its validators vote from the height after the next one on.',
  },
  'show-sets': {
    section: 'ours',
    text: 'Show the decisions that led to later sets to whoever knows an earlier one.',
  },
  restart: {
    section: 'ours',
    text: 'A replica begins again with what is on its disk.',
  },
  status: {
    section: 'ours',
    text: 'Say again what was said in this round, and where this replica stands.',
  },
  idle: {
    section: 'ours',
    text: 'A replica that misses nothing says where it stands all the same.',
  },
} satisfies Readonly<Record<string, PaperLine>>;

/** The ids of these steps. */
export type Line = keyof typeof paper;
