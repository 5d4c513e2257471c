import {
  againLine,
  attackOf,
  type ColumnsOptions,
  columns,
  expectation,
  headline,
  type RunCost,
  type RunResult,
  type VerdictRow,
} from '@quorumlab/harness';
import type { Io, Sign, Style } from './io.ts';

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
