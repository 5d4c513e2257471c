import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { said } from '../../packages/cli/test-support/said.ts';

const guide = readFileSync(new URL('../../docs/threat-models.md', import.meta.url), 'utf8');

/** What the guide claims, row by row; what is no row of three is no claim. */
const claims = [...guide.matchAll(/^\| (.+) \| `quorumlab (.+)` \| (.+) \|$/gm)].map(
  ([, claim = '', command = '', shows = '']) => ({ claim, command, shows }),
);

test('every row of the guide has a run, and each of its parts has some that go wrong', () => {
  const rows = guide.split('\n').filter((line) => /^\| (?!claim)/.test(line));
  expect(claims.length).toBe(rows.length);
  const parts = guide.split(/^## /m).slice(1);
  expect(parts.length).toBe(3);
  for (const part of parts) {
    expect(part).toMatch(/\| ✓ ok \|/);
    expect(part).toMatch(/\| ✗ forked \|/);
  }
});

test.each(claims)('$claim: $command', async ({ command, shows }) => {
  const { out, code } = await said(command);
  expect(out).toContain(shows);
  // What the guide shows is what the protocols claim, also where something goes wrong.
  expect(code).toBe(0);
});
