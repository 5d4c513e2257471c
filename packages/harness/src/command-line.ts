/** The command line that runs a scenario. */
import { attackOf } from './attacks.ts';
import { livingQuorum } from './claims.ts';
import { completeScenario } from './defaults.ts';
import type { Scenario, ScenarioFault } from './scenario.ts';

/** A word as shells take it. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/**
 * How to run a scenario again that may be in a trace. No flag tells the choices of a shrunk run,
 * what happens to single messages, lines that are in no file, nor what only random worlds have:
 * those need the trace, and without one there is no such line.
 */
export function againLine(scenario: Scenario, trace?: string): string | undefined {
  const { script, commands, commandsFrom } = scenario;
  const { copies, principals, changes, sessionCaps, stepBytes } = scenario;
  const untold = [script, copies, principals, changes, sessionCaps, stepBytes];
  const isInFile = commands === undefined || commandsFrom !== undefined;
  if (isInFile && untold.every((each) => each === undefined)) return commandLine(scenario);
  return trace === undefined ? undefined : `quorumlab replay ${quoted(trace)}`;
}

/** The command line that runs a scenario again. */
export const commandLine = (scenario: Scenario): string =>
  `quorumlab run ${scenario.protocol} ${flagsOf(scenario).join(' ')}`;

/**
 * The flags of a scenario, as a shell takes them: what is not the default, and always n, f and the
 * seed. Read by our own parser they give an equal scenario, if it has no {@link Scenario.script}.
 */
export function flagsOf(scenario: Scenario): readonly string[] {
  const { protocol, n, f, attack, by, commands, commandsFrom, reads } = scenario;
  const told = reads === undefined ? {} : { reads };
  const plain = completeScenario({ protocol, n, f, attack, ...told });
  const flags: string[] = [`-n ${n}`, `-f ${f}`];
  const tell = (flag: string, value: string | number): void => {
    const text = quoted(`${value}`);
    flags.push(text.startsWith('-') ? `${flag}=${text}` : `${flag} ${text}`);
  };
  const add = (flag: string, value: string | number, usual: string | number): void => {
    if (value !== usual) tell(flag, value);
  };
  if (attack !== 'none') tell('--attack', attack);
  const liars = (ids: readonly number[]): string => (ids.length === 0 ? 'none' : ids.join(','));
  // Who lies is part of the story, so it is always said.
  add('--by', liars(by), attackOf(attack).needs === 'byzantine' ? '' : liars(plain.by));
  add('--net', scenario.network, plain.network);
  add('--clock', scenario.clocks, plain.clocks);
  for (const [flag, value] of faultFlags(scenario.faults)) tell(flag, value);
  if (commandsFrom !== undefined) tell('--workload', commandsFrom);
  else add('--workload', scenario.workload, plain.workload);
  add('--count', scenario.count, commands?.length ?? plain.count);
  add('--clients', scenario.clients, plain.clients);
  add('--outstanding', scenario.outstanding, plain.outstanding);
  add('--until', timeText(scenario.until), timeText(plain.until));
  if (scenario.events !== undefined) tell('--events', scenario.events);
  add('--crypto', scenario.crypto, plain.crypto);
  if (scenario.reads !== undefined) tell('--reads', scenario.reads);
  for (const [name, value] of Object.entries(scenario.options ?? {}))
    tell('--option', `${name}=${value}`);
  if (scenario.mutant !== undefined) tell('--mutant', scenario.mutant);
  if (scenario.unsafe) flags.push('--unsafe-n');
  if (scenario.quorum !== undefined) tell('--quorum', scenario.quorum);
  // Otherwise the flag before would set one.
  else if (scenario.unsafe && livingQuorum(scenario) !== undefined) tell('--quorum', 'usual');
  tell('--seed', scenario.seed);
  return flags;
}

/**
 * Faults as flags that give the same list again. `--crash` and `--split` are for people; they stand
 * before each other fault, so what has another order is told as it stands in traces.
 */
function faultFlags(
  faults: readonly ScenarioFault[],
): readonly (readonly [flag: string, value: string])[] {
  const flags: (readonly [string, string])[] = [];
  let i = 0;
  for (
    let each = faults[i];
    each?.type === 'crash' && each.boundary === undefined;
    each = faults[i]
  ) {
    const back = faults[i + 1];
    const isBack =
      back?.type === 'restart' && back.node === each.node && Object.keys(back).length === 3;
    flags.push([
      '--crash',
      `${each.node}@${timeText(each.at)}${isBack ? `..${timeText(back.at)}` : ''}`,
    ]);
    i += isBack ? 2 : 1;
  }
  for (let each = faults[i]; each?.type === 'split' && isTellable(each.groups); each = faults[i]) {
    const end = faults[i + 1];
    const until = end?.type === 'heal' ? `..${timeText(end.at)}` : '';
    const groups = each.groups.map(groupText);
    flags.push(['--split', `${groups.join('-')}@${timeText(each.at)}${until}`]);
    i += until === '' ? 1 : 2;
  }
  for (const each of faults.slice(i)) flags.push(['--fault', JSON.stringify(each)]);
  return flags;
}

/** `12` for nodes of one digit, `1,12` for others, and a comma behind one alone. */
const groupText = (group: readonly number[]): string =>
  group.every((id) => id < 10)
    ? group.join('')
    : `${group.join(',')}${group.length === 1 ? ',' : ''}`;

/** Whether `--split` has words for these groups. */
const isTellable = (groups: readonly (readonly number[])[]): boolean =>
  groups.length > 1 && groups.every(({ length }) => length > 0);

/** A time as `--until` takes it. */
export function timeText(microseconds: number): string {
  if (microseconds % 1000 !== 0) return `${microseconds}us`;
  const milliseconds = microseconds / 1000;
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}
