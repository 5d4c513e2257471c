/**
 * What every protocol has to show before anybody relies on it, as a list of cases without a test
 * runner: `for (const { name, run } of testProtocol(entry)) test(name, run)`.
 */
import {
  decode,
  encode,
  envelopeBytes,
  type Field,
  maxFrameBytes,
  ms,
  type OptionValues,
  range,
  sameBytes,
  type Tagged,
} from '@quorumlab/core';
import { type Attack, attacks } from '../attacks.ts';
import type { AnyShape } from '../prepare.ts';
import type { ProtocolEntry } from '../protocol-entry.ts';
import { type RunOptions, type RunResult, runScenario } from '../run.ts';
import type { Scenario } from '../scenario.ts';
import { swarmWorld } from '../swarm/swarm.ts';
import { takenForgeries, tooShort, unwritten } from './attacked-cases.ts';
import { FarGroup, farNumbers } from './far.ts';
import { unguarded, wronglyRefused } from './guards.ts';
import { chanceOf, liveGroup, provoke } from './live.ts';

/** One promise of a protocol, to be run by any test runner. */
export interface ProtocolCase {
  readonly name: string;
  /** Throws a {@link ConformanceError} if the promise is broken. */
  readonly run: () => void;
}

/** How much is tried. */
export interface ProtocolSuiteOptions {
  /** Faulty replicas to survive; the group is as small as the claims allow. 1 unless told. */
  readonly f?: number;
  /** Seeds per scenario. 5 unless told. */
  readonly seeds?: number;
  /** Messages that handlers are fed. 4,000 unless told. */
  readonly inputs?: number;
  /** Options of the protocol for all runs. */
  readonly options?: OptionValues;
  /** Largest message that may be declared; 16 MiB, the largest frame of hosts, unless told. */
  readonly maxMessageBytes?: number;
}

/** A protocol broke a promise; the sentence says which, and what replays it. */
export class ConformanceError extends Error {
  override readonly name: string = 'ConformanceError';
}

interface Suite {
  readonly entry: ProtocolEntry;
  readonly seeds: number;
  readonly inputs: number;
  readonly maxMessageBytes: number;
  readonly base: Scenario;
  readonly told: OptionValues;
}

/** Networks on which honest runs must agree and finish. */
const networks = ['lan', 'lossy', 'psync:gst=400ms,delta=20ms', 'wan'];

/**
 * The suite for `entry`. See {@link ProtocolCase}.
 *
 * @example
 * ```ts
 * import { protocolOf, testProtocol } from '@quorumlab/harness';
 *
 * const [first] = testProtocol(protocolOf('raft'), { seeds: 1, inputs: 50 });
 * first?.run(); // Throws a ConformanceError if Raft does not keep the promise `first.name`.
 * ```
 */
export function testProtocol(
  entry: ProtocolEntry,
  options: ProtocolSuiteOptions = {},
): readonly ProtocolCase[] {
  const suite = suiteOf(entry, options);
  const covered = attacks.filter(
    ({ needs, beyond }) =>
      needs !== 'nothing' && !beyond && (needs !== 'byzantine' || isByzantine(entry)),
  );
  return [
    ...networks.map((network) => ({
      name: `honest runs over ${network} agree and finish`,
      run: () => void runs(suite, { network }),
    })),
    ...covered.map((attack) => ({
      name: `${attack.name} by f of n is survived`,
      run: () => survives(suite, attack),
    })),
    { name: 'a crash at any boundary loses nothing and stops nobody', run: () => crashes(suite) },
    { name: 'equal scenarios give equal runs', run: () => isDeterministic(suite) },
    { name: 'machines share nothing with what they gave away', run: () => sharesNothing(suite) },
    { name: 'every message has one encoding, within its cap', run: () => encodings(suite) },
    { name: 'stable state survives its encoding', run: () => storedState(suite) },
    { name: 'no decodable message makes a replica throw', run: () => handlersStand(suite) },
    { name: 'one number far ahead ends no group for good', run: () => farNumbersPass(suite) },
    {
      name: 'what is costly is guarded, and no guard refuses what counts',
      run: () => guards(suite),
    },
    { name: 'an equivocation breaks a vow and is proven', run: () => liesAreProven(suite) },
    {
      name: 'what a step changes on the disk is what it writes',
      run: () => inWorlds(suite, unwritten),
    },
    ...(isByzantine(entry)
      ? [
          {
            name: 'a forged signature inside a message is found',
            run: () => forgeriesAreFound(suite),
          },
          {
            name: 'a certificate with a signer too few does nothing',
            run: () => inWorlds(suite, tooShort),
          },
        ]
      : []),
  ];
}

const isByzantine = ({ claims }: ProtocolEntry): boolean => claims.faults === 'byzantine';

function suiteOf(entry: ProtocolEntry, options: ProtocolSuiteOptions): Suite {
  const {
    f = 1,
    seeds = 5,
    inputs = 4000,
    maxMessageBytes = maxFrameBytes - envelopeBytes,
  } = options;
  return {
    entry,
    seeds,
    inputs,
    maxMessageBytes,
    told: options.options ?? {},
    base: {
      schema: 'quorumlab.scenario/1',
      protocol: entry.name,
      n: entry.claims.replicas(f),
      f,
      network: 'lan',
      clocks: 'perfect',
      attack: 'none',
      by: [],
      faults: [],
      workload: 'a',
      count: 20,
      clients: 2,
      outstanding: 1,
      until: ms(30_000),
      crypto: 'ideal',
      seed: '1',
      ...(options.options ? { options: options.options } : {}),
    },
  };
}

function fail(scenario: Scenario, what: string, more: object = {}): never {
  throw new ConformanceError(
    `${scenario.protocol}: ${what}. Replay: runScenario(${JSON.stringify({ ...scenario })}` +
      `${Object.keys(more).length > 0 ? `, ${JSON.stringify(more)}` : ''})`,
  );
}

/** Runs `change` under all seeds; every run must be `ok`. */
function runs(suite: Suite, change: Partial<Scenario>, options: RunOptions = {}): RunResult[] {
  return range(suite.seeds).map((i) => {
    const scenario = { ...suite.base, ...change, seed: `${i + 1}` };
    const result = runScenario(scenario, { ...options, entry: suite.entry });
    requireOk(result);
    return result;
  });
}

function requireOk(result: RunResult, more: object = {}): void {
  const { scenario, word, violation, reasons } = result;
  const reason = reasons.find((each) => each !== undefined);
  if (reason !== undefined) fail(scenario, `a replica stopped by itself: ${reason}`, more);
  if (word !== 'ok') fail(scenario, `${word}: ${violation?.sentence ?? 'not finished'}`, more);
}

function survives(suite: Suite, { name }: Attack): void {
  const by = range(suite.base.f);
  const results = runs(suite, { attack: name, by });
  if (results.every(({ fired }) => fired === 0))
    fail(suite.base, `${name} never acted, so nothing was tested`);
}

/** Every crash that matters in a run of three operations, each followed by a restart. */
function crashes(suite: Suite): void {
  const scenario: Scenario = { ...suite.base, workload: 'contest', count: 3, clients: 1 };
  const { entry } = suite;
  const calm = runScenario(scenario, { entry });
  requireOk(calm);
  for (const [seat, boundaries] of calm.boundaries.entries())
    for (let boundary = 0; boundary < boundaries; boundary++) {
      const crashAt = { seat, boundary, restartAfter: ms(20) };
      const result = runScenario(scenario, { entry, crashAt });
      requireOk(result, { crashAt });
      if (result.counters.crashes !== 1) fail(scenario, 'the replica did not crash', { crashAt });
    }
}

function isDeterministic({ base, entry }: Suite): void {
  const scenario = { ...base, network: 'lossy' };
  const [first, second] = [1, 2].map(() => runScenario(scenario, { entry }).digest);
  if (first !== second) fail(scenario, `two runs gave the digests ${first} and ${second}`);
}

function sharesNothing({ base, entry }: Suite): void {
  const scenario = { ...base, network: 'lossy' };
  const strict = runScenario(scenario, { entry, strict: true });
  requireOk(strict);
  if (strict.digest !== runScenario(scenario, { entry }).digest)
    fail(scenario, 'a run with copied writes and frozen messages differs: something is shared');
}

function requireRoundTrip<T>(suite: Suite, field: Field<T>, value: T, what: string): void {
  const bytes = encode(field, value);
  if (bytes.length > field.maxBytes)
    fail(suite.base, `${what} takes ${bytes.length} bytes, more than its ${field.maxBytes}`);
  if (!sameBytes(bytes, encode(field, decode(field, bytes))))
    fail(suite.base, `${what} is not what its own encoding decodes to`);
}

function encodings(suite: Suite): void {
  const { entry, base, maxMessageBytes } = suite;
  const { n, f, options } = base;
  const { messages } = entry.create({ n, f, ...(options ? { options } : {}) });
  const random = chanceOf('encodings');
  for (const kind of messages.kinds) {
    if (!(kind.maxBytes <= maxMessageBytes))
      fail(base, `${kind.kind} may take ${kind.maxBytes} bytes, above the cap ${maxMessageBytes}`);
    for (let i = 0; i < 50; i++) {
      const message: Tagged = kind.sample(random);
      requireRoundTrip(suite, messages, message, kind.kind);
      requireRoundTrip(suite, messages, messages.mutate(message, random), kind.kind);
    }
  }
}

/** What is on the disks of a working group, field by field, with its checkpoints and view. */
function storedState(suite: Suite): void {
  const { prepared, simulation } = busy(suite, 'stored');
  const fields = prepared.group.stored;
  const random = chanceOf('stored');
  for (const seat of range(suite.base.n)) {
    const stable = simulation.seat(seat).stable ?? {};
    for (const [name, value] of Object.entries(stable)) {
      // The type says so: every stable field has a schema under its own name.
      const field = fields[name as keyof typeof fields] as Field<unknown> | undefined;
      if (field === undefined) fail(suite.base, `stable field ${name} has no schema`);
      const rows: Iterable<unknown> = value instanceof Map ? value.values() : [value];
      for (const row of rows) {
        requireRoundTrip(suite, field, row, name);
        requireRoundTrip(suite, field, field.mutate(row, random), name);
      }
    }
  }
}

const busy = ({ base, entry }: Suite, seed: string) =>
  liveGroup({ ...base, network: 'lossy', seed, until: ms(3000) }, entry, 400);

function handlersStand(suite: Suite): void {
  for (const i of range(suite.seeds)) {
    const group = busy(suite, `${i}`);
    const found = provoke(group, chanceOf(`strange ${i}`), Math.ceil(suite.inputs / suite.seeds));
    if (found === undefined) continue;
    const kind = (found.message as Tagged).kind ?? found.message;
    fail({ ...suite.base, seed: `${i}` }, `a replica threw at ${kind}: ${String(found.error)}`);
  }
}

/** Each number of each message, said once by a member; then all are restarted, and asked again. */
function farNumbersPass({ base, entry, seeds }: Suite): void {
  const scenario = { ...base, clients: 1, network: 'lan' };
  const group = new FarGroup(scenario, entry);
  const random = chanceOf('far');
  for (const place of group.numbers()) {
    const liar = random.below(base.n);
    const when = random.below(2) === 0 ? 'first' : 'later';
    // The last is heard of, and whoever asks for more seeds has the time to see what comes of it.
    for (const number of farNumbers(liar, base.n).slice(0, seeds > 5 ? 3 : 2)) {
      const { answered, asked, stopped } = group.tell(place, liar, number, when);
      if (answered === asked && stopped.length === 0) continue;
      const what = `${place.kind}.${place.path.join('.')} = ${number}, said ${when} by n${liar}`;
      fail(scenario, `${what}: ${answered} of ${asked} answered ${stopped.join('; ')}`);
    }
  }
}

function guards(suite: Suite): void {
  for (const i of range(Math.min(2, suite.seeds))) {
    const group = busy(suite, `${i}`);
    const scenario = { ...suite.base, seed: `${i}` };
    const kind = unguarded(group.prepared.group, group, chanceOf('guards'));
    if (kind !== undefined && isByzantine(suite.entry))
      fail(scenario, `${kind} brings signatures and has no guard in \`admits\``);
    const inputs = Math.ceil(suite.inputs / 10);
    const wrong = wronglyRefused(group, chanceOf(`guards ${i}`), inputs);
    if (wrong === undefined) continue;
    fail(scenario, `its guard refuses ${JSON.stringify(wrong.message)}, which ${wrong.what}`);
  }
}

function liesAreProven(suite: Suite): void {
  const { prepared, said } = busy(suite, 'lies');
  const { protocol } = prepared;
  const own = said.filter(({ kind }) => protocol.messages.of(kind) !== undefined);
  const commands = said.filter(({ kind }) => kind === 'request');
  // Requests are found by their kind: that is what makes them commands.
  const known = commands as unknown as readonly AnyShape['Command'][];
  let broken = 0;
  for (const message of own) {
    const lie = protocol.conflict?.(message, 0, known) ?? message;
    if (lie === message) continue;
    const vows = new Map(protocol.vows?.(message) ?? []);
    // What promises nothing may go along with a lie.
    if (vows.size === 0) continue;
    const breaks = [...(protocol.vows?.(lie) ?? [])].some(
      ([about, what]) => vows.has(about) && vows.get(about) !== what,
    );
    if (!breaks) fail(suite.base, `conflict changes ${message.kind} and breaks none of its vows`);
    requireRoundTrip(suite, protocol.messages, lie, lie.kind);
    broken++;
  }
  if (broken === 0) fail(suite.base, 'conflict never breaks a vow');
  // A trusted counter that works signs no second statement.
  const name = suite.entry.isCounted ? 'rollback-counter' : 'equivocating-leader';
  const attack = { attack: name, by: [0] };
  let proven = 0;
  for (const i of range(suite.seeds)) {
    const scenario = { ...suite.base, ...attack, workload: 'contest', seed: `${i + 1}` };
    const { proofs } = runScenario(scenario, { entry: suite.entry, proofs: true });
    const framed = proofs.find(({ signer }) => signer !== 0);
    if (framed) fail(scenario, `honest n${framed.signer} is accused about ${framed.about}`);
    proven += proofs.length;
  }
  if (proven === 0) fail({ ...suite.base, ...attack }, 'no equivocation was proven');
}

/** Runs random worlds of the swarm, in none of which `what` may find anything. */
function inWorlds(
  { entry, told, seeds }: Suite,
  what: (entry: ProtocolEntry, scenario: Scenario) => readonly string[],
): void {
  const subject = { name: entry.name, protocol: entry.name, options: told, entry };
  for (const i of range(Math.ceil(seeds / 2))) {
    const { scenario } = swarmWorld(subject, i + 1);
    for (const each of what(entry, scenario)) fail(scenario, each);
  }
}

function forgeriesAreFound(suite: Suite): void {
  for (const i of range(suite.seeds)) {
    const { prepared, said } = busy(suite, `forged ${i}`);
    const scenario = { ...suite.base, seed: `forged ${i}` };
    const { tried, taken } = takenForgeries(prepared, said);
    if (tried === 0) fail(scenario, 'no message had a signature inside, so nothing was tested');
    for (const place of taken) fail(scenario, `a forged signature in ${place} is taken`);
  }
}
