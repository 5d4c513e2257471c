import { fileURLToPath } from 'node:url';
import { ms } from '@quorumlab/core';
import { attacks, completeScenario, type Scenario } from '@quorumlab/harness';
import { compareTraces } from '@quorumlab/sim';
import { describe, expect, it } from 'vitest';
import { type BrowserPage, openInBrowser } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';
import { swarm } from '../support/swarm.ts';
import { attackLinks, compareLinks, writtenLinks } from './every-link.ts';
import { type Seen, seen, seenByLink } from './scenario-entry.ts';

const entry = fileURLToPath(new URL('./scenario-entry.ts', import.meta.url));
const until = ms(20_000);

const scenarios: Readonly<Record<string, Scenario>> = Object.fromEntries(
  ['raft', 'pbft'].flatMap((protocol): [string, Scenario][] => [
    [`${protocol}, honest`, completeScenario({ protocol, until })],
    [
      `${protocol}, equivocating leader`,
      completeScenario({ protocol, until, attack: 'equivocating-leader' }),
    ],
    [
      `${protocol}, lossy network and clocks that drift`,
      completeScenario({
        protocol,
        until,
        network: 'lossy',
        clocks: 'offset=5ms,drift=100ppm,epsilon=7ms',
        workload: 'a',
      }),
    ],
    [
      `${protocol}, real signatures`,
      completeScenario({ protocol, until, count: 3, crypto: 'ed25519' }),
    ],
    [`${protocol}, a random world`, swarm(protocol, 7)],
  ]),
);

async function same(page: BrowserPage, scenario: Scenario): Promise<void> {
  const here = seen(scenario);
  // The page runs the same module, so it answers with the same type.
  const there = (await page.call('seen', scenario)) as Seen;
  expect(compareTraces(here.trace, there.trace)).toBeUndefined();
  expect(there.trace === here.trace).toBe(true);
  expect({ word: there.word, digest: there.digest }).toEqual({
    word: here.word,
    digest: here.digest,
  });
  expect(here.trace.length).toBeGreaterThan(10_000);
}

describe.skipIf(findChromium() === undefined)('one scenario in Node and in Chromium', () => {
  it('gives the same digest and the same trace, byte for byte', { timeout: 240_000 }, async () => {
    await using page = await openInBrowser(entry);
    for (const scenario of Object.values(scenarios)) await same(page, scenario);
    // Every attack, by the links that people share, and the links of the documents.
    const { runs, different } = await compareLinks(page, [...attackLinks(), ...writtenLinks]);
    expect(different).toEqual([]);
    expect(runs).toBeGreaterThan(attacks.length);
  });
});

describe('the scenarios that are compared', () => {
  it('are run on one side at least for every attack', () => {
    expect(attackLinks()).toHaveLength(attacks.length);
  });

  it('are what a link in a document says: its digests are those of its runs', () => {
    expect(writtenLinks.length).toBeGreaterThan(0);
    for (const link of writtenLinks) {
      const digests = /[&?]h=([0-9a-f,]+)/.exec(link)?.[1]?.split(',') ?? [];
      const seen = seenByLink(link).map((each) => each.split(' ').at(-1)?.slice(0, 8));
      expect(seen, link).toEqual(digests);
    }
  });

  it('cover what the title says', () => {
    expect(Object.keys(scenarios)).toHaveLength(10);
  });
});
