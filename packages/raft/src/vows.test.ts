/** What a liar says instead: always something that its first word forbids, and never a no-op. */
import { command } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type RaftMessage, raft } from './index.ts';

const protocol = raft({ n: 3 });
const lies = (message: RaftMessage, known = [command('y'), command('z')]): RaftMessage[] =>
  [0, 1, 2, 3].map((fork) => protocol.conflict?.(message, fork, known) ?? message);
const broken = (message: RaftMessage, other: RaftMessage): boolean => {
  const said = new Map(protocol.vows?.(message));
  return [...(protocol.vows?.(other) ?? [])].some(
    ([about, what]) => said.has(about) && said.get(about) !== what,
  );
};

describe('a broken vow of Raft', () => {
  test('is a vote for each of the others in turn', () => {
    const vote = { kind: 'vote', term: 4, candidate: 1, granted: true } as const;
    expect(lies(vote)).toEqual([2, 0, 2, 0].map((candidate) => ({ ...vote, candidate })));
    for (const lie of lies(vote)) expect(broken(vote, lie)).toBe(true);
  });

  test('is no refusal, nothing of a group of one, and no message that promises nothing', () => {
    const refusal = { kind: 'vote', term: 4, candidate: 1, granted: false } as const;
    expect([...(protocol.vows?.(refusal) ?? [])]).toEqual([]);
    expect(lies(refusal)).toEqual(Array(4).fill(refusal));
    const granted: RaftMessage = { kind: 'pre-vote-reply', term: 4, granted: true };
    expect([...(protocol.vows?.(granted) ?? [])]).toEqual([]);
    expect(lies(granted)).toEqual(Array(4).fill(granted));
    const own = { kind: 'vote', term: 1, candidate: 0, granted: true } as const;
    expect(raft({ n: 1 }).conflict?.(own, 0, [])).toBe(own);
  });

  test('is another group in one entry, also where nobody has asked for it', () => {
    const part = { term: 2, prevIndex: 7, prevTerm: 1, leaderCommit: 0, round: 0 };
    const group = (voters: readonly number[]) =>
      ({
        ...part,
        kind: 'append-entries',
        entries: [
          { term: 2, command: null, configuration: { voters, outgoing: [], learners: [] } },
        ],
      }) as const;
    expect(broken(group([0, 1]), group([0, 2]))).toBe(true);
    expect(broken(group([0, 1]), group([0, 1]))).toBe(false);
    const answer = (refusal: string) =>
      ({
        ...part,
        kind: 'append-entries',
        entries: [{ term: 2, command: command('x'), refusal }],
      }) as const;
    expect(broken(answer('no'), answer(''))).toBe(true);
  });

  test('is another command in each entry that has one', () => {
    const entries = [
      { term: 2, command: null },
      { term: 2, command: command('x') },
    ];
    const part = { term: 2, prevIndex: 7, prevTerm: 1, leaderCommit: 0, round: 0 };
    const message = { kind: 'append-entries', ...part, entries } as const;
    const known = [command('y'), command('z'), command('x')];
    const said = new Set<unknown>();
    for (const each of [lies(message, known), lies(message, []), lies(message, [command('x')])])
      for (const lie of each) {
        expect(broken(message, lie)).toBe(true);
        if (lie.kind !== 'append-entries') throw new Error('it is another kind');
        expect(lie).toMatchObject({ ...part, entries: [entries[0], { term: 2 }] });
        said.add(lie.entries[1]?.command);
      }
    expect(said).toContain(known[0]);
    expect(said).toContain(known[1]);
    const silent = { ...message, entries: entries.slice(0, 1) };
    expect(lies(silent)).toEqual(Array(4).fill(silent));
  });
});
