/** The status of a cluster of real processes, as text and as a result. */

import { upper95 } from '@quorumlab/checker';
import type { ClusterStatus, StatusRow } from '@quorumlab/cluster';
import { completeScenario, protocolOf, type VerdictRow } from '@quorumlab/harness';
import { exitCodes } from './errors.ts';
import type { Io } from './io.ts';
import { type Result, resultOf } from './result.ts';
import { verdictWord } from './words.ts';

/** A result that also holds what every node says. */
export interface StatusResult extends Result {
  readonly nodes: readonly StatusRow[];
  /** One sentence on the honest logs. */
  readonly sentence: string;
}

/** The status in the schema of all results. */
export function statusResult(status: ClusterStatus): StatusResult {
  const { config, rows, word, sentence } = status;
  const { protocol, n, f } = config;
  const by = rows.filter(({ traitor }) => traitor).map(({ node }) => node);
  const { claims } = protocolOf(protocol);
  const beyond = by.length > (claims.faults === 'crash' ? 0 : f);
  const expected = word === 'ok' || word === 'inconclusive' || beyond;
  const hits = word === 'forked' || word === 'invalid' ? 1 : 0;
  const verdict: VerdictRow = {
    protocol,
    n,
    f,
    attack: 'none',
    word,
    expected,
    claimed: !beyond,
    runs: 1,
    hits,
    fired: by.length > 0 ? 1 : 0,
    upper95: upper95(hits, 1),
    digest: rows.find(({ up, traitor }) => up && !traitor)?.digest ?? '',
    seed: 'real',
    ...(hits === 0 ? {} : { counterexample: counterexampleOf(status, by) }),
  };
  const exit =
    word === 'inconclusive'
      ? exitCodes.inconclusive
      : expected
        ? exitCodes.expected
        : exitCodes.unexpected;
  const scenario = completeScenario({
    protocol,
    n,
    f,
    crypto: config.signatures === 'ed25519' ? 'ed25519' : 'ideal',
    seed: 'real',
  });
  return {
    ...resultOf('quorumlab cluster status', scenario, [verdict], [], exit),
    crypto: config.signatures,
    nodes: rows,
    sentence,
  };
}

const counterexampleOf = (
  { disagreement, sentence, word }: ClusterStatus,
  culprits: readonly number[],
): NonNullable<VerdictRow['counterexample']> => ({
  rule: word === 'forked' ? 'agreement' : 'equal states',
  sentence,
  ...(disagreement === undefined ? {} : { slot: disagreement.slot }),
  seats: disagreement?.nodes ?? [],
  events: 0,
  seed: 'real',
  replay: 'quorumlab cluster status',
  culprits,
  proofs: [],
});

/** The status as a table and a sentence. */
export function sayStatus(io: Io, { config, rows, sentence }: ClusterStatus, result: Result): void {
  const term = protocolOf(config.protocol).claims.faults === 'crash' ? 'term' : 'view';
  const head = ['node', term, 'committed', 'digest', 'peers', 'last commit', 'note'];
  const table = [head, ...rows.map((row) => cellsOf(io, row))];
  const widths = head.map((_, i) =>
    Math.max(...table.map((cells) => [...(cells[i] ?? '')].length)),
  );
  for (const cells of table)
    io.out(
      cells
        .map((cell, i) => cell.padEnd(widths[i] as number))
        .join('  ')
        .trimEnd(),
    );
  const [verdict] = result.verdicts;
  if (verdict !== undefined) io.out(`${verdictWord(io, verdict.word)}: ${sentence}`);
  if (verdict?.expected === false)
    io.out(
      `expected: NO. ${config.protocol} n=${config.n} claims to survive this; please report it`,
    );
}

function cellsOf(io: Io, row: StatusRow): readonly string[] {
  const name = `n${row.node}${row.traitor ? io.sign('traitor') : ''}`;
  if (!row.up) return [name, '–', '–', '–', '–', '–', row.note];
  const ago = row.lastCommitMilliseconds;
  return [
    name,
    String(row.term),
    String(row.committed),
    // What a traitor says of its own state proves nothing.
    row.traitor ? '–' : (row.digest ?? ''),
    String(row.peers),
    ago === undefined ? '–' : `${ago} ms ago`,
    row.note,
  ];
}
