/** Links that people can read and change by hand; what they say is looked at like any input. */
import { editsIn, editsOf, editsText, isOnce } from './edits.ts';
import { engine } from './engine.ts';
import { demo, most, type Settings, scenarioOf, type Traitors } from './pair.ts';
import { protocolOf, protocols } from './protocols.ts';
import { type Reads, readsWords } from './read-words.ts';
import { readsOf } from './reads.ts';
import { nearest, type Scenario, ScenarioError } from './scenario.ts';

export { type Edit, editText, mostEdits } from './edits.ts';
export {
  clocks,
  comparedAt,
  demo,
  most,
  networks,
  type Settings,
  scenarioOf,
  type Traitors,
} from './pair.ts';
export { readsPromises, readsWords } from './read-words.ts';

/** The version of the parts below. */
const version = '1';

/** A place of the page: which view, of what, and where the cursor stands. */
export interface Place {
  readonly route: 'home' | 'play' | 'embed' | 'trace' | 'compare' | 'learn' | 'shards';
  /** What it was read from. */
  readonly hash: string;
  /** Of `learn`: which lesson, as the link has it; nothing: the list of them. */
  readonly lesson?: string;
  readonly settings: Settings;
  /** How many of the events that are shown have happened; nothing: where the page begins. */
  readonly at?: number;
  /** The first digits of each run's digest when the link was made. */
  readonly digests?: readonly string[];
  /** What the link was made with. */
  readonly engine?: string;
  /** What of the link could not be used, in sentences. */
  readonly complaints: readonly string[];
}

const routes: readonly Place['route'][] = [
  ...(['play', 'embed', 'trace', 'compare', 'learn', 'shards'] as const),
];

/** As many digits of a digest tell runs apart. */
const shortDigest = (digest: string): string => digest.slice(0, 8);

/** The hash of `#/play` for these runs. Read by {@link placeOf} it gives the same place. */
export function linkOf(
  settings: Settings,
  { at, digests = [] }: Pick<Place, 'at' | 'digests'> = {},
): string {
  const { protocols, mutants, same, f, n, attack, by, edits, network, clocks, workload } = settings;
  const parts: readonly (readonly [string, string | number])[] = [
    ['v', version],
    ['p', protocols.join()],
    ...(mutants.some((each) => each !== '') ? [['m', mutants.join()] as const] : []),
    ['same', same],
    same === 'f' ? ['f', f] : ['n', n],
    ['attack', attack],
    ...(by.some((each) => each !== undefined)
      ? [['by', by.map(traitorsText).join()] as const]
      : []),
    ...(edits.some((each) => each.length > 0) ? [['e', edits.map(editsText).join()] as const] : []),
    ['net', network],
    ['clock', clocks],
    ...unusual('reads', settings.reads, demo.reads),
    ['load', workload],
    ['count', settings.count],
    ...unusual('clients', settings.clients, demo.clients),
    ...unusual('out', settings.outstanding, demo.outstanding),
    ...(settings.options.some((each) => each.length > 0)
      ? [['o', settings.options.map(optionsText).join()] as const]
      : []),
    ['sign', settings.crypto],
    ['seed', settings.seed],
    ...(at === undefined ? [] : [['at', at] as const]),
    ['x', engine.replace(/^quorumlab /, '')],
    ...(digests.length === 0 ? [] : [['h', digests.map(shortDigest).join()] as const]),
  ];
  return `#/play?${parts.map(([name, value]) => `${name}=${written(`${value}`)}`).join('&')}`;
}

/** A part of a link that stands in it only where something else than usual was chosen. */
const unusual = <V extends string | number>(name: string, value: V, usual: V) =>
  value === usual ? [] : [[name, value] as const];

/**
 * The link that shows a scenario of the command line on the left, and beside it the protocol of
 * the first page. Nothing if no link tells everything that it depends on: then there is its trace.
 */
export function linkOfScenario(scenario: Scenario, at?: number): string | undefined {
  const { protocol, mutant = '', n, f, attack, by, network, clocks, workload } = scenario;
  const { count, clients, outstanding, options = {}, crypto, seed } = scenario;
  const beside = besideOf(protocol, scenario.reads ?? demo.reads);
  const settings: Settings = {
    ...{ protocols: [protocol, beside], mutants: [mutant, ''], same: 'f', f, n },
    ...{ attack, network, clocks, workload, count, clients, outstanding, crypto, seed },
    options: [Object.entries(options).map(([name, value]) => `${name}=${value}`), []],
    reads: scenario.reads ?? demo.reads,
    by: [by, undefined],
    edits: [editsOf(scenario), []],
  };
  const shown = canonical(withoutUsual(scenario));
  const usual: Settings = { ...settings, by: [undefined, undefined] };
  // The first that gives this scenario when it is read again: what is usual is left out.
  for (const each of [usual, settings])
    for (const same of ['f', 'n'] as const) {
      const link = linkOf({ ...each, same }, at === undefined ? {} : { at });
      if (canonical(scenarioBehind(link)) === shown) return link;
    }
  return undefined;
}

/** Who stands on the other side: of the first page, or anybody who can give such reads. */
function besideOf(protocol: string, reads: Reads): string {
  const names = [demo.protocols[1], demo.protocols[0], ...protocols.map(({ name }) => name)];
  const can = (name: string): boolean => readsOf(protocolOf(name)).includes(reads);
  return names.find((name) => name !== protocol && can(name)) ?? demo.protocols[1];
}

/** The same scenario without what says what it would be anyway. */
function withoutUsual({ reads, options = {}, ...rest }: Scenario): Scenario {
  return {
    ...rest,
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(reads === undefined || reads === demo.reads ? {} : { reads }),
  };
}

/** What a link shows on the left; nothing if a part of it is not as links have them. */
function scenarioBehind(link: string): Scenario | undefined {
  const { settings, complaints } = placeOf(link);
  if (complaints.length > 0) return undefined;
  try {
    return scenarioOf(settings, 0);
  } catch (error) {
    if (error instanceof ScenarioError) return undefined;
    throw error;
  }
}

/** The same text for equal scenarios, whatever order their parts stand in. */
const canonical = (scenario: Scenario | undefined): string =>
  JSON.stringify(Object.entries(scenario ?? {}).sort(([one], [two]) => (one < two ? -1 : 1)));

/** `electionTimeout=1s~weights=3%2C1`: what parts a link is written by its number in a value. */
const optionsText = (options: readonly string[]): string =>
  options
    .map((each) => each.replace(/[%,~]/g, encodeURIComponent).replaceAll('~', '%7E'))
    .join('~');

/** `0+2`, `none`, or nothing if the attack takes whom it likes. */
const traitorsText = (ids: Traitors): string =>
  ids === undefined ? '' : ids.length === 0 ? 'none' : ids.join('+');

/** A value as links have it: what needs no escape is left as people write it. */
const written = (value: string): string =>
  encodeURIComponent(value)
    .replaceAll('%2C', ',')
    .replaceAll('%3A', ':')
    .replaceAll('%3D', '=')
    .replaceAll('%2B', '+');

/** The place that a hash names. What is wrong in it is said, and what is usual takes its place. */
export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [page = '', part] = path.split(/\/(.*)/s);
  const route =
    routes.find((each) => each === path || (each === 'learn' && page === each)) ?? 'home';
  const complaints: string[] = [];
  if (route === 'learn')
    return { route, hash, settings: demo, complaints, ...(part ? { lesson: part } : {}) };
  if (path !== '' && route === 'home')
    complaints.push(`There is no page "${path}" here; this is the first one.`);
  // What stands in it is read by whoever runs shards: the first screen need not know how.
  if (route === 'shards') return { route, hash, settings: demo, complaints };
  const given = partsOf(query, complaints);
  const v = given.get('v');
  if (v !== undefined && v !== version) {
    complaints.push(
      `This link is of version ${v}, and this page reads version ${version}: open it with the ` +
        'quorumlab that made it, or choose anew here.',
    );
    return { route, hash, settings: demo, complaints };
  }
  for (const name of given.keys()) if (!parts.includes(name)) complaints.push(unknownPart(name));
  const settings = settingsIn(given, complaints);
  const at = numberIn(given, 'at', 0, Number.MAX_SAFE_INTEGER, complaints);
  const digests = given.get('h')?.split(',');
  const made = given.get('x');
  return {
    ...{ route, hash, settings, complaints },
    ...(at === undefined ? {} : { at }),
    ...(digests === undefined ? {} : { digests }),
    ...(made === undefined ? {} : { engine: made }),
  };
}

/** What a link can say, by name. */
const parts: readonly string[] = [
  ...['v', 'p', 'm', 'same', 'f', 'n', 'attack', 'by', 'e', 'net', 'clock', 'reads', 'load'],
  ...['count', 'clients', 'out', 'o', 'sign', 'seed', 'at', 'x', 'h'],
];

function unknownPart(name: string): string {
  const [near] = nearest(name, parts);
  const hint = near === undefined ? `There are: ${parts.join(', ')}.` : `Did you mean ${near}?`;
  return `"${name}" is no part of a link, and is left out. ${hint}`;
}

function partsOf(query: string, complaints: string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const part of query.split('&').filter((each) => each !== '')) {
    const at = part.indexOf('=');
    try {
      if (at > 0) found.set(part.slice(0, at), decodeURIComponent(part.slice(at + 1)));
    } catch {
      complaints.push(`The part "${part}" of the link is damaged and left out.`);
    }
  }
  return found;
}

function settingsIn(given: ReadonlyMap<string, string>, complaints: string[]): Settings {
  const text = (name: string, usual: string): string => given.get(name) ?? usual;
  const two = (name: string, usual: Settings['protocols']): Settings['protocols'] => {
    const value = given.get(name);
    if (value === undefined) return usual;
    const [left = '', right = ''] = value.split(',');
    if (name !== 'p' || (left !== '' && right !== '')) return [left, right];
    complaints.push('"p" of the link names two protocols, e.g. p=raft,pbft: the usual are taken.');
    return usual;
  };
  const oneOf = <W extends string>(name: string, words: readonly W[], usual: W): W => {
    const value = given.get(name);
    const found = words.find((word) => word === value);
    if (value !== undefined && found === undefined)
      complaints.push(`"${name}" of the link is none of ${words.join(', ')}.`);
    return found ?? usual;
  };
  return {
    protocols: two('p', demo.protocols),
    mutants: two('m', demo.mutants),
    same: oneOf('same', ['f', 'n'], demo.same),
    f: numberIn(given, 'f', 0, most.f, complaints) ?? demo.f,
    n: numberIn(given, 'n', 1, most.n, complaints) ?? demo.n,
    attack: text('attack', demo.attack),
    by: traitorsIn(given.get('by'), complaints),
    edits: bothEdits(given.get('e'), complaints),
    network: text('net', demo.network),
    clocks: text('clock', demo.clocks),
    reads: oneOf('reads', readsWords, demo.reads),
    workload: text('load', demo.workload),
    count: numberIn(given, 'count', 1, most.count, complaints) ?? demo.count,
    clients: numberIn(given, 'clients', 1, most.clients, complaints) ?? demo.clients,
    outstanding: numberIn(given, 'out', 1, most.outstanding, complaints) ?? demo.outstanding,
    options: bothOptions(given.get('o'), complaints),
    crypto: oneOf('sign', ['ideal', 'ed25519'], demo.crypto),
    seed: text('seed', demo.seed).slice(0, 100),
  };
}

function traitorsIn(value: string | undefined, complaints: string[]): Settings['by'] {
  const [left, right] = (value ?? '').split(',').map((text, side): Traitors => {
    if (text === '') return undefined;
    if (text === 'none') return [];
    const nodes = text.split('+').map(Number);
    if (side < 2 && isOnce(nodes) && /^\d{1,4}(\+\d{1,4})*$/.test(text)) return nodes;
    complaints.push(
      `"by" of the link names nodes of two sides as 0+2, each once, or none: not "${text}".`,
    );
    return undefined;
  });
  return [left, right];
}

/** What a protocol can be told is known with all protocols: here they are texts. */
function bothOptions(value: string | undefined, complaints: string[]): Settings['options'] {
  const [left = [], right = []] = (value ?? '').split(',').map((text) => {
    const options = text.split('~').filter((each) => each !== '');
    if (options.length <= most.options && options.every(({ length }) => length <= mostLetters))
      return options.map((each) => each.replace(/%(?:25|2C|7E)/g, decodeURIComponent));
    complaints.push(
      `"o" of the link is left out: a side has at most ${most.options} options, as name=value ` +
        `with ~ between them, of ${mostLetters} letters each.`,
    );
    return [];
  });
  return [left, right];
}

/** Letters of one option at most. */
const mostLetters = 200;

function bothEdits(value: string | undefined, complaints: string[]): Settings['edits'] {
  const [left = [], right = []] = (value ?? '').split(',').map((text) => {
    try {
      return editsIn(text);
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error;
      complaints.push(`"e" of the link is left out: ${error.message}`);
      return [];
    }
  });
  return [left, right];
}

function numberIn(
  given: ReadonlyMap<string, string>,
  name: string,
  least: number,
  greatest: number,
  complaints: string[],
): number | undefined {
  const value = given.get(name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= least && number <= greatest) return number;
  complaints.push(
    `"${name}" of the link is no number from ${least} to ${greatest}: the usual one is taken. ` +
      'Larger runs are for the command line, which also writes traces to open here.',
  );
  return undefined;
}

/** What to say if a run is not the one that a link was made of; nothing if it is. */
export function otherRun(place: Place, digests: readonly string[]): string | undefined {
  if (place.digests === undefined || place.digests.join() === digests.map(shortDigest).join())
    return undefined;
  const made = place.engine ?? 'another version';
  return (
    `This link was made with ${made}. This is ${engine}, which gives another run: digest ` +
    `${digests.map(shortDigest).join(' and ')}, not ${place.digests.join(' and ')}.`
  );
}
