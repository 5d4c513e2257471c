/** The page that finds headings: a list of all of them, which a small script makes shorter. */
import { type Html, html } from '../../packages/report/src/markup.ts';
import type { Page } from './page.ts';

/** The address of the page. */
export const searchAddress = 'search.html';

/**
 * Shows the headings with all the words that were typed, the nearest first. What the list has is
 * all that there is: nothing is loaded, and without this script the list is whole.
 */
const searchScript = `(() => {
  const form = document.getElementById('search');
  const field = form.elements.q;
  const list = document.getElementById('found');
  const said = document.getElementById('said');
  const all = [...list.children].map((item) => ({
    item,
    head: item.firstElementChild.textContent.toLowerCase(),
    text: item.textContent.toLowerCase(),
  }));
  const show = () => {
    const words = field.value.toLowerCase().split(/\\s+/).filter((word) => word !== '');
    const rank = ({ head }) =>
      !words.every((word) => head.includes(word)) ? 2 : head.startsWith(words[0] ?? '') ? 0 : 1;
    const found = all.filter(({ text }) => words.every((word) => text.includes(word)));
    found.sort((one, two) => rank(one) - rank(two));
    list.replaceChildren(...found.map(({ item }) => item));
    said.textContent = found.length + (found.length === 1 ? ' heading' : ' headings') +
      (words.length === 0 ? ' in all.' : ' with these words.');
  };
  field.value = new URLSearchParams(location.search).get('q') ?? '';
  field.addEventListener('input', show);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    list.querySelector('a')?.focus();
  });
  show();
  field.focus();
})();`;

/** The page, of all others. */
export function searchPage(pages: readonly Page[]): Page {
  const items = pages.flatMap(({ address, title, short = title, lead, headings }) => [
    html`<li><a href="${address}">${title}</a> <span class="quiet">${lead}</span></li>`,
    ...headings
      .filter(({ depth }) => depth <= 3)
      .map(
        ({ id, text }) =>
          html`<li><a href="${address}#${id}">${text}</a> <span class="quiet">${short}</span></li>`,
      ),
  ]);
  return {
    ...{ address: searchAddress, title: 'Search', area: 'start', source: 'README.md' },
    lead: 'Every heading of this site, and those with your words in them.',
    headings: [],
    script: searchScript,
    body: html`<form id="search" class="search" role="search" action="${searchAddress}">
<label>Words of a heading or of its page <input type="search" name="q" maxlength="100"
autocomplete="off"></label></form>
<p class="quiet">All headings are below. Where scripts are on, only those with all of your words;
Enter goes to the first of them.</p>
<p id="said" role="status"></p>
<ul id="found" class="entries">${items}</ul>`,
  };
}

/** The field that every other page has: it leads to this page. `to`: the way there. */
export const searchField = (to: string): Html =>
  html`<form class="search" role="search" action="${to}"><label>Search <input type="search"
name="q" maxlength="100"></label></form>`;
