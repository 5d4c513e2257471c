import { type VerdictWord, verdictWords } from '@quorumlab/checker';
import {
  attackOf,
  completeScenario,
  faultOf,
  livingQuorum,
  microseconds,
  nearest,
  type OptionValues,
  optionsWithReads,
  type ProtocolEntry,
  protocolOf,
  type Reads,
  readOption,
  readsWords,
  type Scenario,
  ScenarioError,
  type ScenarioFault,
  unknownName,
  workloads,
} from '@quorumlab/harness';
import type { Command } from 'commander';
import { readText } from './files.ts';
import { withProtocolOptions } from './help.ts';
import { usualJobs } from './worker-pool.ts';

/** Scenario flags as commander gives them. */
export interface ScenarioFlags {
  readonly n?: string;
  readonly f?: string;
  readonly attack?: string;
  readonly by?: string;
  readonly net?: string;
  readonly clock?: string;
  readonly crash?: readonly string[];
  readonly split?: readonly string[];
  readonly fault?: readonly string[];
  readonly workload?: string;
  readonly count?: string;
  readonly clients?: string;
  readonly outstanding?: string;
  readonly until?: string;
  readonly events?: string;
  readonly crypto?: string;
  readonly mutant?: string;
  readonly reads?: string;
  readonly option?: readonly string[];
  readonly unsafeN?: boolean;
  readonly quorum?: string;
  readonly seed?: string;
}

/** Collects the values of a flag that can be repeated. */
export const gather = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

/** What `--reads` takes. */
export const readsHelp =
  'what reads promise: quorum, lease, local or stale: quorumlab list reads (default: quorum)';

/** Adds the flags that describe a scenario; the same names everywhere. */
export const withScenarioFlags = (command: Command): Command =>
  withProtocolOptions(
    command
      .option(
        '-n <replicas>',
        'how many replicas, 1 to 10000 (default: what f takes: 3f+1 or 2f+1)',
      )
      .option('-f <faults>', 'how many faulty ones it is to survive (default: what n allows, or 1)')
      .option(
        '--attack <name>',
        `what goes wrong: quorumlab list attacks ${attackDefault(command)}`,
      )
      .option(
        '--by <nodes>',
        'who lies, e.g. 0 or 0,2; or none (default: n0, and more if it takes)',
      )
      .option('--net <network>', 'lan, wan, lossy, async or psync:gst=1s,delta=20ms (default: lan)')
      .option('--reads <kind>', readsHelp)
      .option(
        '--clock <clocks>',
        'e.g. offset=5ms,drift=100ppm,epsilon=7ms,growth=200ppm,sync=30s, or truetime ' +
          '(default: perfect)',
      )
      .option(
        '--crash <node@time>',
        'a crash, e.g. leader@900ms, or 3@900ms..2s to restart it; repeatable (default: none)',
        gather,
      )
      .option(
        '--split <groups@times>',
        'a cut, e.g. 01-23@900ms..1500ms; who is not named reaches all; repeatable (default: none)',
        gather,
      )
      .option(
        '--fault <json>',
        'any other fault, as traces write it; repeatable (default: none)',
        gather,
      )
      .option(
        '--workload <name|file>',
        'writes, a, b, c, f, or an NDJSON file such as ./mine.ndjson (default: contest)',
      )
      .option('--count <operations>', 'operations of all clients together (default: 20)')
      .option('--clients <clients>', 'how many clients, 1 to 1000 (default: 2)')
      .option('--outstanding <operations>', 'operations under way per client (default: 1)')
      .option('--until <time>', 'virtual time at most: us, ms, s or m (default: 5s)')
      .option('--events <most>', 'events of the simulator at most (default: 20000000)')
      .option('--crypto <kind>', 'signatures: ideal or ed25519 (default: ideal)')
      .option('--mutant <name>', 'a wrong rule: quorumlab list mutants (default: none)')
      .option(
        '--option <name=value>',
        "an option of the protocol's own, e.g. heartbeat=20ms; repeatable (default: see below)",
        gather,
      )
      .option('--unsafe-n', 'run it although n is too small for f, with quorums of n-f')
      .option(
        '--quorum <size>',
        'an unsafe experiment: so many are a quorum (default: usual, as many as right)',
      )
      .option('--seed <seed>', 'a number or a word, up to 100 characters (default: 42)'),
  );

/** Searches look for a liar unless told. */
const attackDefault = (command: Command): string =>
  command.name() === 'attack' ? '(default: equivocating-leader)' : '(default: none)';

/** The scenario that flags describe. Throws a ScenarioError with a sentence that teaches. */
export function scenarioOf(protocol: string, flags: ScenarioFlags): Scenario {
  const entry = protocolOf(protocol);
  if (flags.attack !== undefined) attackOf(flags.attack);
  const given: { -readonly [K in keyof Scenario]?: Scenario[K] } = {};
  if (flags.n !== undefined) given.n = wholeNumber('-n', flags.n, 1, 10_000);
  if (flags.f !== undefined) given.f = wholeNumber('-f', flags.f, 0, 3333);
  if (flags.attack !== undefined) given.attack = flags.attack;
  if (flags.by !== undefined) given.by = flags.by === 'none' ? [] : nodesOf('--by', flags.by);
  if (flags.net !== undefined) given.network = flags.net;
  if (flags.clock !== undefined) given.clocks = flags.clock;
  Object.assign(given, workloadIn(flags));
  if (flags.clients !== undefined) given.clients = wholeNumber('--clients', flags.clients, 1, 1000);
  if (flags.outstanding !== undefined)
    given.outstanding = wholeNumber('--outstanding', flags.outstanding, 1, 65_536);
  if (flags.until !== undefined) given.until = timeOf('--until', flags.until, 1);
  if (flags.events !== undefined) given.events = wholeNumber('--events', flags.events, 1, 1e12);
  if (flags.crypto !== undefined) given.crypto = oneOf('--crypto', flags.crypto, cryptos);
  if (flags.reads !== undefined) given.reads = readsWord(flags.reads);
  if (flags.mutant !== undefined) given.mutant = flags.mutant;
  if (flags.option !== undefined) given.options = optionsOf(entry, flags.option);
  if (flags.unsafeN) given.unsafe = true;
  if (flags.seed !== undefined) given.seed = seedOf(flags.seed);
  const faults = [
    ...(flags.crash ?? []).flatMap(crashOf),
    ...(flags.split ?? []).flatMap(splitOf),
    ...(flags.fault ?? []).map(faultOf),
  ];
  if (faults.length > 0) given.faults = faults;
  const scenario = completeScenario({ ...given, protocol });
  const quorum = quorumOf(flags, scenario);
  return quorum === undefined ? scenario : { ...scenario, quorum };
}

/**
 * The size of quorums if it is not the protocol's: what `--quorum` says, or as many as answer in a
 * group that is too small, so that it breaks and does not only stop.
 */
function quorumOf({ quorum, unsafeN }: ScenarioFlags, scenario: Scenario): number | undefined {
  if (quorum === undefined) return unsafeN ? livingQuorum(scenario) : undefined;
  return quorum === 'usual' ? undefined : wholeNumber('--quorum', quorum, 1, scenario.n);
}

/** As {@link scenarioOf}, and everything that the flags say has something to act on. */
export function actingScenarioOf(protocol: string, flags: ScenarioFlags): Scenario {
  const scenario = scenarioOf(protocol, flags);
  requireActing(scenario, flags);
  return scenario;
}

/** What `--reads` says. Throws a ScenarioError for a word that is none. */
export const readsWord = (text: string): Reads => oneOf('--reads', text, readsWords);

const cryptos = ['ideal', 'ed25519'] as const;

/** What is told and could do nothing would be passed over in silence. */
function requireActing(scenario: Scenario, flags: ScenarioFlags): void {
  const { attack, by, faults, until, n, commands, count } = scenario;
  if (flags.by !== undefined && attackOf(attack).needs !== 'byzantine')
    throw new ScenarioError(
      'QL103',
      `--by ${flags.by} says who lies, and ` +
        `${attack === 'none' ? 'no attack says how' : `${attack} takes no liar`}.\n` +
        '  use   --attack equivocating-leader, or another one (quorumlab list attacks)',
    );
  optionsWithReads(protocolOf(scenario.protocol), scenario.reads, scenario.options);
  if (flags.reads !== undefined && ['contest', 'writes'].includes(scenario.workload))
    throw new ScenarioError(
      'QL103',
      `--reads ${flags.reads} is about reads, and the workload ${scenario.workload} has none.\n` +
        '  use   --workload b, or another one: quorumlab list workloads',
    );
  const outside = by.find((id) => id >= n);
  if (outside !== undefined)
    throw new ScenarioError('QL103', `--by names n${outside}, but the nodes are n0 to n${n - 1}.`);
  const late = faults.find(({ at, type }) => at >= until && (type === 'crash' || type === 'split'));
  if (late !== undefined)
    throw new ScenarioError(
      'QL105',
      `a ${late.type} at ${late.at / 1000} ms never comes: the run ends at ${until / 1000} ms.\n` +
        `  use   --until with a longer time, or an earlier --${late.type}`,
    );
  for (const fault of faults) if (fault.type === 'split') requireApart(fault.groups);
  if (commands !== undefined && count !== commands.length)
    throw new ScenarioError(
      'QL100',
      `--count does not go with a workload file: each of its ${commands.length} lines is run once.`,
    );
}

/** A node in two groups would be in the last of them, whatever was meant. */
function requireApart(groups: readonly (readonly number[])[]): void {
  const nodes = groups.flat();
  const twice = nodes.find((id, i) => nodes.indexOf(id) !== i);
  if (twice !== undefined)
    throw new ScenarioError('QL105', `--split names n${twice} twice; name each node once.`);
}

/** How many threads `--jobs` names; one per processor unless told. */
export const jobsOf = (text: string | undefined): number =>
  text === undefined ? usualJobs() : wholeNumber('--jobs', text, 1, 64);

/** The word that `--expect` takes, if it is given. */
export const expected = (word: string | undefined): VerdictWord | undefined =>
  word === undefined ? undefined : oneOf('--expect', word, verdictWords);

/** What `--option name=value`, given once or more, sets. Throws a ScenarioError that teaches. */
export function optionsOf(entry: ProtocolEntry, texts: readonly string[]): OptionValues {
  const options: Record<string, OptionValues[string]> = {};
  for (const [name, value] of texts.flatMap((text) => Object.entries(readOption(entry, text)))) {
    if (Object.hasOwn(options, name))
      throw new ScenarioError('QL117', `--option sets ${name} twice; set it once.`);
    options[name] = value;
  }
  return options;
}

/** A whole number from `least` to `most`, or a ScenarioError that names the flag. */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new ScenarioError(
    'QL102',
    `${flag} takes a whole number from ${least} to ${most}, not "${short(text)}".`,
  );
}

/** One of `words`, or a ScenarioError that names the flag and the nearest of them. */
export function oneOf<W extends string>(flag: string, text: string, words: readonly W[]): W {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  const near = nearest(text, words)[0];
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new ScenarioError('QL101', `${flag} takes ${listed(words)}, not "${short(text)}".${hint}`);
}

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** A time in microseconds, or a ScenarioError that names the flag. */
export function timeOf(flag: string, text: string, least = 0): number {
  const value = asTime(text);
  if (value !== undefined && value >= least) return value;
  const above = least > 1 ? ` from ${least / 1000}ms on` : least > 0 ? ' above 0' : '';
  throw new ScenarioError(
    'QL105',
    `${flag} takes a time${above} with its unit, e.g. 300us, 20ms, 1.5s or 2m, ` +
      `not "${short(text)}".`,
  );
}

function asTime(text: string): number | undefined {
  try {
    return microseconds(text);
  } catch (error) {
    if (error instanceof ScenarioError) return undefined;
    throw error;
  }
}

/** Nodes as `0,2` or `n0,n2`, each once. */
export function nodesOf(flag: string, text: string): readonly number[] {
  const nodes = text
    .split(',')
    .map((each) => wholeNumber(flag, each.trim().replace(/^n/, ''), 0, 9999));
  const twice = nodes.find((id, i) => nodes.indexOf(id) !== i);
  if (twice !== undefined)
    throw new ScenarioError('QL103', `${flag} names n${twice} twice; name each node once.`);
  return nodes;
}

/** A seed goes into names of files, which have an end. */
const longestSeed = 100;

/** A seed as it is. Throws a ScenarioError if it is too long. */
export function seedOf(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
  if (/[\0-\x1f\x7f]/.test(text))
    throw new ScenarioError('QL102', '--seed takes a number or a word in one line.');
  if (text.length <= longestSeed) return text;
  throw new ScenarioError(
    'QL102',
    `--seed takes a number or a word of up to ${longestSeed} characters, and this one has ` +
      `${text.length}.`,
  );
}

/** What somebody wrote, as far as it helps to see which of it was meant. */
const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

/** The workload: a preset, or the lines of the file that the flag names. */
function workloadIn({ workload, count }: ScenarioFlags): Partial<Scenario> {
  const given = count === undefined ? {} : { count: wholeNumber('--count', count, 1, 1e9) };
  if (workload === undefined) return given;
  if (!/[./\\]/.test(workload)) {
    const presets = workloads.map(({ name }) => name).filter((name) => name !== 'file');
    if (presets.includes(workload)) return { ...given, workload };
    const near = nearest(workload, presets);
    if (near.length > 0 && workload !== 'file') throw unknownName('workload', workload, presets);
    throw new ScenarioError(
      'QL101',
      `There is no workload "${short(workload)}"; there are ${listed(presets)}.\n` +
        `  or    --workload ./${short(workload)}   for a file of that name`,
    );
  }
  const commands = readText(workload)
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (commands.length === 0)
    throw new ScenarioError('QL107', `the workload file ${workload} has no operation in it.`);
  return { workload: 'file', commands, commandsFrom: workload, count: commands.length, ...given };
}

/** `900ms..2s`: when something begins and, if it is told, when it ends, which is later. */
function spanOf(flag: string, text: string): readonly [from: number, to: number | undefined] {
  const at = text.indexOf('..');
  const from = timeOf(flag, at < 0 ? text : text.slice(0, at));
  if (at < 0) return [from, undefined];
  const to = timeOf(flag, text.slice(at + 2));
  if (to > from) return [from, to];
  throw new ScenarioError(
    'QL105',
    `${flag} "${short(text)}" ends before it begins; write the earlier time first.`,
  );
}

function crashOf(text: string): readonly ScenarioFault[] {
  const found = /^n?(\d{1,5}|leader)@(.+)$/.exec(text);
  if (found === null)
    throw new ScenarioError(
      'QL105',
      `--crash "${short(text)}": write e.g. 3@900ms or leader@900ms, or 3@900ms..2s to restart it.`,
    );
  const node = found[1] === 'leader' ? 'leader' : Number(found[1]);
  const [at, end] = spanOf('--crash', found[2] as string);
  const crash: ScenarioFault = { type: 'crash', at, node };
  return end === undefined ? [crash] : [crash, { type: 'restart', at: end, node }];
}

function splitOf(text: string): readonly ScenarioFault[] {
  const wrong = (why: string): ScenarioError =>
    new ScenarioError(
      'QL105',
      `--split "${short(text)}"${why}: write e.g. 01-23@900ms..1500ms, or 0,1-10,11@1s.`,
    );
  const found = /^([\d,]+(?:-[\d,]+)+)@(.+)$/.exec(text);
  if (found === null) throw wrong('');
  const groups = (found[1] as string).split('-').map((group) => nodesIn(group));
  if (groups.flat().includes(Number.NaN)) throw wrong(' has a comma too many');
  const [at, end] = spanOf('--split', found[2] as string);
  const split: ScenarioFault = { type: 'split', at, groups };
  return end === undefined ? [split] : [split, { type: 'heal', at: end }];
}

/** `12` are two nodes, `1,12` two as well, and a comma behind a lone one tells `12,` from those. */
function nodesIn(group: string): readonly number[] {
  if (!group.includes(',')) return [...group].map(Number);
  return group
    .replace(/^(\d+),$/, '$1')
    .split(',')
    .map((each) => (each === '' ? Number.NaN : Number(each)));
}
