import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { protocolOf } from '@quorumlab/harness';
import { serviced } from '@quorumlab/log';
import { checkGuiltProof, openGuiltProof } from '@quorumlab/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { demoReal } from './index.ts';

const limitMs = 240_000;

// Temporary files of this test alone, so that all that is left in there was left by the demo.
const before = process.env.TMPDIR;
const home = mkdtempSync(join(tmpdir(), 'quorumlab-demos-'));
beforeAll(() => {
  process.env.TMPDIR = home;
});
afterAll(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  rmSync(home, { recursive: true, force: true });
});

const left = (): readonly string[] => readdirSync(home);

/** Processes started by this one; the demo's nodes end with it and are its children. */
const children = (): readonly number[] =>
  process.getActiveResourcesInfo().flatMap((name) => (name === 'ProcessWrap' ? [1] : []));

test('one liar forks Raft and not PBFT, among real processes, and is convicted in both', {
  timeout: limitMs,
}, async () => {
  const { runs } = await demoReal();
  expect(runs.map(({ verdict }) => [verdict.protocol, verdict.word, verdict.expected])).toEqual([
    ['raft', 'forked', true],
    ['pbft', 'ok', true],
  ]);
  for (const { verdict, proofs, scenario, story, logs } of runs) {
    expect(verdict.fired).toBe(1);
    expect(logs.size).toBe(scenario.n - 1);
    expect(story.some(({ kind, seat }) => kind === 'says' && seat === 0)).toBe(true);
    expect(proofs.length).toBeGreaterThan(0);
    const protocol = protocolOf(scenario.protocol).create(scenario);
    for (const { proof, signer } of proofs) {
      expect(signer).toBe(0);
      const holds = (text: string): boolean =>
        checkGuiltProof(openGuiltProof(text), serviced(protocol)).holds;
      expect(holds(proof)).toBe(true);
      expect(holds(proof.replace(/"signature": "../, '"signature": "00'))).toBe(false);
    }
  }
  expect(runs[0]?.verdict.counterexample).toMatchObject({ rule: 'agreement', culprits: [0] });
  expect(left()).toEqual([]);
  expect(children()).toEqual([]);
});

test('a demo that is stopped half-way leaves no process and no file', {
  timeout: limitMs,
}, async () => {
  const stop = new AbortController();
  const doing: string[] = [];
  const demo = demoReal({
    protocols: ['raft'],
    signal: stop.signal,
    progress(_protocol, what) {
      doing.push(what);
      if (what.startsWith('waiting')) stop.abort(new Error('enough'));
    },
  });
  await expect(demo).rejects.toThrow('enough');
  expect(doing).not.toEqual([]);
  expect(left()).toEqual([]);
  expect(children()).toEqual([]);
});
