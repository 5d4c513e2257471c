/** Results as Markdown, for a comment or the summary of a build. */
import { judgedBy, readsWords, type VerdictRow, verdictSigns } from '@quorumlab/harness';
import { costColumns } from './cost-columns.ts';
import { markdown, markdownCode } from './escape.ts';
import { rowName } from './name.ts';
import type { Result } from './result.ts';
import {
  cellWords,
  countsOf,
  replayOf,
  sentenceOfResult,
  sentenceOfRow,
  standingOf,
  steadyCosts,
} from './rows.ts';

/** What is unexpected first, then the matrix, what a commit costs, and how to see it again. */
export function markdownReport(result: Result): string {
  const { unexpected } = countsOf(result);
  const sections = [
    [`## ${unexpected === 0 ? '✓' : '✗'} ${markdown(sentenceOfResult(result))}`],
    unexpectedSection(result),
    matrixSection(result),
    costSection(result),
    counterexampleSection(result),
    [`${markdown(result.engine)}, made by ${markdownCode(result.command)}`],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** A table with its line of dashes; the first column names the row. */
const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] => [
  line(head),
  line(head.map((_, i) => (i === 0 ? '---' : ':---'))),
  ...rows.map(line),
];

function unexpectedSection(result: Result): readonly string[] {
  const rows = result.verdicts.filter((row) => standingOf(row, result) === 'unexpected');
  if (rows.length === 0) return [];
  return ['### Unexpected', '', ...rows.map(itemOf)];
}

const itemOf = (row: VerdictRow): string => {
  const replay = replayOf(row);
  const what = `**${markdown(rowName(row))}** n=${row.n} under ${markdown(row.attack)}`;
  return (
    `- ${verdictSigns[row.word]} ${what}: ${row.word}. ${markdown(sentenceOfRow(row))}` +
    (replay === undefined ? '' : `<br>${markdownCode(replay)}`)
  );
};

function matrixSection(result: Result): readonly string[] {
  const names = [...new Set(result.verdicts.map(rowName))];
  const attacks = [...new Set(result.verdicts.map(({ attack }) => attack))];
  if (names.length === 0) return [];
  const rows = names.map((name) => {
    const own = result.verdicts.filter((row) => rowName(row) === name);
    return [
      markdown(name),
      [...new Set(own.map(({ n }) => n))].join(', '),
      ...attacks.map((attack) =>
        own
          .filter((row) => row.attack === attack)
          .map((row) => `${verdictSigns[row.word]} ${cellWords(row, standingOf(row, result))}`)
          .join('; '),
      ),
    ];
  });
  const judged = readsWords
    .filter((reads) => result.verdicts.some((row) => row.reads === reads))
    .flatMap((reads) => ['', `${judgedBy(reads)}.`]);
  const head = ['', 'n', ...attacks.map(markdown)];
  return ['### Who survives what', '', ...table(head, rows), ...judged];
}

function costSection(result: Result): readonly string[] {
  const costs = steadyCosts(result);
  if (costs.length === 0) return [];
  const rows = costs.map((cost) => [
    markdown(rowName(cost)),
    `${cost.n}`,
    ...costColumns.map(({ text }) => text(cost)),
  ]);
  const head = ['', 'n', ...costColumns.map(({ title }) => title)];
  return ['### What one commit costs', '', ...table(head, rows)];
}

function counterexampleSection(result: Result): readonly string[] {
  const rows = result.verdicts.filter(({ counterexample }) => counterexample !== undefined);
  if (rows.length === 0) return [];
  return [
    '<details>',
    `<summary>Counterexamples (${rows.length})</summary>`,
    '',
    ...rows.map(itemOf),
    '',
    '</details>',
  ];
}
