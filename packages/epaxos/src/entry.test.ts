/** What a group takes, what it makes of that, and what it tells laboratories and disks. */
import { drawTimeout, type EntryOption, type Random } from '@quorumlab/core';
import { testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { oneOfEach } from '../test/messages.ts';
import { entry } from './entry.ts';
import { type Epaxos, type EpaxosOptions, epaxos } from './index.ts';

function groupOf(options: EpaxosOptions): object {
  const group: Partial<Epaxos['Group']> = epaxos(options).group ?? {};
  const { rules: _, schemas: __, ...rest } = group;
  return rest;
}

describe('options', () => {
  test('what is not told follows from the size of the group', () => {
    expect(groupOf({ n: 5 })).toEqual({
      n: 5,
      f: 2,
      e: 2,
      members: [0, 1, 2, 3, 4],
      recoveryTimeout: 300_000,
      fastPathWait: 10_000,
      snapshotEvery: 1_000,
      pipeline: 8,
      maxCommandsPerInstance: 1_024,
      maxBytesPerInstance: 2 ** 20,
      maxWaiting: 65_536,
      window: 2_128,
      ownBytes: Math.floor(2 ** 26 / 5),
    });
  });

  test('what is told is what it has', () => {
    const told = {
      n: 7,
      f: 2,
      e: 1,
      recoveryTimeout: 100_001,
      snapshotEvery: 10,
      pipeline: 64,
      maxCommandsPerInstance: 1,
      maxBytesPerInstance: 600_000,
      maxWaiting: 1,
    };
    expect(groupOf(told)).toMatchObject({ ...told, fastPathWait: 3_334, window: 148 });
    expect(groupOf({ n: 3, fastPathWait: 1 })).toMatchObject({ fastPathWait: 1 });
  });

  test('all that can be open at a time fits into one set of dependencies', () => {
    for (const n of [1, 3, 15, 16, 128])
      expect(groupOf({ n, snapshotEvery: 10_000 })).toMatchObject({
        window: Math.min(20_128, Math.floor(2 ** 17 / (4 * n))),
      });
  });

  test.each<[EpaxosOptions, string]>([
    [{ n: 0 }, 'n is 0; use an integer of 1 or more and 128 or less'],
    [{ n: 129 }, 'n is 129; use an integer of 1 or more and 128 or less'],
    [{ n: 3, f: -1 }, 'f is -1; use an integer of 0 or more'],
    [{ n: 3, e: -1 }, 'e is -1; use an integer of 0 or more'],
    [{ n: 3, recoveryTimeout: 9 }, 'recoveryTimeout is 9; use an integer of 10 or more'],
    [{ n: 3, fastPathWait: 0 }, 'fastPathWait is 0; use an integer of 1 or more'],
    [{ n: 3, snapshotEvery: 10_001 }, 'use an integer of 1 or more and 10000 or less'],
    [{ n: 3, pipeline: 0 }, 'pipeline is 0; use an integer of 1 or more and 64 or less'],
    [{ n: 3, maxCommandsPerInstance: 0 }, 'use an integer of 1 or more and 1024 or less'],
    [{ n: 3, maxCommandsPerInstance: 1_025 }, 'use an integer of 1 or more and 1024 or less'],
    [{ n: 3, maxWaiting: 0 }, 'maxWaiting is 0; use an integer of 1 or more'],
    [{ n: 3, maxBytesPerInstance: 1 }, 'maxBytesPerInstance is 1; use an integer of'],
    [{ n: 6, f: 3 }, 'the 3 left are no majority of 6, so use 7 or more, or f = 2 or less'],
    [{ n: 3, f: 1, e: 2 }, 'than the slow one; use e = 1 or less'],
    [{ n: 5, f: 0, e: 1 }, 'use e = 0 or less'],
    [{ n: 9, f: 4, e: 4 }, '9 members cannot commit on the fast path with 4 down and survive 4'],
    [{ n: 9, f: 4, e: 4 }, 'that takes 2e+f-1 = 11; use e = 3 or less'],
  ])('%o is refused', (options, sentence) => {
    expect(() => epaxos(options)).toThrow(sentence);
  });

  test('the most that is allowed is', () => {
    for (const [f, e] of [
      [4, 3],
      [3, 3],
      [2, 2],
      [0, 0],
    ] as const)
      expect(groupOf({ n: 9, f, e })).toMatchObject({ f, e });
    expect(groupOf({ n: 9, f: 3 })).toMatchObject({ e: 3 });
    expect(groupOf({ n: 128, recoveryTimeout: 10, snapshotEvery: 10_000 })).toMatchObject({
      f: 63,
    });
    expect(groupOf({ n: 3, f: 3, e: 3, unsafe: true })).toMatchObject({ f: 3, e: 3 });
  });
});

test('every message and every part of the disk, and how large each may be', async () => {
  const { messages, stored } = epaxos({ n: 3, maxBytesPerInstance: 600_000 });
  const lines = [
    ...messages.kinds.map(({ type, maxBytes }) => `${type}: ${maxBytes} bytes`),
    '',
    ...Object.entries(stored).map(([name, { type, maxBytes }]) => {
      return `${name} ${type}: ${maxBytes} bytes`;
    }),
  ];
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../test/runs/messages.txt');
});

describe('what laboratories are told', () => {
  const { options = {}, small, drawn, commits } = entry;

  test('the usual value of an option is the one that a group has', () => {
    const group = groupOf({ n: 3 });
    for (const [name, option] of Object.entries(options)) {
      expect(option).toMatchObject({ kind: 'number' });
      const { usual } = option as EntryOption;
      if (usual === undefined) continue;
      const scale = usual.endsWith('ms') ? 1_000 : 1;
      expect(group).toMatchObject({ [name]: Number.parseInt(usual, 10) * scale });
    }
  });

  test('what is drawn for random worlds is narrow or wide, and a group takes it', () => {
    const draws = (random: Random, narrow: boolean, f: number): object => {
      const values = drawn?.(random, 'lan', { n: 2 * f + 1, f, narrow } as never) ?? {};
      expect(() => epaxos({ n: 2 * f + 1, ...values })).not.toThrow();
      return values;
    };
    const least: Random = { below: () => 0 };
    const most: Random = { below: (limit) => limit - 1 };
    const [soon, late] = [drawTimeout(least, 'lan'), drawTimeout(most, 'lan')];
    expect(draws(least, false, 2)).toEqual({
      recoveryTimeout: soon,
      e: 1,
      snapshotEvery: 3,
      pipeline: 1,
      maxCommandsPerInstance: 1,
    });
    expect(draws(most, false, 2)).toEqual({
      recoveryTimeout: late,
      snapshotEvery: 1000,
      pipeline: 8,
      maxCommandsPerInstance: 1024,
    });
    expect(draws(least, true, 0)).toEqual({
      recoveryTimeout: soon,
      snapshotEvery: 1,
      pipeline: 1,
      maxCommandsPerInstance: 1,
      maxWaiting: 1,
    });
    expect(draws(most, true, 1)).toEqual({
      recoveryTimeout: late,
      snapshotEvery: 3,
      pipeline: 2,
      maxCommandsPerInstance: 2,
      maxWaiting: 16,
    });
  });

  test('a commit is what tells that commands are committed', () => {
    for (const message of oneOfEach(0, 0)) {
      const texts = commits?.(message).length;
      expect(texts, message.kind).toBe(message.kind === 'commit' ? 1 : 0);
    }
    expect(small).toEqual({ snapshotEvery: 2 });
    expect(entry.right({ n: 3, f: 1, digest: testDigest }).name).toBe('epaxos');
  });
});

describe('what a group tells its hosts', () => {
  const { claims, client, limitedBy, counter, termWord, version } = epaxos({ n: 3 });

  test('for whom it is, and whom clients ask', () => {
    expect([version, termWord]).toEqual([1, 'ballot']);
    expect({ ...claims, replicas: [1, 2].map((faults) => claims.replicas(faults)) }).toEqual({
      faults: 'crash',
      replicas: [3, 5],
      order: 'conflicts',
    });
    expect(client).toEqual({ matching: 1, ask: 'any', stays: true, signed: false });
  });

  test('which option makes room for a message that is too large', () => {
    const withValues = oneOfEach(0, 0).filter((message) => 'value' in message);
    expect(Object.keys(limitedBy ?? {})).toEqual(withValues.map(({ kind }) => kind));
    expect(new Set(Object.values(limitedBy ?? {}))).toEqual(new Set(['maxBytesPerInstance']));
  });

  test('of which ballot a message speaks', () => {
    for (const message of oneOfEach(4, 0)) {
      const expected = message.kind === 'nack' ? 14 : 'ballot' in message ? 4 : 0;
      expect(counter?.said(message), message.kind).toBe(expected);
    }
  });
});
