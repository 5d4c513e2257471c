/**
 * Whatever a protocol fills a message with has to count small operations as `operationBytes`: a
 * message of more is not written (core's `operationsIn`), and a replica that tries to say it stops.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const packages = fileURLToPath(new URL('../../packages', import.meta.url));

test('no protocol counts the requests in a message by their bytes alone', () => {
  const sources = globSync(`${packages}/*/src/*.ts`).filter(
    (path) =>
      // Core says what an entry is, and what is no message: who is served next, and what waits.
      !path.startsWith(`${packages}/core/`) &&
      !path.endsWith('.test.ts') &&
      existsSync(`${path.slice(0, path.lastIndexOf('/'))}/entry.ts`),
  );
  expect(sources.length).toBeGreaterThan(50);
  const wrong = sources.filter((path) => /\brequestBytes\b/.test(readFileSync(path, 'utf8')));
  expect(wrong, 'use requestWeight or bytesOf').toEqual([]);
});
