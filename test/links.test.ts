import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { forge } from './architecture/packages.ts';
import { readTree } from './architecture/tree.ts';
import { anchorsOf, deadLinks } from './support/links.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the links in the documents', () => {
  it('lead to files and headings of this tree', () => {
    const tree = readTree(root);
    const exists = (path: string): boolean => existsSync(join(root, path));
    expect(deadLinks(tree, exists, forge(tree))).toEqual([]);
  });

  it('lead to every decision from their index', () => {
    const paths = [...readTree(root).keys()];
    const records = paths.flatMap((path) => /^docs\/decisions\/(\d.*)$/.exec(path)?.[1] ?? []);
    const index = readFileSync(join(root, 'docs/decisions/README.md'), 'utf8');
    expect(records.filter((record) => !index.includes(`](${record})`))).toEqual([]);
    expect(records.length).toBeGreaterThan(0);
  });

  it('are found dead in a flawed tree, at their line', () => {
    const files = new Map([
      [
        'docs/a.md',
        [
          '# One, two',
          '[b](../b.md#there) [code](#one-two)',
          '[x](no.md) [y](../b.md#gone)',
          '[z](../../c.md) `test/no.ts` `docs/a.md`',
          '[f](https://f/b.md#there) [g](https://f/b.md#no) [h](https://f/no.md)',
        ].join('\n'),
      ],
      ['b.md', '# There\n```md\n[shown](nowhere.md)\n```\n`[too](nowhere.md)` [web](https://a.b)'],
    ]);
    expect(deadLinks(files, (path) => files.has(path), 'https://f/')).toEqual([
      { path: 'docs/a.md', line: 4, target: 'test/no.ts' },
      { path: 'docs/a.md', line: 3, target: 'no.md' },
      { path: 'docs/a.md', line: 3, target: '../b.md#gone' },
      { path: 'docs/a.md', line: 4, target: '../../c.md' },
      { path: 'docs/a.md', line: 5, target: 'https://f/b.md#no' },
      { path: 'docs/a.md', line: 5, target: 'https://f/no.md' },
    ]);
    expect(anchorsOf('## The ordering rule: *durable* first')).toEqual(
      new Set(['the-ordering-rule-durable-first']),
    );
  });
});
