import { readFileSync } from 'node:fs';
import {
  attackOf,
  completeScenario,
  livingQuorum,
  microseconds,
  type OptionValues,
  type ProtocolEntry,
  protocolOf,
  readOption,
  type Scenario,
  ScenarioError,
  type ScenarioFault,
} from '@quorumlab/harness';
import { type Command, Option } from 'commander';
import { faultOf } from './fault.ts';

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

/** Adds the flags that describe a scenario; the same names everywhere. */
export const withScenarioFlags = (command: Command): Command =>
  command
    .option('-n <replicas>', 'how many replicas')
    .option('-f <faults>', 'how many faulty ones it is to survive')
    .option('--attack <name>', 'what goes wrong (quorumlab list attacks)')
    .option('--by <nodes>', 'who is faulty, e.g. 0 or 0,2')
    .option('--net <network>', 'lan, wan, lossy, async, psync:gst=2s,delta=20ms')
    .option('--clock <clocks>', 'perfect, or e.g. offset=5ms,drift=100ppm,epsilon=7ms')
    .option('--crash <node@time>', 'crash, e.g. 3@900ms or 3@900ms..2s (repeatable)', gather)
    .option('--split <groups@times>', 'cut, e.g. 01-23@900ms..1500ms (repeatable)', gather)
    .option('--fault <json>', 'any other fault, as traces write it (repeatable)', gather)
    .option('--workload <name|file>', 'contest, writes, a, b, c, f, or an NDJSON file')
    .option('--count <operations>', 'operations in all')
    .option('--clients <clients>', 'how many clients')
    .option('--outstanding <operations>', 'operations under way per client')
    .option('--until <time>', 'virtual time at most, e.g. 5s')
    .option('--events <most>', 'events of the simulator at most; 20000000 unless told')
    .addOption(new Option('--crypto <kind>', 'signatures').choices(['ideal', 'ed25519']))
    .option('--mutant <name>', 'a named wrong rule of the protocol')
    .option('--option <name=value>', "an option of the protocol's own (repeatable)", gather)
    .option('--unsafe-n', 'run it although n is too small for f, with quorums of n-f')
    .option(
      '--quorum <size>',
      'an unsafe experiment: so many are a quorum; usual: as many as right',
    )
    .option('--seed <seed>', 'a number or a word');

/** The scenario that flags describe. Throws a ScenarioError with a sentence that teaches. */
export function scenarioOf(protocol: string, flags: ScenarioFlags, crypto?: 'ed25519'): Scenario {
  const entry = protocolOf(protocol);
  if (flags.attack !== undefined) attackOf(flags.attack);
  const file = workloadFile(flags.workload);
  const given: { -readonly [K in keyof Scenario]?: Scenario[K] } = {};
  if (flags.n !== undefined) given.n = wholeNumber('-n', flags.n, 1, 10_000);
  if (flags.f !== undefined) given.f = wholeNumber('-f', flags.f, 0, 3333);
  if (flags.attack !== undefined) given.attack = flags.attack;
  if (flags.by !== undefined)
    given.by = (flags.by === 'none' ? [] : flags.by.split(',')).map((each) =>
      wholeNumber('--by', each.replace(/^n/, ''), 0, 9999),
    );
  if (flags.net !== undefined) given.network = flags.net;
  if (flags.clock !== undefined) given.clocks = flags.clock;
  const faults = [
    ...(flags.crash ?? []).flatMap(crashOf),
    ...(flags.split ?? []).flatMap(splitOf),
    ...(flags.fault ?? []).map(faultOf),
  ];
  if (faults.length > 0) given.faults = faults;
  if (file !== undefined) {
    given.workload = 'file';
    given.commands = file;
    given.commandsFrom = flags.workload as string;
    given.count = file.length;
  } else if (flags.workload !== undefined) given.workload = flags.workload;
  if (flags.count !== undefined) given.count = wholeNumber('--count', flags.count, 1, 1e9);
  if (flags.clients !== undefined) given.clients = wholeNumber('--clients', flags.clients, 1, 1000);
  if (flags.outstanding !== undefined)
    given.outstanding = wholeNumber('--outstanding', flags.outstanding, 1, 65_536);
  if (flags.until !== undefined) given.until = microseconds(flags.until);
  if (flags.events !== undefined) given.events = wholeNumber('--events', flags.events, 1, 1e12);
  if (crypto !== undefined) given.crypto = crypto;
  if (flags.crypto === 'ideal' || flags.crypto === 'ed25519') given.crypto = flags.crypto;
  if (flags.mutant !== undefined) given.mutant = flags.mutant;
  if (flags.option !== undefined) given.options = optionsOf(entry, flags.option);
  if (flags.unsafeN) given.unsafe = true;
  if (flags.seed !== undefined) given.seed = flags.seed;
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

/** What `--option name=value`, given once or more, sets. Throws a ScenarioError that teaches. */
export const optionsOf = (entry: ProtocolEntry, texts: readonly string[]): OptionValues =>
  Object.assign({}, ...texts.map((text) => readOption(entry, text)));

/** A whole number from `least` to `most`, or a ScenarioError that names the flag. */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new ScenarioError(
    'QL102',
    `${flag} takes a whole number from ${least} to ${most}, not "${text}".`,
  );
}

/** Lines of the file that `--workload` names, if it is none of the presets. */
function workloadFile(name: string | undefined): readonly string[] | undefined {
  if (name === undefined || !/[./\\]/.test(name)) return undefined;
  try {
    return readFileSync(name, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ScenarioError('QL108', `the workload file ${name} cannot be read (${why}).`);
  }
}

function crashOf(text: string): readonly ScenarioFault[] {
  const found = /^n?(\d+|leader)@([^.]+(?:\.\d+\w+)?)(?:\.\.(.+))?$/.exec(text);
  if (found === null)
    throw new ScenarioError(
      'QL105',
      `--crash "${text}": write e.g. 3@900ms, or 3@900ms..2s to restart it.`,
    );
  const node = found[1] === 'leader' ? 'leader' : Number(found[1]);
  const crash: ScenarioFault = { type: 'crash', at: microseconds(found[2] as string), node };
  if (found[3] === undefined) return [crash];
  return [crash, { type: 'restart', at: microseconds(found[3]), node }];
}

function splitOf(text: string): readonly ScenarioFault[] {
  const found = /^([\d,]+(?:-[\d,]+)+)@([^.]+(?:\.\d+\w+)?)(?:\.\.(.+))?$/.exec(text);
  if (found === null)
    throw new ScenarioError(
      'QL105',
      `--split "${text}": write e.g. 01-23@900ms..1500ms, or 0,1-10,11@1s.`,
    );
  const groups = (found[1] as string)
    .split('-')
    // A comma behind a lone node tells 12 from 1 and 2.
    .map((group) => (group.includes(',') ? group.split(',').filter(Boolean) : [...group]))
    .map((group) => group.map(Number));
  const split: ScenarioFault = { type: 'split', at: microseconds(found[2] as string), groups };
  if (found[3] === undefined) return [split];
  return [split, { type: 'heal', at: microseconds(found[3]) }];
}
