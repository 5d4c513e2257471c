/** A run as a test, for whoever wants to keep it. */
import type { VerdictWord } from '@quorumlab/checker';
import type { Scenario } from './scenario.ts';
import { headline } from './words.ts';

/** A test of vitest that runs a scenario and expects what came of it: the word and the digest. */
export function vitestOf(
  scenario: Scenario,
  { word, digest }: { readonly word: VerdictWord; readonly digest: string },
): string {
  const body = JSON.stringify(scenario, undefined, 2).replaceAll('\n', '\n  ');
  return [
    "import { runScenario, type Scenario } from 'quorumlab';",
    "import { expect, test } from 'vitest';",
    '',
    `test(${JSON.stringify(`${headline(scenario)}: ${word}`)}, () => {`,
    `  const scenario: Scenario = ${body};`,
    '  const { word, digest } = runScenario(scenario);',
    `  expect(word).toBe('${word}');`,
    `  expect(digest).toBe('${digest}');`,
    '});',
    '',
  ].join('\n');
}
