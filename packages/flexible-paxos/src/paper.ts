import type { PaperLine } from '@quorumlab/core';
import { paper as multiPaxosPaper } from '@quorumlab/multi-paxos';

/**
 * The steps of Flexible Paxos by the ids that handlers pass to `ctx.line`: those of Multi-Paxos,
 * and one of ours. Howard, Malkhi and Spiegelman, "Flexible Paxos" (2016), change no step: that
 * quorums of phase 1 and of phase 2 are two systems (§3) is all.
 */
export const paper = {
  ...multiPaxosPaper,
  'first-quorums': {
    section: 'ours, after §3',
    text: 'Write down with which quorums the log begins; from there on only the log changes them.',
  },
} satisfies Readonly<Record<string, PaperLine>>;

/** The ids of these steps. */
export type Line = keyof typeof paper;
