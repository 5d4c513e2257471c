import { range } from '@quorumlab/core';
import { raft } from '@quorumlab/raft';
import { mutants } from '@quorumlab/raft/mutants';
import { expect, test } from 'vitest';
import { protocolEntry } from '../protocol-entry.ts';
import { runScenario } from '../run.ts';
import { failureOf, type Subject, subjectsOf, swarmWorld } from './swarm.ts';

const drawn = () => ({ snapshotEvery: 3, keepEntries: 0, electionTimeout: 60_000 });
const options = { snapshotEvery: 'number', keepEntries: 'number', electionTimeout: 'number' };
const entry = (right: typeof raft) =>
  protocolEntry({
    title: 'Raft, as if it were mine.',
    right,
    drawn,
    // The kinds are the words that they are written as.
    options: options as Readonly<Record<string, 'number'>>,
  });

const mine = (right: typeof raft): Subject => {
  const [subject] = subjectsOf({ ...entry(right), name: 'mine' });
  if (subject === undefined) throw new Error('there is nothing to run');
  return subject;
};

test('a protocol that is not registered has random worlds, with options of its own', () => {
  const subject = mine(raft);
  for (const seed of range(5)) {
    expect(failureOf(subject, seed + 1)).toBeUndefined();
    const { scenario } = swarmWorld(subject, seed + 1);
    expect(scenario).toMatchObject({ protocol: 'mine', options: drawn() });
  }
});

test('a wrong one fails within few worlds, and what it says runs the world again', () => {
  const subject = mine(mutants['truncate-on-stale-append'] as typeof raft);
  const failures = range(25).flatMap((seed) => failureOf(subject, seed + 1) ?? []);
  expect(failures.length).toBeGreaterThan(0);
  const json = /replay: runScenario\((.*)\)$/.exec(failures[0] ?? '')?.[1] ?? '';
  const again = runScenario(JSON.parse(json), { entry: subject.entry ?? entry(raft) });
  expect(failures[0]).toContain(again.violation?.sentence ?? again.reasons.join(''));
});

test('somebody honest who can be convicted is a failure', () => {
  // As if a replica might grant or refuse only one vote in its life.
  const talkative = (size: Parameters<typeof raft>[0]) => ({
    ...raft(size),
    *vows(said: { readonly kind: string; readonly term?: number }) {
      if (said.kind === 'request-vote') yield ['all', `${said.term}`] as const;
    },
  });
  const failures = range(10).flatMap(
    (i) => failureOf(mine(talkative as typeof raft), 4 * i + 4) ?? [],
  );
  expect(failures[0]).toMatch(/^honest n\d is convicted about all; replay: /);
});

test('every rule set of a registered protocol is a subject', () => {
  expect(subjectsOf('hotstuff').map(({ name }) => name)).toContain('hotstuff:chained');
  expect(subjectsOf('raft')).toEqual([{ name: 'raft', protocol: 'raft', options: {} }]);
  expect(() => subjectsOf('rafft')).toThrow(/Did you mean raft\?/);
});
