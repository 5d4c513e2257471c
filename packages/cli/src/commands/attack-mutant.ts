/** `quorumlab attack <protocol> --mutant <name>`: the mutant's own schedule, on both variants. */
import { setImmediate } from 'node:timers/promises';
import { upper95 } from '@quorumlab/checker';
import {
  columns,
  type ExhibitedRun,
  type Exhibition,
  exhibit,
  narrate,
  optionText,
  type ProtocolEntry,
  protocolOf,
  ScenarioError,
  sideBySide,
  taleOfExhibit,
  type VerdictRow,
} from '@quorumlab/harness';
import type { Command } from 'commander';
import { type Exit, exitCodes } from '../errors.ts';
import { type GlobalFlags, type Io, terminal } from '../io.ts';
import { resultOf, toldOf } from '../result.ts';
import { stoppable, stopped, stoppedBy } from '../stop.ts';
import { plainStory, verdictWord } from '../words.ts';

/** What `--mutant` takes instead of a name. */
export const every = 'all';

/** Flags that mean the same with a schedule as with a search. */
const allowed: readonly string[] = ['mutant', 'expect', 'traces'];

/** Flags of a search that change nothing about one exact order of events. */
const idle: readonly string[] = ['seed', 'seeds', 'jobs'];

/**
 * Plays the schedules of the mutants that `wanted` names, and says what came of both variants.
 * Throws a ScenarioError if a flag asks for another group than the schedule's.
 */
export async function attackMutants(
  protocol: string,
  wanted: string,
  expect: string | undefined,
  command: Command,
): Promise<void> {
  const entry = protocolOf(protocol);
  requireNoOthers(command, wanted);
  const io = terminal(command.optsWithGlobals<GlobalFlags>());
  for (const [name, flag] of given(command))
    if (idle.includes(name))
      io.note(`${flag} changes nothing here: the mutant's schedule is one exact order of events.`);
  const names = wanted === every ? entry.mutants : [wanted];
  const shown: Exhibition[] = [];
  const stop = await stoppable(async (signal) => {
    for (const name of names) {
      const one = exhibit(entry, name);
      shown.push(one);
      if (!io.json) sayExhibition(io, entry, one);
      // So that signals are heard.
      await setImmediate();
      if (signal.aborted && shown.length < names.length)
        return stopped(signal, `${shown.length} schedules of ${names.length} were played`);
    }
    return undefined;
  });
  const asTold = shown.every((each) => wentAsTold(each, expect));
  const exit = stop?.exit ?? (asTold ? exitCodes.expected : exitCodes.unexpected);
  if (io.json) sayJson(io, entry, wanted, shown, exit, stop);
  if (stop !== undefined) io.complain(stop.message);
  process.exitCode = exit;
}

/** The flags of this command that were typed, by name and as they are typed. */
const given = (command: Command): readonly (readonly [name: string, flag: string])[] =>
  command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .map((option) => [option.attributeName(), option.long ?? option.short ?? ''] as const);

function requireNoOthers(command: Command, mutant: string): void {
  const others = given(command)
    .filter(([name]) => !allowed.includes(name) && !idle.includes(name))
    .map(([, flag]) => flag);
  if (others.length > 0)
    throw new ScenarioError(
      'QL100',
      `${others.join(' and ')}: the mutant's own schedule has a group and an order of its own.\n` +
        `  use   --mutant ${mutant}   alone\n` +
        '  or    --attack NAME   too, to search seeds with the mutant',
    );
}

/** Whether the right protocol stood and the mutant fell, as the schedule or `expect` says. */
const wentAsTold = ({ right, wrong, shows }: Exhibition, expect?: string): boolean =>
  right.word === 'ok' && wrong.word === (expect ?? shows);

const replayLine = ({ protocol, mutant }: Exhibition): string =>
  `quorumlab attack ${protocol} --mutant ${mutant}`;

function sayJson(
  io: Io,
  entry: ProtocolEntry,
  wanted: string,
  shown: readonly Exhibition[],
  exit: number,
  stop: Exit | undefined,
): void {
  const rows = shown.flatMap((each) => [
    rowOf(each, each.right),
    rowOf(each, each.wrong, each.mutant),
  ]);
  const line = `quorumlab attack ${entry.name} --mutant ${wanted}`;
  const mutants = shown.map((each) => ({ ...each, ...entry.flaws[each.mutant] }));
  io.out(JSON.stringify({ ...resultOf(line, [], rows, [], exit), mutants, ...stoppedBy(stop) }));
}

/** One variant as a row of results; `attack` is the schedule's name. */
function rowOf(shown: Exhibition, run: ExhibitedRun, mutant?: string): VerdictRow {
  const { protocol, n, f, shows, options } = shown;
  const { word, violation, steps, digest } = run;
  const hits = word === 'ok' ? 0 : 1;
  return {
    protocol,
    ...(mutant === undefined ? {} : { mutant }),
    n,
    f,
    attack: `schedule of ${shown.mutant}`,
    ...(Object.keys(options).length === 0 ? {} : { options }),
    word,
    expected: word === (mutant === undefined ? 'ok' : shows),
    claimed: mutant === undefined,
    runs: 1,
    hits,
    fired: 1,
    upper95: upper95(hits, 1),
    digest,
    seed: '',
    ...toldOf(taleOfExhibit(shown, run)),
    ...(violation === undefined
      ? {}
      : {
          counterexample: {
            rule: violation.rule,
            sentence: violation.sentence,
            ...(violation.slot === undefined ? {} : { slot: violation.slot }),
            seats: violation.seats,
            events: steps,
            seed: '',
            replay: replayLine(shown),
            culprits: run.liars,
            proofs: [],
          },
        }),
  };
}

function sayExhibition(io: Io, entry: ProtocolEntry, shown: Exhibition): void {
  const { mutant, right, wrong, n, f, story } = shown;
  const flaw = entry.flaws[mutant];
  const told = optionText(shown);
  const group = `${entry.name}${told === '' ? '' : ` with ${told}`} n=${n} f=${f}`;
  io.out(`${group} (${entry.claims.faults}) · the mutant ${mutant} · its schedule`);
  io.out('');
  const verdict = (name: string, { word, violation }: ExhibitedRun): void =>
    io.out(
      `${verdictWord(io, word)}${' '.repeat(Math.max(3, 12 - word.length))}` +
        `${name}: ${violation?.sentence ?? 'nothing goes wrong under this schedule'}`,
    );
  verdict(mutant, wrong);
  verdict(`the right ${entry.name}`, right);
  if (flaw !== undefined) io.out(`  wrong     ${flaw.rule} (${flaw.paper})`);
  io.out(`  schedule  ${story}`);
  io.out('');
  const blocks = [block(io, shown, wrong, mutant), block(io, shown, right)] as const;
  for (const line of sideBySide(...blocks, io.columns - 2)) io.out(line === '' ? '' : `  ${line}`);
  io.out('');
  for (const [name, run] of [
    [mutant, wrong],
    ['right', right],
  ] as const)
    for (const [i, sentence] of narrate(taleOfExhibit(shown, run)).entries())
      io.out(`  ${(i === 0 ? name : '').padEnd(Math.max(10, mutant.length + 2))}${sentence}`);
  io.out(`  ${judgement(shown)}`);
  io.out(`  digest    ${wrong.digest.slice(0, 32)} and, right, ${right.digest.slice(0, 32)}`);
  io.out(`  replay    ${replayLine(shown)}`);
  io.out('');
}

function judgement({ right, wrong, shows, protocol }: Exhibition): string {
  if (right.word !== 'ok')
    return `expected: NO. The right ${protocol} must survive this; please report it`;
  if (wrong.word !== shows) return `expected: NO. The mutant was to be ${shows}; please report it`;
  return `expected: yes. One wrong rule makes the difference: ok and ${shows}`;
}

/** Lines of a story at most: longer ones repeat themselves. */
const mostLines = 40;

/** One variant's name, and a column for each of its members. */
function block(
  io: Io,
  { protocol, n, wrong }: Exhibition,
  { word, liars, story }: ExhibitedRun,
  mutant?: string,
): readonly string[] {
  // What is contested in one variant is what one wants to see of the other, too.
  const slot = wrong.violation?.slot;
  const told = story.filter(
    (line) => line.kind !== 'commits' || slot === undefined || line.slot === slot,
  );
  return [
    `${protocol.toUpperCase()}${mutant === undefined ? '' : ` with ${mutant}`}: ${word}`,
    ...columns(plainStory(io, told), {
      n,
      traitors: liars,
      traitorSign: io.sign('traitor'),
      more: io.plain('…'),
      width: 28,
      most: mostLines,
      room: io.columns - 2,
      unit: 'step',
      hint: '--json has them all',
    }),
  ];
}
