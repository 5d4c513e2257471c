// The table of floors in ARCHITECTURE.md, made from every packages/*/package.json so that the
// picture cannot lie. Run alone it prints the table; `npm run fix` writes it between the
// markers; the architecture test compares.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const begin = '<!-- floors:begin -->';
const end = '<!-- floors:end -->';

// One table row per manifest, lowest floor first. Manifests are parsed package.json files.
export function floorsTableOf(manifests) {
  const own = new Set(manifests.map((manifest) => manifest.name));
  const code = (names) => names.map((name) => `\`${name}\``).join(' ');
  const rows = manifests
    .toSorted((a, b) => a.floor - b.floor || (a.name < b.name ? -1 : 1))
    .map(({ name, floor, description, dependencies, peerDependencies }) => {
      const names = Object.keys({ ...dependencies, ...peerDependencies }).sort();
      const inside = code(names.filter((other) => own.has(other)).map(short)) || '-';
      const outside = code(names.filter((other) => !own.has(other))) || '-';
      return `| ${floor} | \`${short(name)}\` | ${description} | ${inside} | ${outside} |`;
    });
  return [
    '| floor | package | what it is | imports (ours) | imports (outside) |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function short(name) {
  return name.replace('@quorumlab/', '');
}

export function floorsTable() {
  const packages = new URL('../packages/', import.meta.url);
  const files = readdirSync(packages)
    .map((folder) => new URL(`${folder}/package.json`, packages))
    .filter((file) => existsSync(file));
  return floorsTableOf(files.map((file) => JSON.parse(readFileSync(file, 'utf8'))));
}

// The document with the text between the markers replaced.
export function insertFloorsTable(document, table) {
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`ARCHITECTURE.md must hold ${begin} and ${end}`);
  return `${document.slice(0, from + begin.length)}\n${table}\n${document.slice(to)}`;
}

if (import.meta.main) console.log(floorsTable());
