import { namesOf } from './exports.ts';
import { importsOf, resolveRelative } from './imports.ts';
import { type Faults, isTest, type Package, packagesOf, type Tree } from './tree.ts';

/** A file that every protocol package has: what it is for, and what it exports. */
export type Room = Readonly<{ file: string; holds: string; names: readonly string[] }>;

/**
 * The rooms of a protocol package, in the order in which one may use another. `*` in a name stands
 * for the name of the protocol, in whatever case.
 */
export const rooms: readonly Room[] = [
  {
    file: 'messages.ts',
    holds: 'the schemas of what is said, and the types that follow from them',
    names: ['schemas', 'Schemas', 'Message'],
  },
  {
    file: 'state.ts',
    holds: 'what a replica remembers, on disk and off it, and what it begins with',
    names: [
      '*',
      'Stable',
      'Volatile',
      'Replica',
      'Context',
      'stored',
      'firstStable',
      'firstVolatile',
    ],
  },
  {
    file: 'rules.ts',
    holds: 'the choices that are easy to get wrong, which mutants replace',
    names: ['Rules', 'rules'],
  },
  {
    file: 'group.ts',
    holds: 'the options, and the group that is made of them once they are checked',
    names: ['Options', 'Group', 'groupOf'],
  },
  {
    file: 'admits.ts',
    holds: 'what a replica could make something of, asked before a message is stepped',
    names: ['guards'],
  },
  {
    file: 'vows.ts',
    holds: 'what a signed message binds its signer to, and what breaks that',
    names: ['vows', 'conflict'],
  },
  {
    file: 'invariant.ts',
    holds: 'what one replica can check by itself after every step',
    names: ['invariant'],
  },
  { file: 'paper.ts', holds: 'the steps of the paper by their ids', names: ['paper', 'Line'] },
  { file: 'protocol.ts', holds: 'the table of handlers, and nothing else', names: ['*'] },
  {
    file: 'mutants.ts',
    holds: 'a maker for each wrong variant under its name, and what is wrong with it',
    names: ['mutants', 'Mutant', 'flaws', 'exhibits'],
  },
  {
    file: 'exhibits.ts',
    holds: 'the schedules that expose the mutants',
    names: ['exhibits'],
  },
  {
    file: 'entry.ts',
    holds: 'what laboratories are told: title, options, how worlds draw them, wrong variants',
    names: ['entry'],
  },
  {
    file: 'index.ts',
    holds: 'what users get, named after the protocol',
    names: ['*', '*Options', '*Message', '*Stable', '*Volatile', 'paper'],
  },
];

/** What a protocol that wraps another one may leave to it. */
const takenOver = {
  files: ['messages.ts', 'admits.ts', 'vows.ts', 'invariant.ts'],
  names: ['Volatile', 'firstVolatile', '*Message', '*Volatile'],
};

/** The rooms each of which may use only those before it. */
const ladder = ['messages.ts', 'state.ts', 'rules.ts', 'group.ts'];

/** Every protocol package has the same rooms, with the same names in them. */
export function anatomyFaults(tree: Tree): Faults {
  const protocols = packagesOf(tree).filter(isProtocol);
  const names = new Set(protocols.map(({ manifest }) => manifest.name ?? ''));
  return protocols.flatMap((owner) => {
    const isWrapper = Object.keys(owner.manifest.dependencies ?? {}).some((on) => names.has(on));
    return [
      ...rooms.flatMap((room) => roomFaults(tree, owner, room, isWrapper)),
      ...elsewhereFaults(tree, owner),
      ...tableFaults(tree, owner),
      ...ladderFaults(tree, owner),
    ];
  });
}

/** A package is a protocol's if it is on their floor, or has mutants as they have. */
function isProtocol({ manifest }: Package): boolean {
  const { exports } = manifest;
  return (
    manifest.floor === 2 ||
    (typeof exports === 'object' && exports !== null && './mutants' in exports)
  );
}

/** The name with the protocol's in it; a protocol may be spelt with other capitals. */
const spelt = ({ folder }: Package, name: string): string =>
  name.replace(
    '*',
    folder.replace('packages/', '').replaceAll(/(^|-)\w/g, (word) => word.slice(-1).toUpperCase()),
  );

const has = (offered: ReadonlySet<string>, owner: Package, name: string): boolean =>
  name.startsWith('*')
    ? [...offered].some((each) => each.toLowerCase() === spelt(owner, name).toLowerCase())
    : offered.has(name);

function roomFaults(
  tree: Tree,
  owner: Package,
  { file, holds, names }: Room,
  isWrapper: boolean,
): Faults {
  const path = `${owner.folder}/src/${file}`;
  const needed = names.filter((name) => !(isWrapper && takenOver.names.includes(name)));
  if (!tree.has(path)) {
    if (isWrapper && takenOver.files.includes(file)) return [];
    const exported = listed(owner, needed);
    return [`${owner.folder} lacks src/${file}: add it for ${holds}; it exports ${exported}`];
  }
  const offered = namesOf(tree, path);
  const missing = needed.filter((name) => !has(offered, owner, name));
  if (missing.length === 0) return [];
  return [`${path} lacks ${listed(owner, missing)}: it is the room for ${holds}; export it there`];
}

const listed = (owner: Package, names: readonly string[]): string =>
  names.map((name) => spelt(owner, name)).join(', ');

/** The other files of a package that are neither its index nor tests. */
const filesOf = (tree: Tree, { folder }: Package): readonly string[] =>
  [...tree.keys()].filter(
    (path) => path.startsWith(`${folder}/src/`) && path.endsWith('.ts') && !isTest(path),
  );

/** What has a room of its own is declared in no other: it would be found in one package only. */
function elsewhereFaults(tree: Tree, owner: Package): Faults {
  const homes = new Map<string, string[]>();
  for (const { file, names } of rooms)
    for (const name of names) homes.set(name, [...(homes.get(name) ?? []), file]);
  return filesOf(tree, owner).flatMap((path) => {
    const file = path.slice(`${owner.folder}/src/`.length);
    return [...namesOf(tree, path)]
      .filter((name) => file !== 'index.ts' && homes.has(name) && !homes.get(name)?.includes(file))
      .map((name) => `${path} exports ${name}, whose room is ${homes.get(name)?.[0]}: move it`);
  });
}

/** A table with something beside it is no table any more. */
function tableFaults(tree: Tree, owner: Package): Faults {
  const path = `${owner.folder}/src/protocol.ts`;
  return [...namesOf(tree, path)]
    .filter((name) => name.toLowerCase() !== spelt(owner, '*').toLowerCase())
    .map((name) => `${path} exports ${name} beside the protocol: move it to the room it is for`);
}

/**
 * Messages know of no state, states of no rules, and rules of no group. A state may name the group
 * that its handlers find in their context, where the rules of the group do not look at replicas:
 * then the group would need the state.
 */
function ladderFaults(tree: Tree, owner: Package): Faults {
  return ladder.flatMap((file, at) => {
    const path = `${owner.folder}/src/${file}`;
    return importsOf(tree.get(path) ?? '').flatMap(({ specifier, line }) => {
      const target = resolveRelative(path, specifier)?.slice(`${owner.folder}/src/`.length) ?? '';
      const isShape = file === 'state.ts' && target === 'group.ts';
      return ladder.indexOf(target) > at && !isShape
        ? [`${path}:${line} imports ${target}: the way down is ${ladder.join(' <- ')}`]
        : [];
    });
  });
}

/** ARCHITECTURE.md names every room, so that nobody has to read this file to write a protocol. */
export function anatomyTableFaults(tree: Tree): Faults {
  const document = tree.get('ARCHITECTURE.md') ?? '';
  return rooms
    .filter(({ file }) => !document.includes(`| \`${file}\` |`))
    .map(({ file, holds }) => `ARCHITECTURE.md has no row for \`${file}\` (${holds}): add one`);
}
