import { describe, expect, test } from 'vitest';
import { openLog, openSqliteLog } from './index.ts';
import { testRecordLog } from './testing.ts';

describe.each([
  ['files', openLog],
  ['node:sqlite', openSqliteLog],
] as const)('%s', (_, open) => {
  for (const { name, run } of testRecordLog(open)) test(name, run);
});

test('control: the suite refuses a log that forgets', async () => {
  const forgetful = testRecordLog(async (folder, options) => {
    const log = await openLog(folder, { ...options, replay: () => {} });
    return log;
  });
  const results = await Promise.allSettled(forgetful.map(({ run }) => run()));
  expect(results.filter((result) => result.status === 'rejected').length).toBeGreaterThan(5);
});
