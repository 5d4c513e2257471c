import { join } from 'node:path';
import { range } from '@quorumlab/core';
import {
  attackOf,
  attacks,
  protocolOf,
  type Scenario,
  type SearchResult,
  type Shrunk,
  search,
  shrink,
  summarise,
  tooFewTraitors,
  type VerdictRow,
  variantsOf,
} from '@quorumlab/harness';
import type { Command } from 'commander';
import { type ScenarioFlags, scenarioOf, wholeNumber, withScenarioFlags } from '../flags.ts';
import { type GlobalFlags, grouped, type Io, progressOf, terminal } from '../io.ts';
import {
  commandLine,
  costOf,
  exitOf,
  flagsOf,
  type LeftOut,
  resultOf,
  searchRow,
  shrinkRecord,
} from '../result.ts';
import { expectation, headline, sayNotes, sayProofs, storyColumns, verdictWord } from '../words.ts';
import { attackMutants } from './attack-mutant.ts';
import { fileOf, runWithTrace } from './run.ts';

interface AttackFlags extends ScenarioFlags {
  readonly seeds?: string;
  readonly expect?: string;
  readonly traces?: string;
}

/** `quorumlab attack <protocol>`: looks for a violation over many seeds. */
export function addAttack(program: Command): void {
  withScenarioFlags(program.command('attack <protocol>'))
    .description('search seeds for a violation and show the first')
    .option('--seeds <runs>', 'how many seeds', '1000')
    .option('--traces <folder>', 'where counterexamples go', join('.quorumlab', 'traces'))
    .option('--expect <word>', 'exit 0 only if the verdict is this word')
    .action((protocol: string, flags: AttackFlags, command: Command) => {
      if (flags.mutant !== undefined && flags.attack === undefined)
        return attackMutants(protocol, flags.mutant, flags.expect, command);
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const seeds = wholeNumber('--seeds', flags.seeds ?? '1000', 1, 1e9);
      const { scenarios, leftOut } = scenariosOf(protocol, flags);
      if (!io.json)
        for (const { attack, why } of leftOut) io.out(`${attack} is left out: ${why}\n`);
      const rows: VerdictRow[] = [];
      for (const scenario of scenarios)
        rows.push(attackOne(io, scenario, seeds, flags.traces ?? '.quorumlab/traces'));
      const exit = exitOf(rows, flags.expect);
      if (io.json) {
        const line = lineOf(protocol, flags, seeds);
        const result = resultOf(line, scenarios, rows, [], exit);
        io.out(JSON.stringify(leftOut.length === 0 ? result : { ...result, leftOut }));
      }
      process.exitCode = exit;
    });
}

/** The command line of this search. */
function lineOf(protocol: string, flags: AttackFlags, seeds: number): string {
  const { attack, ...others } = usual(protocol, flags);
  const told = scenarioOf(protocol, attack === 'all' ? others : { ...others, attack });
  const all = attack === 'all' ? ['--attack all'] : [];
  return ['quorumlab attack', protocol, ...flagsOf(told), ...all, `--seeds ${seeds}`].join(' ');
}

/**
 * The flags with an attack, if they name none: a lying leader. Against quorums that may not meet in
 * an honest node one that shows it, with as many liars as the group is said to survive.
 */
function usual(protocol: string, flags: AttackFlags): AttackFlags & { readonly attack: string } {
  const { attack } = flags;
  if (attack !== undefined) return { ...flags, attack };
  if (!flags.unsafeN && flags.quorum === undefined)
    return { ...flags, attack: 'equivocating-leader' };
  if (protocolOf(protocol).claims.faults === 'crash') return { ...flags, attack: 'split' };
  const { f } = scenarioOf(protocol, flags);
  return { ...flags, attack: 'double-voter', by: flags.by ?? range(Math.max(1, f)).join(',') };
}

/** One scenario per attack that the flags name, and per variant unless they name one. */
function scenariosOf(
  protocol: string,
  flags: AttackFlags,
): { readonly scenarios: readonly Scenario[]; readonly leftOut: readonly LeftOut[] } {
  const { attack: chosen, ...others } = usual(protocol, flags);
  const of = (attack: string): Scenario => scenarioOf(protocol, { ...others, attack });
  if (chosen !== 'all') return { scenarios: variantsOf(of(chosen)), leftOut: [] };
  const named = attacks.filter(({ needs }) => needs !== 'nothing').map(({ name }) => of(name));
  const leftOut = named.flatMap((scenario): LeftOut[] => {
    const why = tooFewTraitors(scenario);
    return why === undefined ? [] : [{ attack: scenario.attack, why }];
  });
  const scenarios = named.filter((scenario) => tooFewTraitors(scenario) === undefined);
  return { scenarios: scenarios.flatMap((scenario) => variantsOf(scenario)), leftOut };
}

function attackOne(io: Io, scenario: Scenario, seeds: number, folder: string): VerdictRow {
  attackOf(scenario.attack);
  const progress = progressOf(io, 'seeds');
  const found = summarise(search(scenario, seeds), seeds, ({ runs, of, hits }) =>
    progress.update(runs, of, `${io.sign('fail')} ${hits}`),
  );
  progress.end();
  if (found.first === undefined) {
    const row = searchRow(scenario, found);
    if (!io.json) sayClean(io, scenario, found, row);
    return row;
  }
  // The search keeps nothing; the first hit is run again, smaller, with its trace and its proofs.
  const { scenario: hit, events } = found.first;
  const small = shrink(hit);
  const file = join(folder, fileOf(small?.scenario ?? hit));
  const shown = runWithTrace(small?.scenario ?? hit, file);
  const first = { seed: hit.seed, events, replay: commandLine(hit) };
  const smaller = small === undefined ? {} : { first, shrunk: shrinkRecord(small) };
  const row = searchRow(scenario, found, shown, file, smaller);
  if (io.json) return row;
  io.out(headline(scenario));
  io.out('');
  io.out(
    `${verdictWord(io, row.word)}   ${grouped(row.hits)} of ${grouped(row.runs)} seeds. ` +
      `First: seed ${hit.seed}, ${grouped(events)} events` +
      (small === undefined ? '' : ` ${io.sign('arrow')} ${shrunkTo(small)}`),
  );
  io.out(`  rule      ${row.counterexample?.rule}: ${row.counterexample?.sentence}`);
  for (const line of storyColumns(io, shown)) io.out(`  ${line}`);
  sayProofs(io, row);
  io.out(`  ${expectation(row)}`);
  sayNotes(io, row);
  io.out(`  cost      ${costOf(shown).messages} messages until then`);
  io.out(`  trace     ${file}`);
  io.out(`  replay    quorumlab replay ${file}`);
  io.out(`  first     ${first.replay}`);
  io.out('');
  return row;
}

const shrunkTo = ({ after, scenario, tries }: Shrunk): string =>
  `shrunk to ${grouped(after)} among ${scenario.n} nodes (${grouped(tries)} tries)`;

function sayClean(io: Io, scenario: Scenario, found: SearchResult, row: VerdictRow): void {
  io.out(headline(scenario));
  const fired = row.note ?? `the attack fired in ${grouped(found.fired)} of them`;
  const { runs, inconclusive } = found;
  const left = inconclusive === 0 ? '' : `, of which ${grouped(inconclusive)} were not finished`;
  io.out(`${verdictWord(io, row.word)}   no violation in ${grouped(runs)} seeds${left}; ${fired}`);
  io.out(
    `  the true rate is below ${found.upper95.toFixed(2)} % with 95 % confidence; this is no proof`,
  );
  io.out(`  ${expectation(row)}`);
  sayNotes(io, row);
  io.out('');
}
