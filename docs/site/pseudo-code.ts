/** The page at the top of a protocol's code: its pseudo-code, and what is said around it. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PaperLine } from '@quorumlab/core';
import { type Html, html, type Part } from '../../packages/report/src/markup.ts';
import { SiteError } from './fault.ts';
import { codeOf, documentOf, tableOf, type Ways } from './markdown.ts';
import type { WorkTree } from './work-tree.ts';

/** The ids of a paper's steps. */
type Paper = Readonly<Record<string, PaperLine>>;

/** The steps of a protocol's paper, as its file of them has it. */
export async function paperOf(tree: WorkTree, folder: string): Promise<Paper> {
  const path = `${folder}/src/paper.ts`;
  if (!tree.files.has(path))
    throw new SiteError(`${path} is missing: write down the steps of the paper there.`);
  const { paper } = (await import(pathToFileURL(join(tree.root, path)).href)) as { paper: Paper };
  return paper;
}

/** The anchor of a step. */
const stepAnchor = (id: string): string => `step-${id}`;

/** The pseudo-code with all around it; ids in its margin lead to the steps of the paper. */
export function pseudoCode(path: string, source: string, paper: Paper, ways: Ways): Html {
  const comment = /^\/\*\*\n((?: \*.*\n)*?) \*\//m.exec(source)?.[1] ?? '';
  const text = comment.replace(/^ \*(?: |$)/gm, '').replace(/\{@link ([^}]+)\}/g, '`$1`');
  const [, before, code, after] =
    /^([\s\S]*?)^```text\n([\s\S]*?)^```$([\s\S]*)$/m.exec(text) ?? [];
  if (code === undefined)
    throw new SiteError(
      `${path} has no pseudo-code: begin it with a comment that holds a \`\`\`text block.`,
    );
  const around = (markdown = ''): readonly Html[] =>
    documentOf(markdown, ways).sections.map(({ body }) => body);
  return html`${around(before)}
<pre class="pseudo-code" tabindex="0"><code>${linked(code.trimEnd(), paper)}</code></pre>
${around(after)}`;
}

/** The code, in which each id of the margin leads to its step. */
function linked(code: string, paper: Paper): Html {
  const step = (word: string): Part =>
    Object.hasOwn(paper, word) ? html`<a href="#${stepAnchor(word)}">${word}</a>` : word;
  // Every second part is a margin: one id, or several.
  const parts = code.split(/^(\S+(?:, \S+)*)(?= {2,})/m);
  return inline(
    parts.map((part, i) => (i % 2 === 0 ? part : inline(part.split(/(, )/).map(step)))),
  );
}

/** Parts without a line between them, which a list would get. */
const inline = (parts: readonly Part[]): Html =>
  parts.reduce<Html>((one, other) => html`${one}${other}`, html``);

/** The steps as a table, each with an anchor. */
export const stepsTable = (paper: Paper): Html =>
  tableOf(
    'The steps of the paper',
    ['step', 'where', 'what'].map((head) => html`<th scope="col">${head}</th>`),
    Object.entries(paper).map(
      ([id, { section, text }]) =>
        html`<tr id="${stepAnchor(id)}"><td>${codeOf(id)}</td><td>${section}</td>
<td>${text}</td></tr>`,
    ),
  );
