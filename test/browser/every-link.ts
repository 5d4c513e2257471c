/** Links to every attack against every protocol, and those that documents give. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attacks, protocols } from '@quorumlab/harness';
import { demo, linkOf } from '@quorumlab/harness/link';
import type { BrowserPage } from '../support/browser.ts';
import { seenByLink } from './scenario-entry.ts';

const few = { ...demo, crypto: 'ideal' as const, count: 4 };

const hasRun = (link: string): boolean =>
  seenByLink(link).some((each) => /^\S+ [0-9a-f]{64}$/.test(each));

/** A link for each attack: to Raft and PBFT, or to the first protocol that it can strike. */
export const attackLinks = (): readonly string[] =>
  attacks.flatMap(({ name: attack }) => {
    const pairs = [few.protocols, ...protocols.map(({ name }) => [name, 'pbft'] as const)];
    const links = pairs.map((pair) => linkOf({ ...few, attack, protocols: pair }));
    return links.find(hasRun) ?? [];
  });

/** A link for each attack and each two protocols that stand beside each other in the list. */
export const everyLink: readonly string[] = attacks.flatMap(({ name: attack }) =>
  protocols.flatMap(({ name }, i) => {
    if (i % 2 !== 0) return [];
    const pair = [name, protocols[(i + 1) % protocols.length]?.name ?? name] as const;
    return [linkOf({ ...few, attack, protocols: pair })];
  }),
);

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The links that stand in README files and in docs, with what each says of its digests. */
export const writtenLinks: readonly string[] = [
  'README.md',
  ...readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'README.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true })
    .map((name) => join('docs', String(name)))
    .filter((name) => name.endsWith('.md')),
].flatMap(
  (file) =>
    readFileSync(join(root, file), 'utf8').match(/#\/(?:play|embed)\?v=[^\s)`"'<>|]+/g) ?? [],
);

/** Links of which a page and this process see different runs; and how many runs were compared. */
export async function compareLinks(
  page: BrowserPage,
  links: readonly string[],
): Promise<{ readonly runs: number; readonly different: readonly string[] }> {
  let runs = 0;
  const different: string[] = [];
  for (const link of links) {
    const here = seenByLink(link);
    runs += here.filter((each) => /^\S+ [0-9a-f]{64}$/.test(each)).length;
    const there = (await page.call('seenByLink', link)) as readonly string[];
    if (here.join('\n') !== there.join('\n'))
      different.push(`${link}: ${here} here, ${there} there`);
  }
  return { runs, different };
}
