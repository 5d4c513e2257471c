/** Which two statements no honest replica signs, though they break no vow together. */
import type { ContentOf } from '@quorumlab/core';
import { testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { chainOf, hashOf, proposal, strange, vote } from '../test/messages.ts';
import { Network } from '../test/network.ts';
import { hotstuff } from './index.ts';
import type { Message, Timeout } from './messages.ts';
import { type RulesName, rulesNames } from './rules.ts';

const made = (rules: RulesName) => hotstuff({ n: 4, digest: testDigest, rules });
const whyNot = (
  rules: RulesName,
  one: Message,
  other: Message,
  content: ContentOf = () => undefined,
): string | undefined => {
  for (const { kinds, why } of made(rules).breaches ?? []) {
    const reason =
      one.kind === kinds[0] && other.kind === kinds[1] ? why(one, other, content) : undefined;
    if (reason !== undefined) return reason;
  }
  return undefined;
};
const timeout = (view: number, highView: number): Timeout => ({
  kind: 'timeout',
  set: 1,
  view,
  highView,
});
const block = strange('b');

describe.each(rulesNames)('by the rules of %s', (rules) => {
  test('who denies what its vote stood on is guilty', () => {
    expect(whyNot(rules, vote(7, block, 6), timeout(7, 5))).toContain('voted in view 7');
    expect(whyNot(rules, vote(7, block, 6), timeout(127, 0))).toContain('none above view 0');
    expect(whyNot(rules, timeout(127, 9), timeout(255, 8))).toContain('none above view 8');
  });

  test('who has learned of it since, or says as much, may be honest', () => {
    expect(whyNot(rules, vote(7, block, 6), timeout(6, 5))).toBeUndefined();
    expect(whyNot(rules, vote(7, block, 6), timeout(127, 6))).toBeUndefined();
    expect(whyNot(rules, timeout(255, 8), timeout(127, 9))).toBeUndefined();
    expect(whyNot(rules, timeout(127, 9), timeout(255, 9))).toBeUndefined();
  });

  test('a vote on an older certificate is a lie where a vote locks on its parent', () => {
    const guilty = whyNot(rules, vote(7, block, 6), vote(9, strange('c'), 5));
    expect(guilty === undefined).toBe(rules !== 'hotstuff-2');
    expect(whyNot(rules, vote(7, block, 6), vote(9, strange('c'), 6))).toBeUndefined();
    expect(whyNot(rules, vote(9, strange('c'), 5), vote(7, block, 6))).toBeUndefined();
  });
});

describe('chained HotStuff locks on grandparents', () => {
  const network = new Network(made('chained'));
  const links = chainOf(network, 4, 5, 6);
  const known = new Map(
    links.flatMap((link) => [...(made('chained').contents?.(proposal(link)) ?? [])]),
  );
  const content: ContentOf = (digest) => known.get(digest);
  const tip = vote(6, hashOf(links[2]?.block ?? raise()), 5);

  test('so a vote below the grandparent is a lie', () => {
    expect(whyNot('chained', tip, vote(8, block, 3), content)).toContain('locked on view 4');
    expect(whyNot('chained', tip, vote(8, block, 4), content)).toBeUndefined();
    expect(whyNot('chained', tip, vote(5, block, 3), content)).toBeUndefined();
  });

  test('and nobody is guilty where the chain is not known, or is not what it says', () => {
    for (const link of links) {
      const hash = hashOf(link.block);
      const without: ContentOf = (digest) => (digest === hash ? undefined : content(digest));
      const torn: ContentOf = (digest) => (digest === hash ? Uint8Array.of(1) : content(digest));
      for (const each of [without, torn])
        expect(whyNot('chained', tip, vote(8, block, 3), each)).toBeUndefined();
    }
  });

  test('others need no blocks for it', () => {
    const [link = raise()] = links;
    expect([...(made('jolteon').contents?.(proposal(link)) ?? [])]).toEqual([]);
  });
});

function raise(): never {
  throw new Error('there are three blocks');
}
