import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

function quorumlab(line: string): string {
  const { stdout } = spawnSync(
    process.execPath,
    ['--conditions=source', main, ...line.split(' ')],
    { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  );
  return stdout;
}

test('demo and compare give one cost of a commit, and run says that it counts a whole run', () => {
  const compared = JSON.parse(
    quorumlab('compare raft pbft -f 1 --attack none --seeds 1 --jobs 1 --json'),
  ).cost;
  const demo = JSON.parse(quorumlab('demo --sim --json')).cost;
  const figures = ['protocol', 'counts', 'messagesPerCommit', 'signaturesPerCommit'] as const;
  const of = (rows: readonly Record<string, unknown>[]) =>
    rows.map((row) => figures.map((name) => row[name]));
  expect(of(demo)).toEqual(of(compared));
  expect(of(demo)).toEqual([
    ['raft', 'one commit', 6, 0],
    ['pbft', 'one commit', 29, 13],
  ]);
  expect(quorumlab('demo --sim')).toContain('cost: 29 messages per commit, not 6');
  const run = quorumlab('run raft');
  expect(run).toMatch(/cost .* 0 signatures/);
  expect(run).toContain('of the whole run, its elections, heartbeats and retries');
  expect(run).toContain('of one commit alone: quorumlab compare raft -n 3 -f 1');
  expect(JSON.parse(quorumlab('run raft --json')).cost[0]).toMatchObject({
    counts: 'whole run',
    signatures: 0,
  });
});
