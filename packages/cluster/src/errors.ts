import { systemSentence } from '@quorumlab/harness';

/** A cluster cannot do what was asked; the message says what to do instead. */
export class ClusterError extends Error {
  override readonly name: string = 'ClusterError';
}

/** A node's process ended instead of starting; the message holds its own last words. */
export class ClusterNodeError extends ClusterError {
  override readonly name: string = 'ClusterNodeError';
  /** Number of the replica. */
  readonly node: number;
  /** Its exit code; null if a signal ended it. */
  readonly exitCode: number | null;
  /** What it said last. */
  readonly words: string;

  constructor(node: number, exitCode: number | null, words: string) {
    super(`n${node} did not start: ${words}`);
    this.node = node;
    this.exitCode = exitCode;
    this.words = words;
  }
}

/**
 * A node has run before, and what it had written is lost or cannot be read. It must not vote as if
 * it were new; the message says how it comes back.
 */
export class LostDiskError extends ClusterError {
  override readonly name: string = 'LostDiskError';
}

/** Exit code of a node's process that ended with a {@link LostDiskError}. */
export const lostDiskExit = 253;

/** The `code` of a system error, e.g. 'ENOENT'; undefined for anything else. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

/** The sentence of whatever was thrown. */
export const sentenceOf = (error: unknown): string =>
  systemSentence(error) ?? (error instanceof Error ? error.message : String(error));
