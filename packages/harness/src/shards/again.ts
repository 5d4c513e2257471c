/** Runs of shards that are told in files and links: whoever wrote them, every part is looked at. */
import { describeShardOperation } from '@quorumlab/shards';
import type { Trace } from '@quorumlab/sim';
import { timeText } from '../command-line.ts';
import { describeOperation } from '../describe.ts';
import { engine } from '../engine.ts';
import { microseconds, ScenarioError } from '../scenario.ts';
import { otherEngine } from '../trace-scenario.ts';
import {
  completeShardScenario,
  isWhole,
  type ShardScenario,
  shardScenarioSchema,
} from './scenario.ts';

/** Whether the scenario of a trace is one of shards. */
export const isOfShards = ({ header }: Trace): boolean =>
  typeof header.scenario === 'object' && header.scenario !== null && 'shards' in header.scenario;

/** How operations of a trace read, of shards or of one protocol. */
export const wordsOf = (trace: Trace): ((operation: Uint8Array) => string) =>
  isOfShards(trace) ? describeShardOperation : describeOperation;

/** Numbers in a list of a scenario at most: more choices than any run has. */
const longestList = 10_000_000;

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isCounts = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= longestList && value.every(isCount);

/** What each part of a scenario is; those with a question mark may be missing. */
const parts: Readonly<Record<string, (value: unknown) => boolean>> = {
  protocol: isText,
  workload: isText,
  'mutant?': isText,
  bound: isCount,
  'clocks?': isText,
  beyond: isCount,
  count: isCount,
  seed: isCount,
  'without?': isCounts,
  'until?': isCount,
  'choices?': isCounts,
};

/**
 * The scenario of shards that a trace is of, to be run again. Throws a ScenarioError (QL128, or
 * what {@link completeShardScenario} throws) if it is of another version, or no such scenario.
 */
export function shardScenarioIn(trace: Trace): ShardScenario {
  const why = otherEngine(trace);
  if (why !== undefined) throw new ScenarioError('QL128', why);
  const given = trace.header.scenario as Readonly<Record<string, unknown>>;
  if (given.schema !== shardScenarioSchema)
    throw new ScenarioError(
      'QL128',
      `this trace of shards names no "${shardScenarioSchema}"; write it again with quorumlab ` +
        'shards and --trace.',
    );
  const scenario: Record<string, unknown> = {};
  for (const [part, isGood] of Object.entries(parts)) {
    const name = part.replace('?', '');
    const value = given[name];
    if (value === undefined && part !== name) continue;
    if (!isGood(value))
      throw new ScenarioError(
        'QL128',
        `the scenario in the first line of this trace has no "${name}" as scenarios of shards ` +
          'have it; write the trace again with quorumlab shards and --trace.',
      );
    scenario[name] = value;
  }
  return completeShardScenario(scenario);
}

/** How many digits of a digest a link has, as links of other runs. */
const digits = 8;

/**
 * The hash of the page at which a run of shards is seen, and which `quorumlab replay` runs again;
 * nothing if no link tells it: it was made smaller, so there is its trace. `digest` goes along.
 */
export function shardLinkOf(scenario: ShardScenario, digest?: string): string | undefined {
  if (!isWhole(scenario)) return undefined;
  const { protocol, workload, mutant, bound, clocks, beyond, count, seed } = scenario;
  const told: readonly (readonly [string, string | number | undefined])[] = [
    ['v', version],
    ['p', protocol],
    ['load', workload],
    ['m', mutant],
    clocks === undefined ? ['bound', timeText(bound)] : ['clock', clocks],
    ['beyond', beyond === 0 ? undefined : timeText(beyond)],
    ['count', count],
    ['seed', seed],
    ['x', engine.replace(/^quorumlab /, '')],
    ['h', digest?.slice(0, digits)],
  ];
  const parts = told.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return `#/shards?${parts.join('&')}`;
}

/** The version of the parts of a link. */
const version = '1';

/** What a link of shards says. */
export interface ShardPlace {
  readonly scenario: ShardScenario;
  /** The first digits of the run's digest when the link was made. */
  readonly digest?: string;
  /** What the link was made with. */
  readonly engine?: string;
}

/** What stands behind `#/shards` in a link. Throws a ScenarioError that says what is wrong. */
export function shardPlaceOf(hash: string): ShardPlace {
  const given = new URLSearchParams(hash.replace(/^#\/shards\??/, ''));
  const wrong = (what: string): ScenarioError => new ScenarioError('QL101', what);
  const text = (name: string): string | undefined => given.get(name) ?? undefined;
  const time = (name: string): number | undefined => {
    const value = text(name);
    return value === undefined ? undefined : microseconds(value);
  };
  const whole = (name: string): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    if (/^\d{1,15}$/.test(value)) return Number(value);
    throw wrong(`"${name}" of this link is a whole number, and not "${value}".`);
  };
  const v = text('v') ?? version;
  if (v !== version) throw wrong(`this link is of version ${v}, and this reads ${version}.`);
  const all = {
    ...{ protocol: text('p'), workload: text('load'), mutant: text('m'), clocks: text('clock') },
    ...{ bound: time('bound'), beyond: time('beyond'), count: whole('count'), seed: whole('seed') },
  };
  const told = Object.entries(all).filter(([, value]) => value !== undefined);
  const [digest, made] = [text('h'), text('x')];
  return {
    scenario: completeShardScenario(Object.fromEntries(told)),
    ...(digest === undefined ? {} : { digest }),
    ...(made === undefined ? {} : { engine: made }),
  };
}
