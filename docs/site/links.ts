/** Every link of the site is followed before it is written. */
import { posix } from 'node:path';
import { ScenarioError } from '@quorumlab/harness';
import { placeOf, scenarioOf } from '@quorumlab/harness/link';
import { lessonOf } from '@quorumlab/lessons';
import { unescaped } from './anchors.ts';
import { playground } from './places.ts';
import type { WorkTree } from './work-tree.ts';

/** What is to be written, and what it was made of. */
export interface Written {
  /** Pages by their addresses. */
  readonly pages: ReadonlyMap<string, { readonly text: string; readonly source: string }>;
  /** Addresses of all else that is in the site. */
  readonly others: ReadonlySet<string>;
  readonly tree: WorkTree;
  readonly forge: string;
}

/** A sentence for each link that leads nowhere, and for each anchor that a page has twice. */
export function deadLinks(site: Written): readonly string[] {
  const anchors = new Map(
    [...site.pages].map(([address, { text }]) => [address, anchorsIn(text)] as const),
  );
  const faults: string[] = [];
  for (const [address, { text, source }] of site.pages) {
    const twice = anchorsIn(text).filter((id, i, all) => all.indexOf(id) !== i);
    for (const id of twice)
      faults.push(`${address} has the anchor "${id}" twice: give one of them another heading.`);
    for (const target of targetsIn(text)) {
      const why = whyDead(site, anchors, address, target);
      if (why !== undefined)
        faults.push(`${address} links to "${target}", ${why}: mend the link in ${source}.`);
    }
  }
  return faults;
}

// All attributes were written by templates, so all are in double quotes and escaped.
const anchorsIn = (text: string): readonly string[] =>
  [...text.matchAll(/<[a-z]\w*\s[^<>]*?\bid="([^"]*)"/g)].map(([, id = '']) => unescaped(id));

const targetsIn = (text: string): ReadonlySet<string> =>
  new Set(
    [...text.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, target = '']) => unescaped(target)),
  );

/** Why a link leads nowhere; nothing if it leads somewhere, or out of what is known here. */
function whyDead(
  { pages, others, tree, forge }: Written,
  anchors: ReadonlyMap<string, readonly string[]>,
  from: string,
  target: string,
): string | undefined {
  const [, path = '', anchor] = /^([^#]*)(?:#(.*))?$/s.exec(target) ?? [];
  if (target.startsWith('data:')) return undefined;
  if (path.startsWith(forge)) {
    const [, inside = ''] = /^(?:blob|tree)\/main\/(.*)$/.exec(path.slice(forge.length)) ?? [];
    const isThere = inside !== '' && (tree.files.has(inside) || tree.folders.has(inside));
    return isThere || path === forge ? undefined : `and "${inside}" is not in the repository`;
  }
  if (/^\w+:/.test(path)) return undefined;
  const to = path === '' ? from : posix.join(posix.dirname(from), path);
  if (to === playground) return anchor === undefined ? undefined : whyNoPlace(`#${anchor}`);
  if (others.has(to)) return undefined;
  if (!pages.has(to)) return `and there is no page "${to}"`;
  if (anchor === undefined || anchors.get(to)?.includes(anchor)) return undefined;
  return `and no heading of that page has the anchor "${anchor}"`;
}

/** What is wrong with a route of the playground, asked of the code that reads it there. */
function whyNoPlace(hash: string): string | undefined {
  const { route, lesson, complaints, settings } = placeOf(hash);
  const [complaint] = complaints;
  if (complaint !== undefined) return `of which the playground says "${complaint}"`;
  try {
    if (lesson !== undefined && lesson !== 'quiz') lessonOf(lesson);
    if (route === 'play' || route === 'embed')
      for (const side of [0, 1] as const) scenarioOf(settings, side);
    return undefined;
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    return `of which the playground says "${error.message.split('\n')[0]}"`;
  }
}
