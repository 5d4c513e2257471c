import { failureOf, subjectsOf } from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';
import { testSwarm } from './suite.ts';

testSwarm('hotstuff');

/** Worlds of the long swarm that once failed. */
const found: readonly (readonly [rules: string, seed: number, what: string])[] = [
  [
    'hotstuff-2',
    4327,
    'after restarts replicas waited for different times, and left before leaders',
  ],
  ['hotstuff-2', 6919, 'timeouts grew with every silent leader and lost message, to half a minute'],
  ['chained', 2991, 'on a wide area network every request cost a leader'],
];

describe('hotstuff: found by the long swarm', () => {
  test.each(found)('%s, seed %i: %s', (rules, seed) => {
    const subject = subjectsOf('hotstuff').find(({ name }) => name === `hotstuff:${rules}`);
    if (subject === undefined) throw new Error(`hotstuff has no rule set ${rules}`);
    expect(failureOf(subject, seed)).toBeUndefined();
  });
});
