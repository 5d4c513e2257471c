/** Results for build servers, as the JUnit XML that they read. */
import { expectation, type VerdictRow } from '@quorumlab/harness';
import { xml } from './escape.ts';
import { rowName } from './name.ts';
import type { Result } from './result.ts';
import {
  countsOf,
  replayOf,
  scenarioOfRow,
  sentenceOfResult,
  sentenceOfRow,
  standingOf,
} from './rows.ts';

/**
 * A suite for each protocol, a case for each attack. What is not to be expected has failed; what
 * came to no answer, or whose attack never acted, was skipped. Nothing is timed, since equal
 * results give equal files: times are 0.
 */
export function junitReport(result: Result): string {
  const names = [...new Set(result.verdicts.map(rowName))];
  const suites = names.map((name) =>
    suiteOf(
      result,
      name,
      result.verdicts.filter((row) => rowName(row) === name),
    ),
  );
  const { rows, unexpected, open } = countsOf(result);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    element('testsuites', {
      name: 'quorumlab',
      tests: rows,
      failures: unexpected,
      errors: 0,
      skipped: open,
      time: 0,
    }),
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

const element = (
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  end = '',
): string =>
  `<${name}${Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${xml(`${value}`)}"`)
    .join('')}${end}>`;

function suiteOf(result: Result, name: string, rows: readonly VerdictRow[]): string {
  const count = (standing: string): number =>
    rows.filter((row) => standingOf(row, result) === standing).length;
  const properties = [
    ['engine', result.engine],
    ['command', result.command],
    ['verdict', sentenceOfResult(result)],
    ['time', 'not measured: equal results give equal files'],
  ] as const;
  return [
    element('testsuite', {
      name,
      tests: rows.length,
      failures: count('unexpected'),
      errors: 0,
      skipped: count('open'),
      time: 0,
    }),
    '<properties>',
    ...properties.map(([key, value]) => element('property', { name: key, value }, '/')),
    '</properties>',
    ...rows.map((row) => caseOf(result, name, row)),
    '</testsuite>',
  ].join('\n');
}

function caseOf(result: Result, suite: string, row: VerdictRow): string {
  const { attack, n, f, word, runs, hits, seed, digest } = row;
  const scenario = scenarioOfRow(result, row);
  const where = scenario === undefined ? '' : `, ${scenario.network}`;
  const name = `${attack}, n=${n} f=${f}${where}`;
  const replay = replayOf(row);
  const lines = [
    sentenceOfRow(row),
    expectation(row),
    `${hits} of ${runs} runs from seed ${seed} on, digest ${digest}`,
    ...(replay === undefined ? [] : [`replay: ${replay}`]),
    ...(row.story ?? []),
  ];
  const inside = { expected: '', open: 'skipped', unexpected: 'failure' }[standingOf(row, result)];
  const message = `${word}: ${sentenceOfRow(row)}`;
  const text = xml(lines.join('\n')).replaceAll('&#10;', '\n');
  return [
    element('testcase', { classname: `quorumlab.${suite}`, name, time: 0 }),
    ...(inside === 'failure'
      ? [`${element('failure', { message, type: word })}${text}</failure>`]
      : [
          ...(inside === 'skipped' ? [element('skipped', { message }, '/')] : []),
          `<system-out>${text}</system-out>`,
        ]),
    '</testcase>',
  ].join('\n');
}
