/** The scenario in a trace: whoever wrote the file, so every part of it is looked at. */
import type { Trace } from '@quorumlab/sim';
import { engine } from './engine.ts';
import { faultOf } from './fault.ts';
import { readsWords } from './read-words.ts';
import { type Scenario, ScenarioError } from './scenario.ts';

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const flag: Check = (value) => typeof value === 'boolean';
const whole =
  (least: number, most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const among =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));

/** Parts by name; those with a question mark may be missing. */
type Parts = Readonly<Record<string, Check>>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The name of a part that is not as it should be; nothing if all are. */
function wrongPart(value: Readonly<Record<string, unknown>>, parts: Parts): string | undefined {
  for (const [key, check] of Object.entries(parts)) {
    const name = key.replace('?', '');
    const isThere = Object.hasOwn(value, name);
    if (isThere ? !check(value[name]) : !key.endsWith('?')) return name;
  }
  return undefined;
}

const withParts =
  (parts: Parts): Check =>
  (value) =>
    isObject(value) && wrongPart(value, parts) === undefined;

const latest = 2 ** 48 - 1;
const node = whole(0, 9999);

const fault: Check = (value) => {
  try {
    return faultOf(JSON.stringify(value)) !== undefined;
  } catch (error) {
    if (error instanceof ScenarioError) return false;
    throw error;
  }
};

const parts: Parts = {
  schema: among('quorumlab.scenario/1'),
  protocol: text,
  'mutant?': text,
  n: whole(1, 10_000),
  f: whole(0, 3333),
  'unsafe?': flag,
  'quorum?': whole(1, 10_000),
  'reads?': among(...readsWords),
  'events?': whole(1, Number.MAX_SAFE_INTEGER),
  'options?': (value) =>
    isObject(value) && Object.values(value).every(either(text, flag, whole(0, latest))),
  network: text,
  clocks: text,
  attack: text,
  by: listOf(node),
  faults: listOf(fault),
  'copies?': listOf(
    withParts({
      from: node,
      to: node,
      nth: whole(0, Number.MAX_SAFE_INTEGER),
      does: among('drop', 'twice', 'move'),
      'after?': whole(0, latest),
    }),
  ),
  workload: text,
  count: whole(0, 1e9),
  clients: whole(1, 1000),
  outstanding: whole(1, 65_536),
  'principals?': whole(1, 1000),
  'changes?': listOf(withParts({ at: whole(0, latest), members: listOf(node), 'leader?': node })),
  'sessionCaps?': withParts({ clients: whole(1, 65_536), ofClient: whole(1, 16) }),
  'stepBytes?': whole(1, Number.MAX_SAFE_INTEGER),
  'commands?': listOf(text),
  'commandsFrom?': text,
  until: whole(1, latest),
  crypto: among('ideal', 'ed25519'),
  seed: text,
  'script?': withParts({
    choices: listOf(whole(0, Number.MAX_SAFE_INTEGER)),
    lost: listOf(listOf(whole(-1, Number.MAX_SAFE_INTEGER))),
  }),
};

/** The scenario in the first line of a trace. Throws a ScenarioError (QL128) that names what is
 * wrong in it. */
export function checkedScenario(value: unknown): Scenario {
  if (!isObject(value))
    throw new ScenarioError('QL128', 'this trace has no scenario to run again; name another one.');
  if (Object.hasOwn(value, 'shards'))
    throw new ScenarioError(
      'QL128',
      'this trace is of shards, and this takes those of one protocol.\n' +
        '  use   quorumlab replay or quorumlab shrink   to run it again',
    );
  const wrong = wrongPart(value, parts);
  if (wrong !== undefined)
    throw new ScenarioError(
      'QL128',
      `the scenario in the first line of this trace has no "${wrong}" as scenarios have it; ` +
        'write the trace again with --trace.',
    );
  // Every part has been looked at above.
  return value as unknown as Scenario;
}

/** Why a trace cannot be run again by this version; nothing if it can. */
export function otherEngine({ header }: Trace): string | undefined {
  if (typeof header.engine !== 'string')
    return (
      'this is not a trace that can be replayed: its first line names no version; ' +
      'write it again with quorumlab run and --trace.'
    );
  if (header.engine === engine) return undefined;
  return (
    `this trace is of "${header.engine}" and this is "${engine}": ` +
    'install that version to replay it, or run its scenario here with quorumlab run.'
  );
}

/**
 * The scenario that a trace is of, to be run again. Throws a ScenarioError (QL128) if it is of
 * another version, or no scenario.
 */
export function scenarioIn(trace: Trace): Scenario {
  const why = otherEngine(trace);
  if (why !== undefined) throw new ScenarioError('QL128', why);
  return checkedScenario(trace.header.scenario);
}
