import { readFileSync, writeFileSync } from 'node:fs';
import {
  columns,
  commitsOf,
  completeScenario,
  exhibit,
  narrate,
  optionText,
  protocolOf,
  protocols,
  type RunResult,
  runScenario,
  type Scenario,
  taleOf,
  taleOfExhibit,
  variantsOf,
} from '@quorumlab/harness';
import { expect, test } from 'vitest';

const file = new URL('./stories.txt', import.meta.url);

const run = (scenario: Scenario): RunResult => runScenario(scenario, { proofs: true, story: true });

/** One run of each protocol and rule set under an attack. */
const each = (attack: string): readonly Scenario[] =>
  protocols.flatMap(({ name }) =>
    variantsOf(completeScenario({ protocol: name, attack, count: 6 })),
  );

const nameOf = (scenario: Scenario): string =>
  [scenario.protocol, optionText(scenario), scenario.attack].filter(Boolean).join(' ');

test('the story of one liar against each protocol is the one on file', () => {
  const told = [...each('equivocating-leader'), ...each('silent-leader')].map((scenario) => {
    const result = run(scenario);
    return [`${nameOf(scenario)}: ${result.word}`, ...narrate(taleOf(result))].join('\n  ');
  });
  // When, and how often: that changes with every message that a protocol says or saves.
  const text = `${told.join('\n\n')}\n`
    .replace(/at \d+ ms/g, 'at … ms')
    .replace(/(acted|two stories) (once|\d+ times)/g, '$1 … times');
  if (process.env.UPDATE_STORIES === '1') writeFileSync(file, text);
  expect(text, 'after a wanted change run with UPDATE_STORIES=1').toBe(readFileSync(file, 'utf8'));
});

test.each([...each('none'), ...each('equivocating-leader'), ...each('crash-leader')])(
  'every commit names a quorum of votes, or whose word it rests on: $protocol $options $attack',
  (scenario) => {
    const { story } = run(scenario);
    const { n, f } = scenario;
    const { claims } = protocolOf(scenario.protocol);
    // Of 2f+1 two majorities share one; where that one may lie, its counter cannot.
    const isMajority = claims.faults === 'crash' || claims.replicas(1) === 3;
    const least = isMajority ? Math.floor(n / 2) + 1 : Math.ceil((n + f + 1) / 2);
    const commits = commitsOf(story);
    expect(commits.length).toBeGreaterThan(0);
    for (const { seat, voters, toldBy, quorum } of commits) {
      if (voters === undefined) expect(toldBy, `n${seat}`).not.toBe(seat);
      else expect(voters.length).toBeGreaterThanOrEqual(least);
      for (const id of quorum) expect(id).toBeLessThan(n);
    }
    // Somebody has counted: not all of them can rest on another's word, unless that one lies.
    const lied = scenario.attack === 'equivocating-leader' && claims.faults === 'crash';
    expect(commits.some(({ voters }) => voters !== undefined) || lied).toBe(true);
  },
);

test('the columns of a run say by whose votes, and without them what they always said', () => {
  const { story } = run(completeScenario({ protocol: 'pbft', attack: 'equivocating-leader' }));
  const shown = { n: 4, traitors: [0], traitorSign: '!', width: 60, most: 1000 };
  expect(columns(story, shown).join('\n')).toMatch(/COMMIT Ann by n\d n\d n\d/);
  expect(columns(story, { ...shown, votes: false }).join('\n')).not.toContain(' by n');
});

test('no votes are cut off: without room for columns each event has a line', () => {
  const { story } = run(completeScenario({ protocol: 'pbft', attack: 'equivocating-leader' }));
  const committed = story.filter(({ kind }) => kind === 'commits').length;
  for (const room of [60, 80, 120, 200])
    for (const width of [20, 60]) {
      const shown = { n: 4, traitors: [0], traitorSign: '!', width, most: 1000, room };
      const text = columns(story, shown).join('\n');
      expect(text.match(/COMMIT \w+ by n\d n\d n\d/g)?.length, `${room} ${width}`).toBe(committed);
    }
});

test('a fork names who is in both quorums, and who of them lied', () => {
  const forked = run(completeScenario({ protocol: 'raft', attack: 'equivocating-leader' }));
  expect(forked.word).toBe('forked');
  expect(narrate(taleOf(forked)).slice(-2)).toEqual([
    'Behind Ann stand n0 and n2, behind Bob n0 and n1.',
    'Both have n0, who lied.',
  ]);
  const shown = exhibit(protocolOf('flexible-paxos'), 'rows-for-both');
  expect(narrate(taleOfExhibit(shown, shown.wrong)).slice(-2)).toEqual([
    'Behind Ann stand n0 and n1, behind Bob n2 and n3.',
    'They have nobody in common: two quorums that do not meet.',
  ]);
});

test('proofs show operations, also where a statement has only their digest', () => {
  for (const protocol of ['pbft', 'hotstuff']) {
    const { proofs, proofValues } = run(completeScenario({ protocol, attack: 'f+1-traitors' }));
    expect(proofs.length, protocol).toBeGreaterThan(0);
    const votes = proofs.map(({ first }, i) => [first.kind, proofValues[i]?.first] as const);
    const digests = votes.filter(([kind]) => /^(prepare|commit|vote)$/.test(kind));
    expect(digests.length, protocol).toBeGreaterThan(0);
    expect(digests.map(([, value]) => value).join()).toContain('put winner=');
    for (const { first, second } of proofValues)
      expect([first, second], protocol).not.toContain('nothing');
  }
});
