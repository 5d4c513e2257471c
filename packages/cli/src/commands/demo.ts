import {
  completeScenario,
  nameRequests,
  type RunResult,
  runScenario,
  type Scenario,
  type StoryLine,
} from '@quorumlab/harness';
import type { Command } from 'commander';
import { columns, sideBySide } from '../columns.ts';
import { exitCodes } from '../errors.ts';
import { type GlobalFlags, type Io, terminal } from '../io.ts';
import { type CostRow, commandLine, costOf, resultOf, rowOf, type VerdictRow } from '../result.ts';
import { sayProofs, verdictWord } from '../words.ts';
import { realDemo } from './demo-real.ts';

interface DemoFlags {
  readonly real?: boolean;
  readonly sim?: boolean;
  readonly seed?: string;
}

/** The story of the demo: two clients want one thing, and the leader promises it to both. */
export const demoScenario = (protocol: string, seed = '42'): Scenario =>
  completeScenario({
    protocol,
    attack: 'equivocating-leader',
    by: [0],
    count: 2,
    clients: 2,
    crypto: 'ed25519',
    seed,
  });

/** `quorumlab demo`: one liar, two protocols; in the simulator and as real processes. */
export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('one lying leader against Raft and PBFT, simulated and as real processes')
    .option('--real', 'only the real processes')
    .option('--sim', 'only the simulator')
    .option('--seed <seed>', 'another seed for the simulator')
    .action(async (flags: DemoFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      if (!flags.real) simulatedDemo(io, flags.seed);
      if (!flags.real && !flags.sim && !io.json) io.out('');
      // One document on stdout: with --json the simulator speaks unless --real is given.
      if (flags.real || (!flags.sim && !io.json)) await realDemo(io);
    });
}

function simulatedDemo(io: Io, seed?: string): void {
  const start = performance.now();
  const scenarios = ['raft', 'pbft'].map((protocol) => demoScenario(protocol, seed));
  const results = scenarios.map((scenario) => runScenario(scenario, { proofs: true, story: true }));
  const seconds = ((performance.now() - start) / 1000).toFixed(2);
  const rows = results.map((result) => rowOf(result));
  const costs = results.map(costOf);
  const expected = rows[0]?.word === 'forked' && rows[1]?.word === 'ok';
  const exit = expected ? exitCodes.expected : exitCodes.unexpected;
  if (io.json) io.out(JSON.stringify(resultOf('quorumlab demo', scenarios, rows, costs, exit)));
  else {
    const how = `(simulated, seed ${seed ?? '42'}, ${seconds} s)`;
    const heading = `One node lies. Same attack, same seed, two protocols.  ${how}`;
    sayTwoColumns(io, heading, results.map(sideOf), rows, costs);
    io.out(`  again   ${commandLine(scenarios[0] as Scenario)}`);
    io.out('  proof   quorumlab explain demo --proof');
  }
  process.exitCode = exit;
}

/** One half of the demo's picture. */
export interface DemoSide {
  readonly title: string;
  readonly n: number;
  readonly traitors: readonly number[];
  readonly story: readonly StoryLine[];
  /** `n1=Ann, n2=Bob` at the contested position. */
  readonly values: string;
}

const titles: Readonly<Record<string, string>> = {
  raft: 'built for 1 crash',
  pbft: 'built for 1 traitor',
};

/** The heading of a half: `RAFT  n=3, built for 1 crash`. */
export const titleOf = (protocol: string, n: number): string =>
  `${protocol.toUpperCase()}  n=${n}, ${titles[protocol] ?? ''}`;

function sideOf(result: RunResult): DemoSide {
  const { scenario, committed, violation } = result;
  const slot = violation?.slot ?? firstCommand(result);
  const values = [...committed]
    .sort(([one], [two]) => one - two)
    .map(([seat, slots]) => `n${seat}=${namesAt(slots.get(slot))}`);
  return {
    title: titleOf(scenario.protocol, scenario.n),
    n: scenario.n,
    traitors: scenario.by,
    story: tellable(result.story, slot),
    values: `position ${slot}: ${values.join(', ')}`,
  };
}

/** The first position at which anything but a no-op was committed. */
const firstCommand = ({ committed }: RunResult): number => {
  const slots = [...committed.values()].flatMap((each) =>
    [...each].filter(([, commands]) => commands.length > 0).map(([slot]) => slot),
  );
  return slots.length === 0 ? 0 : Math.min(...slots);
};

const namesAt = (commands: Parameters<typeof nameRequests>[0] | undefined): string =>
  commands === undefined ? '(nothing yet)' : nameRequests(commands);

/** What is about the contested position: the lie, what is accepted and committed, who leads next. */
export function tellable(story: readonly StoryLine[], slot: number): readonly StoryLine[] {
  const lie = story.findIndex(({ kind }) => kind === 'says');
  const seen = new Set<string>();
  return story.slice(Math.max(0, lie)).filter(({ kind, seat, slot: about, text }) => {
    if (kind === 'says') return !seen.has('says') && Boolean(seen.add('says'));
    if (kind === 'commits') return about === slot;
    const once = `${seat} ${kind} ${kind === 'leads' ? text : ''}`;
    return !seen.has(once) && Boolean(seen.add(once));
  });
}

/** Both halves, their verdicts, the cost of not being fooled, and the proof. */
export function sayTwoColumns(
  io: Io,
  heading: string,
  sides: readonly DemoSide[],
  rows: readonly VerdictRow[],
  costs: readonly CostRow[],
): void {
  const blocks = sides.map((side, i) => {
    const row = rows[i] as VerdictRow;
    const lines = columns(markFork(side, row, io), {
      n: side.n,
      traitors: side.traitors,
      traitorSign: io.sign('traitor'),
      width: 20,
      most: 14,
    });
    return {
      title: side.title,
      lines,
      verdict: `${io.sign(row.word === 'ok' ? 'ok' : 'fail')} ${row.word}`,
      values: side.values,
    };
  });
  const [left, right] = blocks as [(typeof blocks)[number], (typeof blocks)[number]];
  const rest = Math.max(left.lines.length, right.lines.length);
  const pad = (lines: readonly string[]): readonly string[] => [
    ...lines,
    ...Array.from({ length: rest - lines.length }, () => ''),
  ];
  const block = (
    { title, lines, verdict, values }: (typeof blocks)[number],
    cost: string,
  ): readonly string[] => [title, ...pad(lines), '', `${verdict}   ${values}`, cost];
  const cheap = costs[0]?.messagesPerCommit;
  const dear = costs[1]?.messagesPerCommit;
  const costLine =
    cheap !== undefined && dear !== undefined
      ? `cost: ${dear} messages per operation, not ${cheap}`
      : '';
  io.out(io.paint('strong', heading));
  io.out('');
  for (const line of sideBySide(block(left, 'both honest, both sure'), block(right, costLine)))
    io.out(`  ${line}`);
  io.out('');
  const proven = rows.find(({ counterexample }) => (counterexample?.proofs.length ?? 0) > 0);
  if (proven !== undefined) sayProofs(io, proven);
  io.out(`  ${rows.map((row) => `${row.protocol}: ${verdictWord(io, row.word)}`).join('   ')}`);
}

/** Marks the commits of a fork, so that they stand out without colour. */
const markFork = ({ story }: DemoSide, { word }: VerdictRow, io: Io): readonly StoryLine[] => {
  if (word !== 'forked') return story;
  let first: string | undefined;
  return story.map((line) => {
    if (line.kind !== 'commits') return line;
    first ??= line.text;
    return line.text === first ? line : { ...line, text: `${line.text} ${io.sign('fail')}` };
  });
};
