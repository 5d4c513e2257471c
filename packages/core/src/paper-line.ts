/** One step of a paper, in our words: what a protocol's handlers name by `ctx.line`. */
export interface PaperLine {
  /** Where it stands: § of the protocol's paper, or another source by its name; 'ours': nowhere. */
  readonly section: string;
  readonly text: string;
}
