import { readdirSync, readFileSync } from 'node:fs';
import { runScenario, type Scenario } from '@quorumlab/harness';
import { expect, test } from 'vitest';

const folder = new URL('found/', import.meta.url);

// Worlds in which swarms once found a fault, named after what happened.
test.each(readdirSync(folder))('%s: it does not happen any more', (name) => {
  const scenario = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Scenario;
  const { word, violation, reasons } = runScenario(scenario);
  expect({ word, violation, reasons: reasons.filter(Boolean) }).toEqual({
    word: 'ok',
    violation: undefined,
    reasons: [],
  });
});
