import { expect, test } from 'vitest';
import { said } from '../test-support/said.ts';

const quorumlab = async (line: string): Promise<string> => (await said(line)).out;

test('demo and compare give one cost of a commit; run says it counts a whole run', async () => {
  const compared = JSON.parse(
    await quorumlab('compare raft pbft -f 1 --attack none --seeds 1 --jobs 1 --json'),
  ).cost;
  const demo = JSON.parse(await quorumlab('demo --sim --json')).cost;
  const figures = ['protocol', 'counts', 'messagesPerCommit', 'signaturesPerCommit'] as const;
  const of = (rows: readonly Record<string, unknown>[]) =>
    rows.map((row) => figures.map((name) => row[name]));
  expect(of(demo)).toEqual(of(compared));
  expect(of(demo)).toEqual([
    ['raft', 'one commit', 6, 0],
    ['pbft', 'one commit', 29, 13],
  ]);
  expect(await quorumlab('demo --sim')).toContain('cost: 29 messages per commit, not 6');
  const run = await quorumlab('run raft');
  expect(run).toMatch(/cost .* 0 signatures/);
  expect(run).toContain('of the whole run, its elections, heartbeats and retries');
  expect(run).toContain('of one commit alone: quorumlab compare raft -n 3 -f 1');
  expect(JSON.parse(await quorumlab('run raft --json')).cost[0]).toMatchObject({
    counts: 'whole run',
    signatures: 0,
  });
});
