// Writes what can be written by machine: formatting, import order, safe lint fixes, the floors
// table of ARCHITECTURE.md, docs/gallery.md, and the licences beside each package that is
// published.
// `npm run fix -- PATH ...` confines the first three to those paths.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { floorsTable, insertFloorsTable } from './floors-table.mjs';
import { galleryOf } from './gallery.mjs';

const document = new URL('../ARCHITECTURE.md', import.meta.url);
const before = readFileSync(document, 'utf8');
const after = insertFloorsTable(before, floorsTable());
if (after !== before) writeFileSync(document, after);

const root = new URL('../', import.meta.url);
const sources = ['packages', 'test'].flatMap((folder) =>
  readdirSync(new URL(folder, root), { recursive: true })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter(
      (path) => /(\.test|\/mutants)\.ts$/.test(path) && !/\/(node_modules|dist|\.\w+)\//.test(path),
    )
    .map((path) => [path, readFileSync(new URL(path, root), 'utf8')]),
);
writeFileSync(new URL('docs/gallery.md', root), galleryOf(sources));

const packages = new URL('../packages/', import.meta.url);
for (const folder of readdirSync(packages)) {
  const manifest = new URL(`${folder}/package.json`, packages);
  if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).private) continue;
  for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT'])
    copyFileSync(new URL(`../${licence}`, import.meta.url), new URL(licence, manifest));
}

const paths = process.argv.slice(2);
const { status } = spawnSync('biome', ['check', '--write', ...(paths.length > 0 ? paths : ['.'])], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
process.exitCode = status ?? 1;
