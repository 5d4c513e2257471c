/** What every page has: where one is, the ways to all others, and what is on it. */
import { createHash } from 'node:crypto';
import { engine } from '@quorumlab/harness';
import { type Html, html, raw } from '../../packages/report/src/markup.ts';
import type { Heading } from './markdown.ts';
import { forgeOf, hrefBetween, type Places } from './places.ts';
import { searchAddress, searchField } from './search.ts';

/** A page without what is around it. */
export interface Page {
  /** Its path in the site. */
  readonly address: string;
  readonly title: string;
  /** The name in lists of pages, if that is another. */
  readonly short?: string;
  /** One sentence for lists of pages. */
  readonly lead: string;
  /** The part of the site that it is in. */
  readonly area: string;
  /** What is on it, for the list beside it. */
  readonly headings: readonly Heading[];
  readonly body: Html;
  /** The document that it is made of, for whoever wants to change it. */
  readonly source: string;
  /** The one script that runs on it; none unless told. */
  readonly script?: string;
}

/** A way that is in the navigation of every page. */
export interface Way {
  readonly title: string;
  readonly address: string;
  /** The part of the site that it leads to. */
  readonly area: string;
}

/** What pages have to know of each other. */
export interface Around {
  readonly places: Places;
  readonly ways: readonly Way[];
  /** All pages of a part, in their order. */
  readonly siblings: (area: string) => readonly Page[];
}

/** Longer lists of neighbours stand on one page, and not beside each. */
const mostSiblings = 40;

/** Nothing is loaded but the site; no script runs but its own, and the playground in its frame. */
function policyOf({ script }: Page): string {
  const digest = script && createHash('sha256').update(script).digest('base64');
  return (
    "default-src 'none'; style-src 'self' file: 'unsafe-inline'; img-src 'self' file: data:; " +
    `frame-src 'self' file:${digest === undefined ? '' : `; script-src 'sha256-${digest}'`}`
  );
}

/** A whole page as text. */
export function pageText(page: Page, around: Around): string {
  const to = (address: string): string => hrefBetween(page.address, address);
  const { places, ways, siblings } = around;
  const inArea = siblings(page.area);
  const beside = inArea.length <= mostSiblings ? inArea : [];
  const at = inArea.indexOf(page);
  const contents = page.headings.filter(({ depth }) => depth <= 3);
  return `${
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${policyOf(page)}">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${to('style.css')}">
<title>${page.title === 'quorumlab' ? page.title : `${page.title} · quorumlab`}</title>
</head>
<body class="quorumlab site">
<a class="skip" href="#main">To the text</a>
<header>
<nav class="ways" aria-label="Site">${ways.map(({ title, address, area }) => {
      const isHere = address === page.address;
      const current = isHere ? raw(' aria-current="page"') : '';
      const within = !isHere && area === page.area ? raw(' class="within"') : '';
      return html`<a href="${to(address)}"${current}${within}>${title}</a>`;
    })}</nav>
${page.address !== searchAddress && searchField(to(searchAddress))}
</header>
<div class="frame${Math.max(beside.length, contents.length) > 1 ? '' : ' alone'}">
${
  beside.length > 1 &&
  html`<nav class="beside" aria-label="In this part"><p class="head">In this part</p>
<ul class="list">${beside.map(
    (each) =>
      html`<li><a href="${to(each.address)}"${
        each === page && raw(' aria-current="page"')
      }>${each.short ?? each.title}</a></li>`,
  )}</ul></nav>`
}
<main id="main"${contents.length > 1 ? '' : raw(' class="wide-text"')}>
<h1>${page.title}</h1>
${
  contents.length > 1 &&
  html`<details class="contents"><summary>On this page</summary>${listOf(contents)}</details>`
}
${page.body}
${neighbours(inArea[at - 1], at < 0 ? undefined : inArea[at + 1], to)}
</main>
${
  contents.length > 1 &&
  html`<nav class="contents" aria-label="On this page"><p class="head">On this page</p>${listOf(
    contents,
  )}</nav>`
}
</div>
<footer><p>Made of <a href="${forgeOf(places, page.source)}">${page.source}</a> by
<code>npm run docs</code>; ${engine}. <a href="${to('pages.html')}">All pages</a>,
<a href="${to(searchAddress)}">all headings</a>. It loads nothing
from anywhere else, and stores nothing.</p></footer>
${page.script !== undefined && html`<script>${raw(page.script)}</script>`}
</body>
</html>`.html
  }\n`;
}

const listOf = (headings: readonly Heading[]): Html =>
  html`<ul class="list">${headings.map(
    ({ depth, id, text }) => html`<li class="of-${depth}"><a href="#${id}">${text}</a></li>`,
  )}</ul>`;

function neighbours(
  before: Page | undefined,
  after: Page | undefined,
  to: (address: string) => string,
): Html | false {
  if (before === undefined && after === undefined) return false;
  const way = (page: Page | undefined, sign: readonly [string, string]): Html =>
    page === undefined
      ? html`<span></span>`
      : html`<a href="${to(page.address)}">${sign[0]}${page.short ?? page.title}${sign[1]}</a>`;
  return html`<nav class="neighbours" aria-label="Before and after">
${way(before, ['← ', ''])}${way(after, ['', ' →'])}</nav>`;
}
