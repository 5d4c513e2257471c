import { type Faults, packagesOf, type Tree } from './tree.ts';

const license = 'Apache-2.0 OR MIT';
const protocolSections = ['Paper', 'Faults', 'Reading order', 'Divergences', 'What to break'];

/** Every package says what it is, for whom, on which floor, and what it offers. */
export function manifestFaults(tree: Tree): Faults {
  const faults: string[] = [];
  for (const { folder, manifest } of packagesOf(tree)) {
    const lacks = (what: string): number => faults.push(`${folder}/package.json lacks ${what}`);
    if (typeof manifest.floor !== 'number') lacks('"floor": a number');
    if (manifest.license !== license) lacks(`"license": "${license}"`);
    if (manifest.engines?.node === undefined) lacks('"engines": { "node": ... }');
    if (manifest.description === undefined) lacks('"description"');
    if (manifest.exports === undefined) lacks('"exports"');
    if (!tree.has(`${folder}/README.md`)) faults.push(`${folder} lacks README.md`);
    if (!tree.has(`${folder}/src/index.ts`)) faults.push(`${folder} lacks src/index.ts`);
  }
  return faults;
}

const licences = ['LICENSE-APACHE', 'LICENSE-MIT'];

/** The folder of a README on the forge, where links lead that leave what is published. */
export const forge = (tree: Tree): string =>
  `${JSON.parse(tree.get('package.json') ?? '{}').repository}/blob/main/`;

/**
 * What is published stands alone: with its licences, where it comes from, what it is found by, and
 * links that lead somewhere when there is no repository around it.
 */
export function publishedFaults(tree: Tree): Faults {
  const faults: string[] = [];
  const { repository } = JSON.parse(tree.get('package.json') ?? '{}');
  for (const { folder, manifest } of packagesOf(tree)) {
    if (manifest.private === true) continue;
    for (const licence of licences)
      if (tree.get(`${folder}/${licence}`) !== tree.get(licence))
        faults.push(`${folder} lacks ${licence} as it is in the root: run \`npm run fix\``);
    const source = { type: 'git', url: `git+${repository}.git`, directory: folder };
    if (JSON.stringify(manifest.repository) !== JSON.stringify(source))
      faults.push(`${folder}/package.json lacks "repository": ${JSON.stringify(source)}`);
    if ((manifest.keywords ?? []).length < 3)
      faults.push(`${folder}/package.json lacks three "keywords"`);
    if (!manifest.files?.includes('LICENSE-*'))
      faults.push(`${folder}/package.json does not publish "LICENSE-*"`);
    if (!manifest.files?.includes('!**/*.tsbuildinfo'))
      faults.push(`${folder}/package.json publishes what only the compiler reads (*.tsbuildinfo)`);
    const outside = /\]\((\.\.\/[^)]*)\)/.exec(tree.get(`${folder}/README.md`) ?? '')?.[1];
    if (outside !== undefined)
      faults.push(`${folder}/README.md links to ${outside}; write ${forge(tree)}PATH`);
  }
  return faults;
}

/** A protocol's README answers the same five questions, in the same order, for every protocol. */
export function protocolReadmeFaults(tree: Tree): Faults {
  const faults: string[] = [];
  for (const { folder, manifest } of packagesOf(tree)) {
    const readme = tree.get(`${folder}/README.md`);
    if (manifest.floor !== 2 || readme === undefined) continue;
    const headings = [...readme.matchAll(/^##+ +(.+?) *#*$/gm)].map((match) => match[1]!);
    let from = 0;
    for (const section of protocolSections) {
      const at = headings.findIndex(
        (heading, i) => i >= from && heading.toLowerCase().startsWith(section.toLowerCase()),
      );
      if (at >= 0) from = at + 1;
      else
        faults.push(`${folder}/README.md lacks the section "${section}" (or has it out of order)`);
    }
  }
  return faults;
}

/** The table of floors in ARCHITECTURE.md is the one its package.json files give. */
export function floorsTableFaults(
  tree: Tree,
  tableOf: (manifests: readonly unknown[]) => string,
): Faults {
  const document = tree.get('ARCHITECTURE.md') ?? '';
  const shown = /<!-- floors:begin -->\n([\s\S]*?)\n?<!-- floors:end -->/.exec(document)?.[1];
  const table = tableOf(packagesOf(tree).map(({ manifest }) => manifest));
  if (shown === undefined) return ['ARCHITECTURE.md lacks the markers of the floors table'];
  if (shown !== table) return ['ARCHITECTURE.md shows old floors: run `npm run fix`'];
  return [];
}
