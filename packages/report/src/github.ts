/** Results as notes of GitHub's builds. */
import { expectation, type VerdictRow } from '@quorumlab/harness';
import { githubData, githubProperty } from './escape.ts';
import { rowName } from './name.ts';
import type { Result } from './result.ts';
import { replayOf, sentenceOfResult, sentenceOfRow, standingOf } from './rows.ts';

/** GitHub shows so many notes of a kind in one step, and no more. */
const mostNotes = 10;

/**
 * Workflow commands, one a line: an error for each unexpected result, a warning for each without an
 * answer, and a notice of what all comes to. Of more than GitHub shows, the last one says how many.
 */
export function githubAnnotations(result: Result): readonly string[] {
  const rows = (standing: string): readonly VerdictRow[] =>
    result.verdicts.filter((row) => standingOf(row, result) === standing);
  return [
    ...notes('error', rows('unexpected')),
    ...notes('warning', rows('open')),
    `::notice title=quorumlab::${githubData(sentenceOfResult(result))}`,
  ];
}

function notes(kind: 'error' | 'warning', rows: readonly VerdictRow[]): readonly string[] {
  const shown = rows.length > mostNotes ? rows.slice(0, mostNotes - 1) : rows;
  const rest = rows.length - shown.length;
  return [
    ...shown.map((row) => {
      const title = `${rowName(row)} n=${row.n} under ${row.attack}: ${row.word}`;
      const replay = replayOf(row);
      const lines = [
        sentenceOfRow(row),
        expectation(row),
        ...(replay === undefined ? [] : [`replay: ${replay}`]),
      ];
      return `::${kind} title=${githubProperty(title)}::${githubData(lines.join('\n'))}`;
    }),
    ...(rest === 0
      ? []
      : [`::${kind} title=quorumlab::${rest} more of these are in the summary of this step`]),
  ];
}
