/** Markdown as HTML: nothing that was written as HTML gets through, and headings have anchors. */
import { Marked, type RendererObject, type Token, type Tokens } from 'marked';
import { type Html, html, type Part, raw } from '../../packages/report/src/markup.ts';
import { anchorOf, unescaped } from './anchors.ts';

/** A heading of a page, by the anchor that forges give it too. */
export interface Heading {
  readonly depth: number;
  readonly id: string;
  readonly text: string;
}

/** What a document links to, as the page has it. */
export interface Ways {
  /** Where a link of the document leads. */
  href(target: string): string;
  /** Where what a code span names is to be seen; nothing: it is no name of a file. */
  file(name: string): string | undefined;
}

/** A part of a document: all up to the next heading of the second level. */
export interface Section {
  /** The heading that it begins with; nothing: it comes before the first. */
  readonly title?: string;
  readonly body: Html;
  readonly headings: readonly Heading[];
}

/** A document that was read. */
export interface Document {
  /** The text of its first heading of the first level, or nothing. */
  readonly title: string;
  /** The first sentence of its first paragraph, or an empty text. */
  readonly lead: string;
  /** Without that heading. */
  readonly sections: readonly Section[];
}

/** Reads a document. `taken`: anchors that the page around it has already. */
export function documentOf(
  markdown: string,
  ways: Ways,
  taken: Map<string, number> = new Map(),
): Document {
  const headings: Heading[] = [];
  const marked = new Marked<string, string>({ renderer: rendererOf(ways, headings, taken) });
  const tokens = marked.lexer(markdown);
  const parts: { title?: string; tokens: Token[] }[] = [{ tokens: [] }];
  let title: string | undefined;
  for (const token of tokens) {
    if (isHeading(token, 1) && title === undefined) {
      title = plainText(token.tokens);
      anchorOf(title, taken);
      continue;
    }
    if (isHeading(token, 2)) parts.push({ title: plainText(token.tokens), tokens: [] });
    parts.at(-1)?.tokens.push(token);
  }
  const sections = parts.map(({ tokens: own, ...rest }): Section => {
    const before = headings.length;
    const body = raw(marked.parser(own));
    return { ...rest, body, headings: headings.slice(before) };
  });
  const first = tokens.find((token): token is Tokens.Paragraph => token.type === 'paragraph');
  const lead = plainText(first?.tokens ?? []).replace(/\s+/g, ' ');
  return { title: title ?? '', lead: firstSentence(lead), sections };
}

/** The first sentence, with a full stop where it ends with a colon. */
const firstSentence = (text: string): string =>
  (/^.*?[.:!?](?=$| \p{Lu})/u.exec(text)?.[0] ?? text).replace(/:$/, '.');

const isHeading = (token: Token, depth: number): token is Tokens.Heading =>
  token.type === 'heading' && (token as Tokens.Heading).depth === depth;

/** What is to be read of inline tokens, without marks. */
function plainText(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      const { tokens: inner } = token as { readonly tokens?: readonly Token[] };
      return inner !== undefined ? plainText(inner) : unescaped((token as Tokens.Text).text ?? '');
    })
    .join('');
}

type Renderer = RendererObject<string, string>;

function rendererOf(ways: Ways, headings: Heading[], taken: Map<string, number>): Renderer {
  let inLink = 0;
  return {
    heading({ tokens, depth }) {
      const text = plainText(tokens);
      const id = anchorOf(text, taken);
      headings.push({ depth, id, text });
      return `${headingOf({ depth, id, text }, raw(this.parser.parseInline(tokens))).html}\n`;
    },
    link({ href, tokens }) {
      inLink++;
      const inner = raw(this.parser.parseInline(tokens));
      inLink--;
      return html`<a href="${ways.href(href)}">${inner}</a>`.html;
    },
    image: ({ href, text }) => html`<img src="${ways.href(href)}" alt="${text}">`.html,
    // A line that is broken is the one thing that documents say in HTML; remarks are for machines.
    html: ({ text }) =>
      text.trim() === '<br>' ? '<br>' : /^<!--.*-->\s*$/s.test(text) ? '' : html`${text}`.html,
    codespan: ({ text }) => codeOf(text, inLink > 0 ? undefined : ways.file(text)).html,
    code: ({ text }) => `${html`<pre tabindex="0"><code>${text}</code></pre>`.html}\n`,
    table({ header, rows }) {
      const cells = (row: readonly Tokens.TableCell[], tag: 'th' | 'td'): Html[] =>
        row.map(({ tokens }) => {
          const inner = raw(this.parser.parseInline(tokens));
          if (tag === 'td' || inner.html === '') return html`<td>${inner}</td>`;
          return html`<th scope="col">${inner}</th>`;
        });
      const head = header.map(({ tokens }) => plainText(tokens)).filter((text) => text !== '');
      const body = rows.map((row) => html`<tr>${cells(row, 'td')}</tr>`);
      return `${tableOf(`Table: ${head.join(', ')}`, cells(header, 'th'), body).html}\n`;
    },
  };
}

/** A heading that can be linked to. */
export const headingOf = ({ depth, id, text }: Heading, inner: Part = text): Html => {
  const tag = raw(`h${Math.min(depth, 6)}`);
  return html`<${tag} id="${id}">${inner}</${tag}>`;
};

/** Code in a line, which leads to the file that it names. */
export const codeOf = (text: string, href?: string): Html =>
  href === undefined
    ? html`<code>${/ -/.test(text) ? unbroken(text) : text}</code>`
    : html`<a class="file" href="${href}"><code>${text}</code></a>`;

/** What fits on the narrowest screen. */
const longestUnbroken = 30;

/** The words of a command, which are not broken at their hyphens. */
const unbroken = (command: string): Html =>
  command
    .split(' ')
    .map((word) =>
      word.includes('-') && word.length <= longestUnbroken
        ? html`<span>${word}</span>`
        : html`${word}`,
    )
    .reduce((one, other) => html`${one} ${other}`);

/** A table that scrolls by itself where the page is narrow. `head` and `rows`: cells and rows. */
export const tableOf = (label: string, head: Part, rows: Part): Html =>
  html`<div class="wide" role="region" aria-label="${label}" tabindex="0">
<table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
