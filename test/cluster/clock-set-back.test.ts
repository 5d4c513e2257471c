/** Clients as processes whose clocks go back, or say the same after each boot of their machine. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { submit } from '@quorumlab/cluster';
import { afterEach, expect, test } from 'vitest';
import { endAll, limitMs, started, typical } from './support/running.ts';

afterEach(endAll, limitMs);

const run = promisify(execFile);
const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const main = pathOf('../../packages/cli/src/main.ts');
const year = 365 * 24 * 3600_000;

/** What one command printed, in a process of its own with a clock of its own. */
async function command(folder: string, clock: object, operation: string): Promise<string> {
  const args = ['--import', pathOf('./support/clock.ts'), '--conditions=source', main];
  const { stdout } = await run(
    process.execPath,
    [...args, 'cluster', 'submit', '--folder', folder, '--timeout', '30s', operation],
    { env: { ...process.env, ...clock } },
  );
  return stdout;
}

test.runIf(process.env.QUORUMLAB_LONG_TESTS === '1').each(typical)(
  '%s with %i nodes runs all that a client whose clock goes back was told had run',
  async (protocol, n, options) => {
    const folder = await started({ protocol, n, options, clients: 1 });
    const clocks = [
      ...[0, -60_000, -5 * year, 5 * year, 0].map((off) => ({ CLOCK_IS_OFF_BY: `${off}` })),
      ...[1, 2, 3].map(() => ({ CLOCK_STANDS_AT: `${Date.UTC(2030, 0)}` })),
    ];
    // The very same each time, so that any mix-up would look right to its client.
    for (const clock of clocks)
      expect(await command(folder, clock, 'append log x')).toContain('stored');
    const { rows } = await submit(folder, 'get log');
    expect(rows[0]?.result).toBe('x'.repeat(clocks.length));
  },
  limitMs,
);
