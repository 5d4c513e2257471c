/** One step of the paper, in our words. */
export interface PaperLine {
  /** Where it stands in the paper; "ours" where the paper leaves it open. */
  readonly section: string;
  readonly text: string;
}

/**
 * The lines that Flexible Paxos adds to those of Multi-Paxos, by the ids that handlers pass to
 * `ctx.line`: Howard, Malkhi and Spiegelman, "Flexible Paxos" (2016). That quorums of phase 1 and
 * of phase 2 are two systems (§3) is no step of its own.
 */
export const paper: Readonly<Record<string, PaperLine>> = {
  'first-quorums': {
    section: 'ours, after §3',
    text: 'Write down with which quorums the log begins; from there on only the log changes them.',
  },
};
