import {
  attackOf,
  type ColumnsOptions,
  columns,
  optionText,
  protocolOf,
  type RunCost,
  type RunResult,
  type Scenario,
  unsafeMark,
  type VerdictRow,
} from '@quorumlab/harness';
import type { Io, Sign, Style } from './io.ts';
import { againLine } from './result.ts';

const looks: Readonly<Record<VerdictRow['word'], readonly [Sign, Style]>> = {
  forked: ['fail', 'bad'],
  invalid: ['fail', 'bad'],
  'stale-read': ['stale', 'warn'],
  stalled: ['stalled', 'warn'],
  inconclusive: ['unknown', 'dim'],
  ok: ['ok', 'good'],
};

/** The sign and the colour of a word. */
export const verdictLook = (word: VerdictRow['word']): readonly [Sign, Style] => looks[word];

/** `✗ forked`, painted. */
export function verdictWord(io: Io, word: VerdictRow['word']): string {
  const [sign, style] = looks[word];
  return io.paint(style, `${io.sign(sign)} ${word}`);
}

/** `raft n=3 f=1 (crash) · equivocating-leader by n0 · lan · seed 42`. */
export function headline(scenario: Scenario): string {
  const { protocol, mutant, n, f, attack, by, network, seed, crypto, script } = scenario;
  const { claims } = protocolOf(protocol);
  const whom = by.length > 0 ? ` by ${by.map((id) => `n${id}`).join(', ')}` : '';
  const options = optionText(scenario);
  const how = [options, mutant === undefined ? '' : `the mutant ${mutant}`].filter(Boolean);
  const name = how.length === 0 ? protocol : `${protocol} with ${how.join(' and ')}`;
  const mark = unsafeMark(scenario);
  const size = `n=${n} f=${f} (${claims.faults})${mark === undefined ? '' : ` · ${mark}`}`;
  const what = `${name} ${size} · ${attack}${whom}`;
  const drawn = script === undefined ? 'seed' : 'shrunk from seed';
  return `${what} · ${network} · ${crypto} signatures · ${drawn} ${seed}`;
}

/** One sentence on why a verdict was to be expected, or that it was not. */
export function expectation(row: VerdictRow): string {
  const { protocol, n, f, word, expected, claimed, why } = row;
  const name = `${protocol} n=${n} f=${f}`;
  if (word === 'inconclusive')
    return `expected: not judged: it came to no end${claimed ? '' : `; nor claimed: ${why}`}`;
  if (word === 'ok' && row.mutant !== undefined)
    return (
      'expected: yes. The wrong rule did not show here; it does under its own schedule: ' +
      `quorumlab attack ${protocol} --mutant ${row.mutant}`
    );
  if (word === 'ok' && claimed) return `expected: yes. ${name} claims to survive this`;
  if (word === 'ok') return `expected: yes, but not claimed: ${why}. Nothing broke here`;
  if (expected) return `expected: yes, this is not claimed: ${why}`;
  if (claimed) return `expected: NO. ${name} claims to survive this; please report it`;
  return `expected: NO. ${why}, but nobody gave it leave to be ${word}; please report it`;
}

/** What there is to say beside a verdict: which budget ended, and what to try instead. */
export function sayNotes(io: Io, { budget, hint }: VerdictRow): void {
  if (budget !== undefined) io.out(`  budget    ${budget}`);
  if (hint !== undefined) io.out(`  note      ${hint.replaceAll('\n', '\n          ')}`);
}

/** What is about the contested position, or the first lines of a story without one. */
function contested(result: RunResult): RunResult['story'] {
  const slot = result.violation?.slot;
  return result.story.filter(
    (line) => line.kind !== 'commits' || slot === undefined || line.slot === slot,
  );
}

/** The story as it will be written, so that its columns can be counted. */
export const plainStory = (io: Io, story: RunResult['story']): RunResult['story'] =>
  story.map((line) => ({ ...line, text: io.plain(line.text) }));

/** The columns of one run. */
export function storyColumns(
  io: Io,
  result: RunResult,
  more: Partial<ColumnsOptions> = {},
): readonly string[] {
  const { scenario } = result;
  const traitors = attackOf(scenario.attack).needs === 'byzantine' ? scenario.by : [];
  return columns(plainStory(io, contested(result)), {
    n: scenario.n,
    traitors,
    traitorSign: io.sign('traitor'),
    more: io.plain('…'),
    width: 26,
    most: 16,
    hint: '--verbose',
    // Stories are indented by two.
    room: io.columns - 2,
    ...more,
  });
}

/** The text of a single run. */
export function sayRun(
  io: Io,
  result: RunResult,
  row: VerdictRow,
  cost: RunCost,
  verbose: boolean,
): void {
  io.out(headline(result.scenario));
  io.out('');
  io.out(`${verdictWord(io, row.word)}   ${row.counterexample?.sentence ?? summary(result)}`);
  if (row.counterexample !== undefined)
    io.out(`  rule      ${row.counterexample.rule}, broken after ${result.events} events`);
  // A run that is ok tells its story to whoever asks for it.
  if (row.counterexample !== undefined || verbose) {
    for (const line of storyColumns(io, result, verbose ? { most: 10_000, width: 60 } : {}))
      io.out(`  ${line}`);
    sayStory(io, row);
    sayProofs(io, row);
  }
  io.out(`  ${expectation(row)}`);
  sayNotes(io, row);
  if (attackOf(row.attack).needs !== 'nothing')
    io.out(`  attack    ${row.note === undefined ? 'fired' : row.note}`);
  io.out(
    `  cost      ${cost.answered} operations, ${cost.messagesPerCommit} messages, ` +
      `${cost.signaturesPerCommit} signatures and ${cost.syncsPerCommit} syncs each, ` +
      `${cost.virtualMilliseconds} ms of virtual time`,
  );
  // What no group should be is not compared.
  const alone = `; of one commit alone: quorumlab compare ${row.protocol} -n ${row.n} -f ${row.f}`;
  io.out(
    '            of the whole run, its elections, heartbeats and retries' +
      (row.unsafe === undefined ? alone : ''),
  );
  io.out(`  digest    ${row.digest}`);
  if (row.counterexample?.trace !== undefined) io.out(`  trace     ${row.counterexample.trace}`);
  const again = row.counterexample?.replay ?? againLine(result.scenario);
  if (again !== undefined) io.out(`  again     ${again}`);
}

const summary = ({ answered, word, spent }: RunResult): string =>
  word === 'ok'
    ? `${answered} operations answered, all honest logs and states agree`
    : `${answered} operations answered before ${spent === 'patience' ? 'a signal' : 'a budget'} ` +
      'ended it';

/** What happened, sentence by sentence. */
export function sayStory(io: Io, { story = [] }: VerdictRow): void {
  for (const [i, sentence] of story.entries())
    io.out(`  ${(i === 0 ? 'story' : '').padEnd(10)}${sentence}`);
}

/** The two signatures that prove each lie. */
export function sayProofs(io: Io, row: VerdictRow): void {
  const proofs = row.counterexample?.proofs ?? [];
  for (const { signer, about, first, second } of proofs.slice(0, 1)) {
    io.out(
      `  proof     n${signer} signed two statements about ${about}, ` +
        'of which only one may be signed:',
    );
    for (const { kind, what, signature } of [first, second])
      io.out(
        `            ${kind} ${what} ${io.sign('arrow')} signature ${signature.slice(0, 32)}…`,
      );
  }
  if (proofs.length > 1) io.out(`            and ${proofs.length - 1} more: --json has them all`);
  const named = (row.counterexample?.culprits ?? []).map((id) => `n${id}`);
  if (named.length > 1) io.out(`  culprits  ${named.join(', ')}: each is proven to have lied`);
}
