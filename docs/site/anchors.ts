/** Headings' anchors, and text that was escaped: what documents, pages and their checks share. */

/** The anchor that a heading's text gets on common forges, the first time that a page has it. */
export const slugOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

/** The anchor of a heading; `taken` counts how often each was given. */
export function anchorOf(text: string, taken: Map<string, number>): string {
  const slug = slugOf(text);
  const times = taken.get(slug) ?? 0;
  taken.set(slug, times + 1);
  return times === 0 ? slug : `${slug}-${times}`;
}

/** Text of which Markdown or a template has made entities. */
export const unescaped = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
