import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VerdictRow } from '@quorumlab/harness';
import type { Result, SteadyCostRow } from '@quorumlab/report/result';
import { afterAll, expect, test } from 'vitest';
import { type Said, said } from '../test-support/said.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab-compare-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quorumlab = (line: string): Promise<Said> => said(line, {}, folder);

type Comparison = Result & { cost: readonly SteadyCostRow[]; unexpected: number };

const attacks = 'none,split,equivocating-leader,f+1-traitors';
const line = `compare raft pbft -f 1 --attack ${attacks} --seeds 12`;
const one: Comparison = JSON.parse((await quorumlab(`${line} --jobs 1 --json`)).out);
const cell = (protocol: string, attack: string): VerdictRow =>
  one.verdicts.find((row) => row.protocol === protocol && row.attack === attack) as VerdictRow;

test('one liar forks Raft and not PBFT, one more forks both, and none of it is unexpected', () => {
  expect(one).toMatchObject({ schema: 'quorumlab.result/1', exit: 0, unexpected: 0 });
  expect(one.verdicts).toHaveLength(8);
  for (const protocol of ['raft', 'pbft']) {
    expect(cell(protocol, 'none')).toMatchObject({ word: 'ok', hits: 0, runs: 12, upper95: 25 });
    expect(cell(protocol, 'split')).toMatchObject({ word: 'ok', hits: 0, fired: 12 });
    expect(cell(protocol, 'f+1-traitors')).toMatchObject({ word: 'forked', expected: true });
  }
  expect(cell('raft', 'equivocating-leader')).toMatchObject({ word: 'forked', expected: true });
  expect(cell('pbft', 'equivocating-leader')).toMatchObject({ word: 'ok', hits: 0, fired: 12 });
  expect(cell('pbft', 'f+1-traitors').counterexample?.culprits).toEqual([0, 1]);
});

test('the result does not depend on how many threads there are', async () => {
  expect(JSON.parse((await quorumlab(`${line} --jobs 3 --json`)).out)).toEqual(one);
});

test('each counterexample is small, replays from its file, and names its first run', async () => {
  const found = one.verdicts.flatMap(({ counterexample }) => counterexample ?? []);
  expect(found).toHaveLength(3);
  for (const { trace, replay, first, shrunk, events } of found) {
    expect(existsSync(join(folder, trace as string))).toBe(true);
    const again = await quorumlab(replay.replace('quorumlab ', ''));
    expect(again.out).toContain('identical');
    expect(again.code).toBe(0);
    expect(shrunk?.after).toBe(events);
    expect(events).toBeLessThan((shrunk?.before as number) / 2);
    const run = JSON.parse(
      (await quorumlab(`${first?.replay.replace('quorumlab ', '')} --json`)).out,
    );
    expect(run.verdicts[0].counterexample.events).toBe(first?.events);
  }
});

test('the text says the verdict first, fits 100 columns, says all that the JSON says', async () => {
  const { out, code } = await quorumlab(`${line} --ascii`);
  expect(code).toBe(0);
  expect(out.split('\n')[0]).toBe('OK 0 unexpected   2 protocols, 4 attacks, 12 seeds each, f=1');
  expect(out).not.toMatch(/[✓✗⚠…]/);
  expect(out).toContain('ok = no violation in 12 seeds (true rate below 25.00 %');
  for (const text of out.split('\n'))
    if (!text.includes('events  quorumlab')) expect(text.length, text).toBeLessThanOrEqual(100);
  for (const { word, counterexample } of one.verdicts) {
    expect(out).toContain(word);
    if (counterexample === undefined) continue;
    for (const part of [counterexample.sentence, counterexample.replay, counterexample.rule])
      expect(out).toContain(part);
    expect(out).toContain(counterexample.first?.replay);
  }
  const table = out.slice(out.indexOf('One commit without faults'));
  for (const cost of one.cost) {
    const row = table.split('\n').find((text) => text.trim().startsWith(cost.protocol)) as string;
    const { messagesPerCommit, signaturesPerCommit, verificationsPerCommit } = cost;
    for (const value of [messagesPerCommit, signaturesPerCommit, verificationsPerCommit])
      expect(row.split(/ +/)).toContain(String(value));
  }
});

test('the cost half is exact: PBFT pays with three phases what Raft saves', () => {
  const [raft, pbft] = one.cost;
  expect(raft).toMatchObject({ protocol: 'raft', n: 3, messagesPerCommit: 6, delaysToReply: 4 });
  expect(raft).toMatchObject({ signatures: 'channel', signaturesPerCommit: 0 });
  expect(pbft).toMatchObject({ protocol: 'pbft', n: 4, messagesPerCommit: 29, delaysToReply: 5 });
  expect(pbft).toMatchObject({ signatures: 'ed25519', signaturesPerCommit: 13 });
});

test('shrink makes a long trace short, keeps what goes wrong, and says what it did', async () => {
  const long = 'long.trace.ndjson';
  await quorumlab(`run raft -n 5 --net lossy --attack equivocating-leader --trace ${long}`);
  const { out, code } = await quorumlab(`shrink ${long} --tries 300`);
  expect(code).toBe(0);
  expect(out).toMatch(/[\d,]+ → \d+ events in \d+ tries/);
  expect(out).toMatch(/nodes +5 → 3/);
  expect(out).toContain('✗ forked, same rule as before: position');
  expect((await quorumlab('replay long.min.trace.ndjson')).out).toContain('identical');
  const told = (await quorumlab('explain long.min.trace.ndjson')).out;
  expect(told).toContain('shrunk from seed 42');
  expect(told).toContain('again     quorumlab replay long.min.trace.ndjson');
  const [before, after] = [long, 'long.min.trace.ndjson'].map(
    (file) => readFileSync(join(folder, file), 'utf8').split('\n').length,
  );
  expect(after).toBeLessThan((before as number) / 4);
  const json = JSON.parse((await quorumlab(`shrink ${long} --tries 300 --json`)).out);
  expect(out).toContain(String(json.verdicts[0].counterexample.events));
  await quorumlab('run raft --trace calm.trace.ndjson');
  const calm = await quorumlab('shrink calm.trace.ndjson');
  expect(calm.code).toBe(254);
  expect(calm.err).toContain('nothing goes wrong');
  writeFileSync(join(folder, 'other.trace.ndjson'), 'nonsense\n');
  expect((await quorumlab('shrink other.trace.ndjson')).code).toBe(3);
});

test('the commands of the README do what it says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, block = ''] = /## Comparing\n\n```sh\n([^`]+)```/.exec(readme) ?? [];
  const lines = block.split('\n').filter((each) => each !== '');
  expect(lines).toHaveLength(4);
  const printed: string[] = [];
  for (const each of lines) {
    const { out, code, err } = await quorumlab(each.replace('quorumlab ', ''));
    expect(code, `${each}: ${err}`).toBe(0);
    printed.push(out);
  }
  const [compared, , shrunk, replay] = printed;
  expect(compared).toContain('0 unexpected');
  expect(shrunk).toMatch(/events in \d+ tries/);
  expect(replay).toContain('identical');
});
