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
 * TrueTime's clocks (Corbett et al. 2012, section 3): synchronised every 30 s, they admit to 1 ms
 * then, and to 200 µs more with each second. Here each is as wrong as that allows.
 */
const trueTime = 'offset=1ms,drift=200ppm,epsilon=1ms,growth=200ppm,sync=30s';

const clockSettings = ['offset', 'drift', 'epsilon', 'eps', 'growth', 'sync'];

/** Seats synchronise one after the other, so many of them within one period. */
const syncPhases = 8;

/**
 * The clock of seat `seat` for 'perfect', 'truetime' or settings as in
 * 'offset=5ms,drift=100ppm,epsilon=7ms,growth=200ppm,sync=30s'; signs alternate by seat, and seats
 * synchronise at different times.
 */
export function clockOf(text: string, seat: number): ClockModel | undefined {
  if (text === 'perfect') return undefined;
  if (text === 'truetime') return clockOf(trueTime, seat);
  const isKnown = (part: string): boolean => clockSettings.includes(part.split('=')[0] ?? '');
  const unknown = text.split(',').find((part) => !part.includes('=') || !isKnown(part));
  if (unknown !== undefined)
    throw new ScenarioError(
      'QL106',
      `"${unknown}" is not a clock setting; write offset=5ms, drift=100ppm, epsilon=7ms, ` +
        'growth=200ppm or sync=30s, or truetime alone.',
    );
  const values = settingsOf('--clock', text, clockSettings);
  const sign = seat % 2 === 0 ? 1 : -1;
  const epsilon = values.get('epsilon') ?? values.get('eps');
  const [offset, drift] = [values.get('offset'), values.get('drift')];
  const [growth, sync] = [values.get('growth'), values.get('sync')];
  return {
    ...(offset === undefined ? {} : { offset: sign * timeOf('--clock', offset) }),
    ...(epsilon === undefined ? {} : { epsilon: timeOf('--clock', epsilon) }),
    ...(drift === undefined ? {} : { driftPerBillion: sign * driftOf('drift', drift) }),
    ...(growth === undefined ? {} : { growthPerBillion: driftOf('growth', growth) }),
    ...(sync === undefined ? {} : syncsOf(sync, seat)),
  };
}

/** When a clock is synchronised: each `sync`, and first at a part of it that the seat says. */
function syncsOf(sync: string, seat: number): Pick<ClockModel, 'syncEvery' | 'syncFirst'> {
  const syncEvery = timeOf('--clock', sync);
  if (syncEvery < shortestSync || syncEvery > longestSync)
    throw new ScenarioError(
      'QL106',
      `--clock takes a sync from 1ms to 60m, e.g. sync=30s, not "${sync}".`,
    );
  return { syncEvery, syncFirst: Math.floor((syncEvery * (1 + (seat % syncPhases))) / syncPhases) };
}

/** Between two synchronisations of a clock, in microseconds. */
const shortestSync = 1000;
const longestSync = 3_600_000_000;

/** By how many parts in a billion the clocks of a scenario run wrong, fast or slow. */
export const driftIn = (clocks: string): number =>
  Math.abs(clockOf(clocks, 0)?.driftPerBillion ?? 0);

function driftOf(setting: string, text: string): number {
  const ppm = /^(\d+)ppm$/.exec(text)?.[1];
  if (ppm !== undefined && Number(ppm) <= driftPpmMost) return Number(ppm) * 1000;
  throw new ScenarioError(
    'QL106',
    `--clock takes a ${setting} from 0ppm to ${driftPpmMost}ppm, e.g. ${setting}=100ppm, ` +
      `not "${text}".`,
  );
}
