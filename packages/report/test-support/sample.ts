/** Results for tests, of as many rows as one needs. */
import { completeScenario, engine, protocols, type VerdictRow } from '@quorumlab/harness';
import type { Result } from '../src/result.ts';

/** A row of raft without an attack, or whatever else is told. */
export const sampleRow = (more: Partial<VerdictRow>): VerdictRow => ({
  ...{ protocol: 'raft', n: 3, f: 1, attack: 'none', seed: '42', claimed: true, word: 'ok' },
  ...{ expected: true, runs: 10, hits: 0, fired: 10, upper95: 30, digest: 'd1' },
  ...more,
});

/** A result with these rows. */
export const sampleResult = (
  verdicts: readonly VerdictRow[],
  more: Partial<Result> = {},
): Result => ({
  schema: 'quorumlab.result/1',
  engine,
  command: 'quorumlab compare raft',
  crypto: 'ideal',
  scenario: verdicts.map(({ protocol, n, f, attack, seed, options, mutant }) => ({
    ...completeScenario({ protocol: protocols[0]?.name ?? '', n, f, seed }),
    ...{ protocol, attack },
    ...(options === undefined ? {} : { options }),
    ...(mutant === undefined ? {} : { mutant }),
  })),
  verdicts,
  cost: [],
  exit: 0,
  ...more,
});
