/** What is told about the mutants of one package, to people and in the README. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Equivalent, equivalents } from './equivalents.ts';
import type { Mutant } from './instrument.ts';
import type { Finding } from './runner.ts';

/** What came of the mutants of one package. */
export interface Score {
  readonly name: string;
  readonly killed: number;
  /** Nobody can tell them from the right code, each for the reason that is listed. */
  readonly equivalent: number;
  readonly survived: readonly Mutant[];
  /** No test has run their place. */
  readonly untested: readonly Mutant[];
  /** They act only while their module is loaded, where they cannot be switched on. */
  readonly atLoad: number;
  /** Tests that were not run for mutants, with the reason. */
  readonly passedOver: readonly string[];
  /** Entries of the list that a test tells from the right code after all. */
  readonly wrongly: readonly Mutant[];
}

const isIt = ({ file, before, after, within }: Mutant, each: Equivalent): boolean =>
  file.endsWith(each.file) &&
  before === each.before &&
  after === each.after &&
  (each.within === undefined || within === each.within);

/** Counts what was found of the mutants of package `name`. */
export function count(
  name: string,
  mutants: readonly Mutant[],
  findings: readonly Finding[],
): Score {
  const killed = new Set<string>();
  const reached = new Set<string>();
  const loaded = new Set<string>();
  const passedOver = new Map<string, string>();
  const met = new Map<string, Set<string>>();
  for (const each of findings) {
    if (each.type === 'killed') killed.add(each.id);
    else if (each.type === 'passed-over') passedOver.set(each.test, each.why);
    else if (each.type === 'done')
      met.set(each.test, new Set([...(met.get(each.test) ?? []), ...each.files]));
    else for (const id of each.ids) (each.type === 'reached' ? reached : loaded).add(id);
  }
  const files = [...new Set(mutants.map(({ id }) => id.slice(0, id.lastIndexOf('#'))))];
  for (const [test, all] of met) if (files.every((file) => all.has(file))) passedOver.delete(test);
  const counted = mutants.filter(({ id }) => reached.has(id) || !loaded.has(id));
  const listed = (each: Mutant): boolean => equivalents.some((other) => isIt(each, other));
  const alive = counted.filter(({ id }) => !killed.has(id));
  const left = alive.filter((each) => !listed(each));
  return {
    name,
    killed: counted.length - alive.length,
    equivalent: alive.length - left.length,
    survived: left.filter(({ id }) => reached.has(id)),
    untested: left.filter(({ id }) => !reached.has(id)),
    atLoad: mutants.length - counted.length,
    passedOver: [...passedOver].map(([test, why]) => `${why}: ${test}`),
    wrongly: counted.filter((each) => killed.has(each.id) && listed(each)),
  };
}

const percent = ({ killed, survived, untested }: Score): string =>
  ((100 * killed) / Math.max(1, killed + survived.length + untested.length)).toFixed(1);

const show = (what: string, { file, line, before, after }: Mutant): string =>
  `${what} ${file}:${line}: ${before}  =>  ${after}`;

/** The score for people, and every mutant that no test has noticed. */
export const tellScore = (score: Score): string =>
  [
    ...score.survived.map((each) => show('survived', each)),
    ...score.untested.map((each) => show('untested', each)),
    ...score.wrongly.map((each) => show('listed as equivalent, and noticed:', each)),
    ...score.passedOver,
    `${score.name}: ${score.killed} killed, ${score.equivalent} equivalent, ` +
      `${score.survived.length} survived, ${score.untested.length} untested: ${percent(score)} %`,
  ].join('\n');

const marks = (what: string): readonly [string, string] => [
  `<!-- ${what}:begin -->`,
  `<!-- ${what}:end -->`,
];

function replaced(text: string, what: string, change: (before: string) => string): string {
  const [begin, end] = marks(what);
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end);
  return `${text.slice(0, from)}\n${change(text.slice(from, to).trim())}\n${text.slice(to)}`;
}

const head = [
  '| package | mutants | killed | equivalent | left over | score | not counted |',
  '|---|---|---|---|---|---|---|',
];

/** Writes the row of `score` into the table of the README, and the list of equivalents. */
export function writeScore(readme: string, score: Score): void {
  const { name, killed, equivalent, survived, untested, atLoad, passedOver } = score;
  const left = survived.length + untested.length;
  const all = killed + equivalent + left;
  const cut = passedOver.filter((each) => /^(no time left|notices too seldom)/.test(each)).length;
  const notRun = cut === 0 ? '' : `; ${cut} tests not run for want of time`;
  const row =
    `| ${name} | ${all} | ${killed} | ${equivalent} | ${left} | ${percent(score)} % ` +
    `| ${atLoad} at load${notRun} |`;
  let text = readFileSync(readme, 'utf8');
  text = replaced(text, 'scores', (before) => {
    const rows = before.split('\n').slice(head.length);
    const at = rows.findIndex((each) => each.startsWith(`| ${name} |`));
    if (at < 0) rows.push(row);
    else rows[at] = row;
    return [...head, ...rows.filter((each) => each !== '')].join('\n');
  });
  text = replaced(text, 'equivalents', () =>
    equivalents
      .map(({ file, before, after, why }) => `- \`${file}\`: \`${before}\` → \`${after}\`. ${why}`)
      .join('\n'),
  );
  writeFileSync(readme, text);
}
