import { describe, expect, it } from 'vitest';
import { anatomyFaults, anatomyTableFaults, rooms } from './anatomy.ts';
import { docCommentFaults } from './exports.ts';
import { cycleFaults, dependencyFaults, escapeFaults, floorFaults, nameFaults } from './imports.ts';
import {
  floorsTableFaults,
  manifestFaults,
  protocolReadmeFaults,
  publishedFaults,
} from './packages.ts';
import { purityFaults } from './purity.ts';
import { galleryFaults, referenceFaults } from './references.ts';
import {
  fileLengthFaults,
  functionLengthFaults,
  leftOutFaults,
  lineWidthFaults,
  unfinishedFaults,
} from './tidy.ts';
import type { Faults, Tree } from './tree.ts';

type Rule = (tree: Tree) => Faults;

const manifestOf = (name: string, floor: number, dependencies: readonly string[] = []) => ({
  name: `@quorumlab/${name}`,
  description: name,
  keywords: ['one', 'two', 'three'],
  repository: { type: 'git', url: 'git+https://a.b/c.git', directory: `packages/${name}` },
  files: ['LICENSE-*', 'dist', '!**/*.tsbuildinfo'],
  floor,
  license: 'Apache-2.0 OR MIT',
  engines: { node: '>=22.18' },
  exports: { '.': './dist/index.js' },
  dependencies: Object.fromEntries(dependencies.map((each) => [`@quorumlab/${each}`, '*'])),
});
const manifest = (name: string, floor: number, dependencies: readonly string[] = []): string =>
  JSON.stringify(manifestOf(name, floor, dependencies));
/** The manifest of core with one property changed. */
const core = (change: object): Tree =>
  plant({ 'packages/core/package.json': JSON.stringify({ ...manifestOf('core', 0), ...change }) });

const readme = ['Paper', 'Faults', 'Reading order', 'Divergences', 'What to break']
  .map((section) => `## ${section}\n`)
  .join('\n');

/** Every room of a protocol package, with the names that belong into it. */
const roomsOf = (name: string): Record<string, string> =>
  Object.fromEntries(
    rooms.map(({ file, names }): [string, string] => [
      `packages/${name}/src/${file}`,
      names.map((each) => `/** R. */\nexport const ${each.replace('*', name)} = 1;\n`).join(''),
    ]),
  );

const indexOf = (name: string): string => roomsOf(name)[`packages/${name}/src/index.ts`] ?? '';

/** A small work tree without a fault; each test plants one. */
const sound: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({
    repository: 'https://a.b/c',
    devDependencies: { vitest: '1' },
  }),
  'LICENSE-MIT': 'MIT',
  'packages/core/LICENSE-MIT': 'MIT',
  'packages/core/package.json': manifest('core', 0),
  'packages/core/README.md': '# core',
  'packages/core/src/index.ts': "export { a, type B } from './a.ts';\n",
  'packages/core/src/a.ts': '/** A. */\nexport const a = 1;\n/** B. */\nexport type B = 2;\n',
  'packages/core/src/a.test.ts': "import { it } from 'vitest';\nit('runs', () => Date.now());\n",
  'packages/raft/LICENSE-MIT': 'MIT',
  'packages/raft/package.json': manifest('raft', 2, ['core', 'pbft', 'sim']),
  'packages/raft/README.md': readme,
  ...roomsOf('raft'),
  'packages/raft/src/index.ts': `export * from './raft.ts';\n${indexOf('raft')}`,
  'packages/raft/src/raft.ts':
    "import { a } from '@quorumlab/core';\n/** Not Date. */\nexport const chapter = 'Date' + a;\n",
  'packages/pbft/LICENSE-MIT': 'MIT',
  'packages/pbft/package.json': manifest('pbft', 2, ['core']),
  'packages/pbft/README.md': readme,
  ...roomsOf('pbft'),
  'packages/pbft/src/normal-case.ts': 'export const chapter = { process: 1 }.process;\n',
  'packages/sim/LICENSE-MIT': 'MIT',
  'packages/sim/package.json': manifest('sim', 4),
  'packages/sim/README.md': '# sim',
  'packages/sim/src/index.ts': '/** S. */\nexport function sim(): void {}\n',
  'packages/disk/LICENSE-MIT': 'MIT',
  'packages/disk/package.json': manifest('disk', 3),
  'packages/disk/README.md': '# disk',
  'packages/disk/src/index.ts': "/** D. */\nexport { open } from 'node:fs';\n",
};

const plant = (files: Readonly<Record<string, string | undefined>>): Tree =>
  new Map(
    Object.entries({ ...sound, ...files }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );

const raft = (text: string): Tree => plant({ 'packages/raft/src/raft.ts': text });
/** One file of PBFT with another text. */
const room = (file: string, text: string | undefined): Tree =>
  plant({ [`packages/pbft/src/${file}`]: text });
const index = (text: string): Tree => plant({ 'packages/core/src/index.ts': text });
const lines = (count: number): string => 'a();\n'.repeat(count);
/** A factory that returns a table of handlers with so many lines inside, after `before` lines. */
const factory = (handlers: readonly number[], before = 0): string =>
  `function make() {\n${lines(before)}return {\n` +
  `${handlers.map((inside, i) => `h${i}() {\n${lines(inside)}},\n`).join('')}};\n}`;
const calls = (count: number): string =>
  `function f() {\n${'on(() => { a(); });\n'.repeat(count)}}`;
const table: Rule = (tree) => floorsTableFaults(tree, (manifests) => `${manifests.length}`);
const gallery: Rule = (tree) => galleryFaults(tree, () => '| A-01 | x |\n');
const documentOf = (inside: string): Tree =>
  plant({ 'ARCHITECTURE.md': `<!-- floors:begin -->\n${inside}\n<!-- floors:end -->` });

const flaws: readonly (readonly [string, Rule, Tree, RegExp])[] = [
  ['a protocol that imports a protocol', floorFaults, raft("import '@quorumlab/pbft';"), /never/],
  ['an import from above', floorFaults, raft("export { sim } from '@quorumlab/sim';"), /floor 4/],
  ['a type from above', floorFaults, raft("import type { S } from '@quorumlab/sim';"), /floor 4/],
  ['a late import', floorFaults, raft("const s = import('@quorumlab/sim/x');"), /floor 4/],
  [
    'a protocol by its name',
    nameFaults,
    plant({
      'packages/raft/src/entry.ts': '',
      'packages/sim/src/a.ts': "import type { Raft } from '@quorumlab/raft';",
    }),
    /sim\/src\/a\.ts:1 imports @quorumlab\/raft by name/,
  ],
  ['a way round the index', escapeFaults, raft("import '../../core/src/a.ts';"), /leaves/],
  ['an undeclared package', dependencyFaults, raft("import { x } from 'x/y';"), /x\/y/],
  ['a test tool in the product', dependencyFaults, raft("import 'vitest';"), /vitest/],
  ['a file that imports itself', cycleFaults, raft("export * from './raft.ts';"), /itself/],
  ['a cycle', cycleFaults, raft("import {\n  raft,\n} from './index.ts';"), /index\.ts -> /],
  ['a cycle of types', cycleFaults, raft("import type { x } from './index.ts';"), /index\.ts -> /],
  [
    'a missing room',
    anatomyFaults,
    room('vows.ts', undefined),
    /lacks src\/vows\.ts: .* vows, conf/,
  ],
  ['an empty room', anatomyFaults, room('group.ts', 'export const Group = 1;'), /Options, groupOf/],
  [
    'a protocol by another name',
    anatomyFaults,
    room('protocol.ts', ''),
    /lacks Pbft: it is the room/,
  ],
  [
    'a name outside its room',
    anatomyFaults,
    room('x.ts', 'export type Group = 1;'),
    /room is group\.ts/,
  ],
  [
    'a table with something beside it',
    anatomyFaults,
    room('protocol.ts', 'export const pbft = 1;\nexport const first = 2;'),
    /exports first beside the protocol/,
  ],
  [
    'messages that know of the state',
    anatomyFaults,
    room('messages.ts', `import './state.ts';\n${sound['packages/pbft/src/messages.ts']}`),
    /messages\.ts:1 imports state\.ts: the way down/,
  ],
  [
    'a state that knows of the rules',
    anatomyFaults,
    room('state.ts', `import './rules.ts';\n${sound['packages/pbft/src/state.ts']}`),
    /state\.ts:1 imports rules\.ts: the way down/,
  ],
  ['an anatomy that is not shown', anatomyTableFaults, plant({}), /no row for `messages\.ts`/],
  ['a clock', purityFaults, raft('const t = Date.now();'), /:1 names Date/],
  ['a new Date', purityFaults, raft('\nconst t = new Date();'), /:2 names Date/],
  ['chance', purityFaults, raft('const t = Math.random();'), /Math\.random/],
  ['hidden chance', purityFaults, raft("const t = Math['random']();"), /Math/],
  ['another clock', purityFaults, raft('const t = performance.now();'), /performance/],
  ['a timer', purityFaults, raft('setTimeout(f, 1);'), /setTimeout/],
  ['the network', purityFaults, raft('fetch(a);'), /fetch/],
  ['the process', purityFaults, raft('const e = `${process.env.A}`;'), /process/],
  ['keys', purityFaults, raft('crypto.getRandomValues(a);'), /crypto/],
  ['a way round the names', purityFaults, raft("globalThis['Da' + 'te'].now();"), /globalThis/],
  ['a Node module', purityFaults, raft("import { hash } from 'node:crypto';"), /node:crypto/],
  ['a protocol that waits', purityFaults, raft('async function f() {}'), /async/],
  ['a long file', fileLengthFaults, raft(lines(401)), /401 lines; at most 400/],
  ['a long test', fileLengthFaults, plant({ 'test/a.test.ts': lines(401) }), /401 lines/],
  ['a long function', functionLengthFaults, raft(`function f() {\n${lines(69)}}`), /71 lines/],
  ['a long handler', functionLengthFaults, raft(factory([3, 69])), /raft\.ts:8 .* 71 lines/],
  ['a long factory', functionLengthFaults, raft(factory([3], 67)), /raft\.ts:1 .* 71 lines/],
  ['a long row of calls', functionLengthFaults, raft(calls(69)), /raft\.ts:1 .* 71 lines/],
  ['a long line', lineWidthFaults, raft(`// ${'word '.repeat(20)}`), /103 columns/],
  ['a file that is not there', referenceFaults, raft('// See `gone.ts`.'), /gone\.ts, and there/],
  [
    'a document that is not there',
    referenceFaults,
    raft('/** As design.md says. */'),
    /design\.md/,
  ],
  ['a decision that is not there', referenceFaults, raft('// See decision 999.'), /decision 999/],
  ['a rule that is nowhere', referenceFaults, raft('// By rules 1 to 7.'), /:1 names rule 7/],
  ['unfinished work', unfinishedFaults, raft(`a(); // ${'TO'}DO later`), /:1 says/],
  ['a lonely test', leftOutFaults, plant({ 'test/a.test.ts': 'it.only(f);' }), /it\.only/],
  ['a skipped test', leftOutFaults, plant({ 'test/a.test.ts': '\ntest.skip(f);' }), /:2 uses/],
  ['a skipped table', leftOutFaults, raft('describe.skip.each([])(f)'), /describe\.skip/],
  ['no README', manifestFaults, plant({ 'packages/core/README.md': undefined }), /README/],
  ['an empty manifest', manifestFaults, plant({ 'packages/core/package.json': '{}' }), /floor/],
  ['no licence', publishedFaults, plant({ 'packages/core/LICENSE-MIT': undefined }), /LICENSE-MIT/],
  ['another licence', publishedFaults, plant({ 'packages/core/LICENSE-MIT': 'GPL' }), /as it is/],
  [
    'no repository',
    publishedFaults,
    core({ repository: undefined }),
    /git\+https:\/\/a\.b\/c\.git/,
  ],
  ['no keywords', publishedFaults, core({ keywords: ['one'] }), /three "keywords"/],
  ['unpublished licences', publishedFaults, core({ files: ['!**/*.tsbuildinfo'] }), /LICENSE-\*/],
  ['build information', publishedFaults, core({ files: ['LICENSE-*'] }), /tsbuildinfo/],
  [
    'a link that ends with the repository',
    publishedFaults,
    plant({ 'packages/core/README.md': '[style](../../STYLE.md)' }),
    /\.\.\/\.\.\/STYLE\.md; write https:\/\/a\.b\/c\/blob\/main\/PATH/,
  ],
  [
    'a README without Faults',
    protocolReadmeFaults,
    plant({ 'packages/pbft/README.md': readme.replace('## Faults', '') }),
    /"Faults"/,
  ],
  ['no doc comment', docCommentFaults, index('export const x = 1;'), /:1 exports x/],
  ['a plain comment', docCommentFaults, index('/* X */\nexport class X {}'), /exports X/],
  ['an empty doc comment', docCommentFaults, index('/** */\nexport type X = 1;'), /exports X/],
  ['a star of a bare name', docCommentFaults, raft('export function bare() {}'), /exports bare/],
  ['a lost name', docCommentFaults, index("export { b } from './a.ts';"), /not found/],
  [
    'a bare name under another name',
    docCommentFaults,
    plant({
      'packages/core/src/index.ts': "import { a as b } from './a.ts';\nexport { b as c };\n",
      'packages/core/src/a.ts': 'const other = 1;\n/** Not for a. */\nother;\nexport const a = 1;',
    }),
    /exports c/,
  ],
  ['an old gallery', gallery, plant({ 'docs/gallery.md': '| A-02 |' }), /run `npm run fix`/],
  ['a number of no mistake', gallery, raft('// See A-01 and B-77.'), /:1 names B-77/],
  ['an old floors table', table, documentOf('4'), /old floors/],
  ['no floors table', table, plant({}), /markers/],
];

describe('the rules of the architecture', () => {
  const rules: readonly Rule[] = [...new Set(flaws.map(([, rule]) => rule))].filter(
    (rule) => ![table, gallery, anatomyTableFaults].includes(rule),
  );

  it('find nothing in a sound tree', () => {
    for (const rule of rules) expect(rule(plant({}))).toEqual([]);
    expect(table(documentOf('5'))).toEqual([]);
  });

  it.each(flaws)('find %s', (_name, rule, tree, expected) => {
    expect(rule(tree).join('\n')).toMatch(expected);
  });

  it('let a comment name files from its place, decisions, and rules that are numbered', () => {
    const text =
      '/** See `index.ts`, `src/index.ts`, decision 001 and rule 2.\n * 2. Be there. */\n';
    const tree = plant({ 'packages/raft/src/raft.ts': text, 'docs/decisions/001-a.md': '' });
    expect(referenceFaults(tree)).toEqual([]);
  });

  it('let a protocol that wraps another take over the rooms that it does not change', () => {
    const files = ['messages.ts', 'vows.ts', 'admits.ts', 'invariant.ts'];
    const left = Object.fromEntries(files.map((file) => [`packages/raft/src/${file}`, undefined]));
    expect(anatomyFaults(plant(left))).toEqual([]);
    const alone = { ...left, 'packages/raft/package.json': manifest('raft', 2, ['core']) };
    expect(anatomyFaults(plant(alone))).toHaveLength(files.length);
  });

  it('let a long table of small handlers pass: each is read by itself', () => {
    expect(functionLengthFaults(raft(factory(Array(40).fill(3))))).toEqual([]);
    expect(functionLengthFaults(raft(factory([68, 68], 66)))).toEqual([]);
  });

  it('let the tests of a package use tools, also in its folder for them', () => {
    const use = "import 'vitest';";
    const tree = plant({ 'packages/raft/test/a.ts': use, 'packages/raft/src/a.test.ts': use });
    expect(dependencyFaults(tree)).toEqual([]);
  });

  it('let a package describe conditions under which a test runs', () => {
    expect(leftOutFaults(raft('describe.skipIf(a)(f);\nit.runIf(b)(f);'))).toEqual([]);
  });
});
