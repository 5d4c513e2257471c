/** Which document of the repository becomes which page, and how one gets from one to another. */
import { posix } from 'node:path';
import { SiteError } from './fault.ts';
import type { Ways } from './markdown.ts';
import type { WorkTree } from './work-tree.ts';

/** A part of the site, in the order of its navigation. */
export interface Area {
  readonly name: string;
  /** What stands in the navigation. */
  readonly title: string;
  /** Its documents: the page for each that is one of them, or nothing. */
  page(path: string): string | undefined;
}

/** The page of the playground in the site. */
export const playground = 'play/index.html';

const named = (path: string): string => path.toLowerCase().replaceAll('_', '-');

/** Pages that are documents, by where these stand. What stands in none of these has no page. */
export const areas: readonly Area[] = [
  {
    name: 'guides',
    title: 'Guides',
    page(path) {
      const [, name] = /^(?:docs\/)?([\w-]+)\.md$/.exec(path) ?? [];
      return name === undefined ? undefined : `guides/${named(name)}.html`;
    },
  },
  {
    name: 'packages',
    title: 'Packages',
    page(path) {
      const [, name] = /^(?:packages\/([\w-]+)|examples)\/README\.md$/.exec(path) ?? [];
      if (path === 'examples/README.md') return 'packages/examples.html';
      return name === undefined ? undefined : `packages/${name}.html`;
    },
  },
  {
    name: 'decisions',
    title: 'Decisions',
    page(path) {
      const [, name] = /^docs\/decisions\/([\w-]+)\.md$/.exec(path) ?? [];
      return name && `decisions/${name === 'README' ? 'index' : named(name)}.html`;
    },
  },
  {
    name: 'tests',
    title: 'Tests',
    page(path) {
      const [, name] = /^test\/([\w-]+)\/README\.md$/.exec(path) ?? [];
      return name && `tests/${name}.html`;
    },
  },
];

/** Where everything is. */
export interface Places {
  readonly tree: WorkTree;
  /** The pages of documents, and of protocols instead of their READMEs. */
  readonly pages: ReadonlyMap<string, string>;
  /** Where the repository is to be seen; ends with a slash. */
  readonly forge: string;
  /** Files that pages show or link to as they are, by their address in the site. */
  readonly assets: Map<string, string>;
}

/** The places of a tree. `own`: documents that pages of another kind are made of. */
export function placesOf(tree: WorkTree, own: ReadonlyMap<string, string>): Places {
  const pages = new Map(own);
  for (const path of tree.files) {
    const page = areas.map((area) => area.page(path)).find((each) => each !== undefined);
    if (page !== undefined && !pages.has(path)) pages.set(path, page);
  }
  const { repository } = JSON.parse(tree.text('package.json')) as { repository: string };
  return { tree, pages, forge: `${repository}/`, assets: new Map() };
}

/** How to get from one page of the site to another, or to an anchor of it. */
export function hrefBetween(from: string, to: string): string {
  const [page = '', anchor] = to.split(/(#.*)/s);
  if (page === from && anchor !== undefined) return anchor;
  return `${posix.relative(posix.dirname(from), page)}${anchor ?? ''}`;
}

/** Where a file or a folder of the repository is to be seen. */
export const forgeOf = ({ forge, tree }: Places, path: string, anchor = ''): string =>
  `${forge}${tree.folders.has(path) ? 'tree' : 'blob'}/main/${path}${anchor}`;

/** The ways of a document on its page. */
export function waysOf(places: Places, document: string, page: string): Ways {
  const { tree, pages, forge, assets } = places;
  const toPath = (path: string, anchor: string): string => {
    const known = pages.get(path) ?? pages.get(`${path}/README.md`);
    if (known !== undefined) return hrefBetween(page, `${known}${anchor}`);
    if (!/^docs\/.*\.(png|html)$/.test(path) || !tree.files.has(path))
      return forgeOf(places, path, anchor);
    const asset = path.replace('docs/', '');
    assets.set(asset, path);
    return hrefBetween(page, `${asset}${anchor}`);
  };
  return {
    href(target) {
      if (target.startsWith('#/')) return `${hrefBetween(page, playground)}${target}`;
      if (target.startsWith('site:')) return hrefBetween(page, target.slice('site:'.length));
      const [, path = '', anchor = ''] = /^([^#]*)(.*)$/s.exec(target) ?? [];
      const home = [`${forge}blob/main/`, `${forge}tree/main/`].find((each) =>
        path.startsWith(each),
      );
      if (home !== undefined) return toPath(path.slice(home.length).replace(/\/$/, ''), anchor);
      if (/^(https?:\/\/|mailto:)/.test(path)) return target;
      if (/^[\w+.-]*:|^\/\//.test(path))
        throw new SiteError(
          `${document} links to "${target}": write an https address, or a path of this repository.`,
        );
      if (path === '') return anchor;
      return toPath(posix.join(posix.dirname(document), path).replace(/\/$/, ''), anchor);
    },
    file(name) {
      const folder = posix.dirname(document);
      const tried = [name, posix.join(folder, name), posix.join(folder, 'src', name)];
      const found = /^[\w@./-]+\.(ts|mjs|md|json)$/.test(name)
        ? tried.find((path) => tree.files.has(path) && path !== document)
        : undefined;
      return found && toPath(found, '');
    },
  };
}
