import type { PaperLine } from '@quorumlab/core';

/**
 * The steps by the ids that handlers pass to `ctx.line`. Sections are those of Chan and Shi,
 * "Streamlet: Textbook Streamlined Blockchains" (AFT 2020; ePrint 2020/088).
 */
export const paper = {
  propose: {
    section: 'section 3, Propose',
    text: 'The leader of the epoch proposes a block on the longest notarized chain it has seen.',
  },
  vote: {
    section: 'section 3, Vote',
    text: 'Vote for the first proposal of the epoch if it extends one of the longest such chains.',
  },
  notarize: {
    section: 'section 3, notarized',
    text: 'A block that has the votes of a quorum is notarized.',
  },
  finalize: {
    section: 'section 3, Finalize',
    text: 'Of three adjacent notarized blocks of consecutive epochs, all but the last are final.',
  },
  echo: {
    section: 'section 3, implicit echoing',
    text: 'What one has seen is sent to whoever says that it has seen less.',
  },
  epoch: {
    section: 'section 2, epochs; how they end is ours',
    text: 'An epoch begins: the last one has a notarized block, or is over for a quorum.',
  },
  over: {
    section: 'ours',
    text: 'The time of the epoch is over, and nothing is notarized in it: say so.',
  },
  repeat: {
    section: 'ours: its links lose nothing',
    text: 'The epoch is not over, and what was said in it may be lost: say it again.',
  },
  join: {
    section: 'ours',
    text: 'An epoch is over for f+1 members: say so too.',
  },
  relay: {
    section: 'ours',
    text: 'Tell the others of requests that clients have sent here.',
  },
  ask: {
    section: 'ours',
    text: 'Others have seen more: tell one of them where this replica stands.',
  },
  'catch-up': {
    section: 'ours',
    text: 'A notarized block from one who has seen it, with its votes.',
  },
  checkpoint: {
    section: 'ours',
    text: 'Every K heights, say what the state has become.',
  },
  stable: {
    section: 'ours',
    text: 'A quorum has the same state; let go of the blocks before the last but one such.',
  },
  'state-fetch': {
    section: 'ours',
    text: 'A replica that lacks the blocks before a stable state gets the state instead.',
  },
  'state-installed': {
    section: 'ours',
    text: 'The state was checked against the certificate.',
  },
  restart: {
    section: 'ours',
    text: 'A replica begins again with what is on its disk.',
  },
  idle: {
    section: 'ours',
    text: 'A replica that misses nothing says where it stands all the same.',
  },
} satisfies Readonly<Record<string, PaperLine>>;

/** The ids of these steps. */
export type Line = keyof typeof paper;
