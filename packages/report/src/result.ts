/** What a command found out, as the document that `--json` prints. */
import type { VerdictWord } from '@quorumlab/checker';
import type { ProtocolCost, RunCost, Scenario, VerdictRow } from '@quorumlab/harness';

export { rowName } from './name.ts';

/** The schema of results. */
export const resultSchema = 'quorumlab.result/1';

/** What one commit costs in the steady state, for comparisons. */
export interface SteadyCostRow extends ProtocolCost {
  /** Nothing but one commit: what lies between two answers of a group without faults. */
  readonly counts: 'one commit';
  readonly messagesPerCommit: number;
  readonly bytesPerCommit: number;
  /** Signatures made, and checked, by all nodes and the client. */
  readonly signaturesPerCommit: number;
  readonly verificationsPerCommit: number;
  readonly syncsPerCommit: number;
}

/** An attack of `--attack all` that was not run. */
export interface LeftOut {
  readonly attack: string;
  readonly why: string;
}

/** What was wrong, and what to do: the content of the document that `--json` prints of an error. */
export interface Failure {
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  readonly exit: number;
}

/** Everything that a command found out; the text says no more than this. */
export interface Result {
  readonly schema: typeof resultSchema;
  readonly engine: string;
  readonly command: string;
  readonly crypto: string;
  readonly scenario: Scenario | readonly Scenario[];
  readonly verdicts: readonly VerdictRow[];
  readonly cost: readonly (RunCost | SteadyCostRow)[];
  /** What one commit costs in larger groups too, where that was asked for. */
  readonly growth?: readonly SteadyCostRow[];
  /** The word that the command line expected of every verdict; absent: what is claimed. */
  readonly expect?: VerdictWord;
  /** Cells whose word is not to be expected, where many were compared. */
  readonly unexpected?: number;
  /** Attacks that were asked for and cannot be run as asked; absent if there are none. */
  readonly leftOut?: readonly LeftOut[];
  /** What could not be written; absent if all was. */
  readonly errors?: readonly Failure[];
  /** What is here is what was known when a signal ended the command; absent if none did. */
  readonly stopped?: string;
  readonly exit: number;
}
