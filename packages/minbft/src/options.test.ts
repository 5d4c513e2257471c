/** What a group is made of, what is refused with which words, and what laboratories are told. */
import * as files from 'node:fs';
import { keeper, random, testDigest } from '@quorumlab/protocol-testing';
import { expect, it } from 'vitest';
import { entry } from './entry.ts';
import type { Group } from './group.ts';
import { type MinBftOptions, minbft } from './index.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
/** Whether `lines` are those on file. */
const expectRun = (name: string, lines: readonly string[]): void =>
  expect(keep(name, (sheet) => sheet.write(...lines))).not.toBe('');

/** The group of these options in one line, or why there is none. */
function groupOf(options: Omit<MinBftOptions, 'digest'>): string {
  try {
    const made = minbft({ ...options, digest: testDigest });
    const group = made.group as Group;
    return [
      `f=${group.f} quorum=${group.quorum} members=${group.members.join()}`,
      `times=${group.requestTimeout},${group.statusPeriod}`,
      `every=${group.checkpointEvery} window=${group.window} batch=${group.maxBatch}`,
      `outstanding=${group.maxOutstanding} matching=${made.client.matching}`,
      `snapshots=${made.snapshotEvery}/${made.snapshotsKept}`,
    ].join(' ');
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

it('a group follows from its options, or is refused with what to do', () => {
  const all: readonly Omit<MinBftOptions, 'digest'>[] = [
    { n: 1 },
    { n: 2 },
    { n: 3 },
    { n: 4 },
    { n: 5 },
    { n: 5, f: 1 },
    { n: 5, f: 0 },
    { n: 5, f: 3 },
    { n: 5, f: 3, unsafe: true },
    { n: 2, f: 1 },
    { n: 3, f: -1 },
    { n: 0 },
    { n: 3, requestTimeout: 0 },
    { n: 3, requestTimeout: 3 },
    { n: 3, requestTimeout: 9 },
    { n: 3, checkpointEvery: 10 },
    { n: 3, checkpointEvery: 10, window: 10 },
    { n: 3, checkpointEvery: 10, window: 9 },
    { n: 3, checkpointEvery: 10, window: 35 },
    { n: 3, maxBatch: 0 },
    { n: 3, maxBatch: 5, maxOutstanding: 1 },
    { n: 3, maxOutstanding: 0 },
  ];
  expectRun(
    'options',
    all.map((each) => `${JSON.stringify(each)}\n  ${groupOf(each)}`),
  );
});

it('what people and laboratories are told, and the options that a seed draws for ever', () => {
  const { options, title, small } = entry;
  const drawn = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((seed) =>
    [true, false].map((narrow) => {
      const told = { n: 3, f: 1, told: {}, narrow };
      const values = entry.drawn?.(random(seed), seed % 2 === 0 ? 'lan' : 'wan', told) ?? {};
      expect(() => entry.right({ n: 3, f: 1, digest: testDigest, ...values })).not.toThrow();
      return `seed ${seed}${narrow ? ', narrow' : ''}: ${JSON.stringify(values)}`;
    }),
  );
  const { claims, passesOn, client } = entry.right({ n: 3, f: 1, digest: testDigest });
  expectRun('entry', [
    title,
    ...Object.entries(options ?? {}).map(([name, told]) => `${name}: ${JSON.stringify(told)}`),
    `small: ${JSON.stringify(small)}`,
    `claims: ${[0, 1, 2].map((f) => claims.replicas(f)).join()}, passes on ${passesOn?.join()}`,
    `clients: ${JSON.stringify(client)}`,
    ...drawn,
  ]);
});
