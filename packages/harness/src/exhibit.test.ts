import type { Stage } from '@quorumlab/core';
import { type Raft, type RaftOptions, raft } from '@quorumlab/raft';
import { expect, test } from 'vitest';
import {
  exhibit,
  narrate,
  type ProtocolEntry,
  protocolEntry,
  protocolOf,
  taleOfExhibit,
} from './index.ts';

/** Two leaders, one after the other; the first one's write is on one other server. */
function play(stage: Stage<Raft>): void {
  const among =
    (...servers: readonly number[]) =>
    ({ from, to }: { readonly from: number; readonly to: number }) =>
      servers.includes(from) && servers.includes(to);
  stage.timeout(0, 'election');
  stage.settle();
  stage.propose([0], 'Ann');
  stage.settle(among(0, 1));
  stage.crash(0);
  for (let i = 0; i < 3; i++) {
    stage.timeout(2, 'election');
    stage.settle(among(1, 2));
  }
  stage.propose([2], 'Bob');
  stage.settle(among(1, 2));
}

/** A protocol of one's own, with a mutant of one's own: who is asked for a vote gives it. */
const entry: ProtocolEntry = protocolEntry<Raft>({
  title: 'Raft, and a voter that does not look at logs.',
  right: ({ n }) => raft({ n }),
  mutants: { 'any-log': ({ n }) => raft({ n }, { upToDate: () => true }), silent: raft },
  flaws: { 'any-log': { rule: 'A voter does not look at logs.', paper: '§5.4.1' } },
  exhibits: {
    'any-log': {
      options: { n: 3 } satisfies RaftOptions,
      shows: 'forked',
      story: 'n0 and n1 commit Ann, and n1 elects n2.',
      selfAtOnce: true,
      play,
    },
  },
});

test('a mutant of one’s own is told from the right protocol by a schedule of one’s own', () => {
  const shown = exhibit(entry, 'any-log');
  expect(shown).toMatchObject({ protocol: 'raft', n: 3, f: 1, shows: 'forked' });
  expect(shown.right).toMatchObject({ word: 'ok', violation: undefined, liars: [] });
  expect(shown.wrong.word).toBe('forked');
  expect(shown.wrong.violation?.sentence).toContain('n0 committed Ann');
  expect(narrate(taleOfExhibit(shown, shown.wrong)).join(' ')).toContain(
    'with the votes of n0 and n1',
  );
});

test('the same schedule gives the same story, and another one another', () => {
  const twice = [0, 1].map(() => exhibit(protocolOf('pbft'), 'no-digest-match'));
  expect(twice[0]?.wrong.digest).toBe(twice[1]?.wrong.digest);
  expect(twice[0]?.wrong.digest).not.toBe(twice[0]?.right.digest);
});

test('a mutant without a schedule says how to look for what it does', () => {
  expect(() => exhibit(entry, 'silent')).toThrow('--attack and --seeds');
  expect(() => exhibit(entry, 'any-lag')).toThrow('Did you mean any-log?');
});
