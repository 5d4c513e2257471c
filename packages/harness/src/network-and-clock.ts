/** The texts by which a scenario names its network and its clocks. */
import {
  asynchronous,
  type ClockModel,
  lan,
  lossy,
  type NetworkModel,
  partiallySynchronous,
  wan,
} from '@quorumlab/sim';
import { microseconds, ScenarioError, unknownName } from './scenario.ts';

/** The network that a scenario names: lan, wan, lossy, async, or psync with `gst` and `delta`. */
export function networkOf(name: string): NetworkModel {
  const at = name.indexOf(':');
  const preset = at < 0 ? name : name.slice(0, at);
  const known: Readonly<Record<string, readonly string[]>> = {
    lan: [],
    wan: [],
    lossy: [],
    psync: ['gst', 'delta'],
    async: [],
  };
  const allowed = Object.hasOwn(known, preset) ? known[preset] : undefined;
  if (allowed === undefined) throw unknownName('network', name, Object.keys(known));
  const values = settingsOf(`--net ${preset}`, at < 0 ? undefined : name.slice(at + 1), allowed);
  switch (preset) {
    case 'wan':
      return wan;
    case 'lossy':
      return lossy;
    case 'async':
      return asynchronous;
    case 'psync':
      return partiallySynchronous({
        gst: timeOf('--net psync', values.get('gst') ?? '1s'),
        delta: timeOf('--net psync', values.get('delta') ?? '20ms'),
      });
    default:
      return lan;
  }
}

/** The settings of `gst=2s,delta=20ms`, each known and set once. Throws a ScenarioError (QL106). */
function settingsOf(
  flag: string,
  text: string | undefined,
  names: readonly string[],
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  if (text === undefined) return values;
  const wrong = (what: string): ScenarioError => new ScenarioError('QL106', `${flag} ${what}.`);
  if (names.length === 0) throw wrong(`takes no settings, and "${text}" are some; leave them out`);
  for (const part of text.split(',')) {
    const [, name = part, value] = /^(\w+)=(.+)$/.exec(part) ?? [];
    if (!names.includes(name)) throw wrong(`takes ${names.join(' and ')}, not "${name}"`);
    if (value === undefined) throw wrong(`sets ${name} to nothing; write e.g. ${name}=20ms`);
    if (values.has(name)) throw wrong(`sets ${name} twice; set it once`);
    values.set(name, value);
  }
  return values;
}

/** A time of a flag's setting. Throws a ScenarioError that names the flag. */
function timeOf(flag: string, text: string): number {
  if (/^\d+(\.\d+)?(us|ms|s|m)$/.test(text)) return microseconds(text);
  throw new ScenarioError(
    'QL105',
    `${flag} takes a time with its unit, e.g. 300us, 20ms, 1.5s or 2m, not "${text}".`,
  );
}

/** Above this, a clock would go backwards or twice as fast, and none that is sold does. */
const driftPpmMost = 100_000;

/**
 * The clock of seat `seat` for 'perfect' or 'offset=5ms,drift=100ppm,epsilon=7ms'; signs alternate
 * by seat.
 */
export function clockOf(text: string, seat: number): ClockModel | undefined {
  if (text === 'perfect') return undefined;
  const unknown = text.split(',').find((part) => !/^(offset|drift|epsilon|eps)=/.test(part));
  if (unknown !== undefined)
    throw new ScenarioError(
      'QL106',
      `"${unknown}" is not a clock setting; write offset=5ms, drift=100ppm or epsilon=7ms.`,
    );
  const values = settingsOf('--clock', text, ['offset', 'drift', 'epsilon', 'eps']);
  const sign = seat % 2 === 0 ? 1 : -1;
  const offset = values.get('offset');
  const epsilon = values.get('epsilon') ?? values.get('eps');
  return {
    ...(offset === undefined ? {} : { offset: sign * timeOf('--clock', offset) }),
    ...(epsilon === undefined ? {} : { epsilon: timeOf('--clock', epsilon) }),
    ...(values.has('drift')
      ? { driftPerBillion: sign * driftOf(values.get('drift') as string) }
      : {}),
  };
}

/** By how many parts in a billion the clocks of a scenario run wrong, fast or slow. */
export const driftIn = (clocks: string): number =>
  Math.abs(clockOf(clocks, 0)?.driftPerBillion ?? 0);

function driftOf(text: string): number {
  const ppm = /^(\d+)ppm$/.exec(text)?.[1];
  if (ppm !== undefined && Number(ppm) <= driftPpmMost) return Number(ppm) * 1000;
  throw new ScenarioError(
    'QL106',
    `--clock takes a drift from 0ppm to ${driftPpmMost}ppm, e.g. drift=100ppm, not "${text}".`,
  );
}
