// The bug gallery, docs/gallery.md: every known mistake by its number, with the mutants that make
// it and the tests that show it. Made from the flaws of the mutants and the titles of tests, so
// that it names what is there. `npm run fix` writes it; the architecture test compares.
const number = /\b[AB]-\d\d[a-z]?\b/g;
const title = /\b(?:it|test|describe)(?:\.\w+)*\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g;
const quoted = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"/g;

// The text of a property of a flaw, whose parts may be joined by plus signs.
function propertyOf(body, name) {
  const value = new RegExp(`\\b${name}:([\\s\\S]*?),\\n`).exec(body)?.[1] ?? '';
  return [...value.matchAll(quoted)].map(([, one, other]) => one ?? other).join('');
}

// What is wrong in each mutant of a package, by the text of its mutants.ts.
function flawsIn(protocol, text) {
  const flaws = text.slice(text.indexOf('export const flaws'));
  return [...flaws.matchAll(/^ {2}'?([\w+-]+)'?: \{\n([\s\S]*?)^ {2}\},/gm)].map(
    ([, name, body]) => ({
      protocol,
      name,
      rule: propertyOf(body, 'rule'),
      paper: propertyOf(body, 'paper'),
      gallery: propertyOf(body, 'gallery'),
    }),
  );
}

const cell = (text) => text.replaceAll('\\', '').replaceAll('|', '\\|');

// The document, from the files of the tree: [path, text] each.
export function galleryOf(files) {
  const entries = new Map();
  const entry = (key) => {
    if (!entries.has(key)) entries.set(key, { flaws: [], tests: [] });
    return entries.get(key);
  };
  const without = [];
  for (const [path, text] of [...files].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const protocol = /^packages\/([^/]+)\/src\/mutants\.ts$/.exec(path)?.[1];
    for (const flaw of protocol === undefined ? [] : flawsIn(protocol, text))
      (flaw.gallery === '' ? without : entry(flaw.gallery).flaws).push(flaw);
    if (!/^(packages|test(?!\/architecture))\/.*\.test\.ts$/.test(path)) continue;
    for (const [, one, other] of text.matchAll(title))
      for (const key of new Set((one ?? other).match(number) ?? []))
        entry(key).tests.push({
          path,
          said: (one ?? other).replace(/^.*?[AB]-\d\d[a-z]?:? */, ''),
        });
  }
  const rows = [...entries].sort(([one], [other]) => (one < other ? -1 : 1));
  const mutant = ({ protocol, name }) => `\`${protocol}\` \`${name}\``;
  const lines = rows.map(([key, { flaws, tests }]) => {
    const said = [
      ...flaws.map(({ rule, paper }) => `${rule} (${paper})`),
      ...tests.map((each) => `Test: [${each.said}](../${each.path}).`),
    ];
    return `| ${key} | ${cell(said.join('<br>'))} | ${flaws.map(mutant).join('<br>')} |`;
  });
  const rest = without.map(
    (flaw) => `| ${mutant(flaw)} | ${cell(flaw.rule)} (${cell(flaw.paper)}) |`,
  );
  return [
    '# The bug gallery',
    '',
    'Known mistakes in implementations of consensus, by the numbers that tests and comments',
    'name. `A-`: protocols for crash faults; `B-`: for Byzantine ones. A mutant is the protocol',
    'with one rule wrong: `quorumlab attack PROTOCOL --mutant NAME` plays the schedule that',
    'exposes it, with both variants. This page is written by `npm run fix`, from the flaws of',
    'the mutants and the titles of the tests.',
    '',
    '| number | what is wrong, and what shows it | mutants |',
    '|---|---|---|',
    ...lines,
    '',
    '## Mutants without a number',
    '',
    '| mutant | what is wrong |',
    '|---|---|',
    ...rest,
    '',
  ].join('\n');
}
