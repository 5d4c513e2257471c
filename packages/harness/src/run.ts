import {
  execution,
  liveness,
  type Observer,
  observers,
  type VerdictWord,
  type Violation,
} from '@quorumlab/checker';
import { ms, type Request, range, type Status } from '@quorumlab/core';
import {
  type Counters,
  type CrashPoint,
  type Simulation,
  type SimulationResult,
  simulate,
  type TraceSink,
  type Watcher,
} from '@quorumlab/sim';
import { agreementOf } from './agreement-of.ts';
import { type Claim, claimOf } from './claims.ts';
import { type ClosedLoop, closedLoop } from './closed-loop.ts';
import { describeRequest } from './describe.ts';
import { engine } from './engine.ts';
import { type Guilt, guiltRecord, unasked } from './guilt.ts';
import { keyValueHistory } from './history.ts';
import { leaseWatch } from './lease-watch.ts';
import { type Lie, lieRecord } from './lies.ts';
import { type AnyShape, nearPatience, type Prepared, prepare } from './prepare.ts';
import type { ProofValues } from './proof-values.ts';
import type { ProtocolEntry } from './protocol-entry.ts';
import { type Reached, reaching } from './reached.ts';
import { isWeak } from './read-words.ts';
import { readsIn } from './reads.ts';
import { type Progress, watchProgress } from './recovery.ts';
import type { Scenario } from './scenario.ts';
import { type StoryLine, storyteller } from './story.ts';
import { weakReads, withoutReads } from './weak-reads.ts';

/** How a run is watched. */
export interface RunOptions {
  /** Writes a trace; slower. */
  readonly trace?: TraceSink;
  /** Looks for proofs of lies, and judges by what honest nodes have kept; slower. */
  readonly proofs?: boolean;
  /** Choices of an earlier run to make again. */
  readonly decisions?: readonly number[];
  /** Records the choices. */
  readonly record?: boolean;
  /** Counts bytes; slower. */
  readonly countBytes?: boolean;
  /** Counts the lines of the papers that ran. On unless told; off is faster. */
  readonly lines?: boolean;
  /** Counts rare situations: see {@link RunResult.reached}; a little slower. */
  readonly reached?: boolean;
  /** Tells in words what every replica did, and keeps what was committed. */
  readonly story?: boolean;
  /** A protocol that is not registered, instead of the one that the scenario names. */
  readonly entry?: ProtocolEntry;
  /** Crashes a replica at one of its boundaries: see {@link RunResult.boundaries}. */
  readonly crashAt?: CrashPoint;
  /** Freezes messages and copies what is written, to find machines that share state; slow. */
  readonly strict?: boolean;
}

/** What came of a run. */
export interface RunResult {
  readonly scenario: Scenario;
  readonly word: VerdictWord;
  /** Whether the protocol's claims allow this word for these faults. */
  readonly expected: boolean;
  /** Whether the protocol claims to survive the faults of the scenario at all. */
  readonly claim: Claim;
  /** Which budget ended before an answer: `patience` whatever the word, others if it is none. */
  readonly spent?: Spent;
  readonly violation: Violation | undefined;
  /** How often the attack really acted. */
  readonly fired: number;
  readonly digest: string;
  /** Virtual time of the end, in microseconds. */
  readonly now: number;
  readonly events: number;
  readonly answered: number;
  readonly counters: Counters;
  /** What honest replicas decided: per seat, per slot. Empty without `story`. */
  readonly committed: ReadonlyMap<number, ReadonlyMap<number, readonly Request[]>>;
  readonly proofs: readonly Lie[];
  /** Who is guilty by what honest nodes have kept; nobody without {@link RunOptions.proofs}. */
  readonly guilt: Guilt;
  /** What the two statements of each proof are for, in words. */
  readonly proofValues: readonly ProofValues[];
  /** What the replicas did, in words; empty unless asked for. */
  readonly story: readonly StoryLine[];
  readonly decisions: readonly number[] | undefined;
  /** How often the run was in which rare situation; empty unless asked for. */
  readonly reached: Reached;
  /** Per replica: the places in the run at which a crash would make a difference. */
  readonly boundaries: readonly number[];
  /** Per replica: why it stopped by itself, if it did: it threw, or its disk failed. */
  readonly reasons: readonly (string | undefined)[];
}

/**
 * A budget: virtual time (`Scenario.until`), events of the simulator (`Scenario.events`), what
 * judging what the clients saw may cost, or the patience of whoever stopped a run in pieces.
 */
export type Spent = 'time' | 'events' | 'judging' | 'patience';

/** How long after healing every request must be answered, by network. */
const patience = (network: string): number => (network === 'lan' ? ms(3000) : ms(10_000));

/** Longer histories are not judged for linearizability: it could take longer than the run. */
const historyLimit = 10_000;

/** A run that makes this many events is not getting anywhere, unless it is told to go on. */
export const eventsUnlessTold = 20_000_000;

function spentIn({ ending, violation }: SimulationResult, word: VerdictWord): Spent | undefined {
  if (word !== 'inconclusive') return undefined;
  if (violation !== undefined) return 'judging';
  return ending === 'events' ? 'events' : 'time';
}

/** The run goes on this long after the last answer, so that followers catch up. */
const settling = ms(100);

/** Judges what clients saw by what their reads promise. */
function historyOf(scenario: Scenario, { protocol }: Prepared): readonly Observer[] {
  const reads = readsIn(scenario);
  if (!isWeak(reads)) return [keyValueHistory()];
  const { order } = protocol.claims;
  return [
    withoutReads(reads, keyValueHistory()),
    weakReads({ reads, order, patience: nearPatience }),
  ];
}

/** How to run in pieces. */
export interface PieceOptions extends RunOptions {
  /** Asked at each pause: when it is so, the run ends there, and what is known is its result. */
  readonly isStopped?: () => boolean;
}

/** What is known of a run that is under way. */
export interface RunSoFar {
  readonly answered: number;
  readonly events: number;
  /** Virtual time in microseconds. */
  readonly now: number;
}

/** Events between two pauses of a run in pieces: some milliseconds. */
const eventsPerPiece = 128;

/**
 * Runs one scenario in the simulator. Throws a ScenarioError if it cannot be run.
 *
 * @example
 * ```ts
 * import { completeScenario, runScenario } from '@quorumlab/harness';
 *
 * const lie = completeScenario({ protocol: 'raft', attack: 'equivocating-leader', by: [0] });
 * console.log(runScenario(lie).word); // forked
 * ```
 */
export function runScenario(scenario: Scenario, options: RunOptions = {}): RunResult {
  const pieces = runInPieces(scenario, options);
  for (;;) {
    const piece = pieces.next();
    if (piece.done) return piece.value;
  }
}

/**
 * The same run, a few milliseconds of it at a time, so that its caller can do something else in
 * between, and end it. Pauses change nothing: the result is equal to that of {@link runScenario}.
 */
export function* runInPieces(
  scenario: Scenario,
  options: PieceOptions = {},
): Generator<RunSoFar, RunResult> {
  const prepared = prepare(scenario, options.entry, options.lines);
  const committed = new Map<number, Map<number, readonly Request[]>>();
  const check = observers(
    agreementOf(prepared.protocol.claims, describeRequest),
    execution(describeRequest, prepared.protocol.claims.order),
    liveness(patience(scenario.network)),
    ...(scenario.count <= historyLimit ? historyOf(scenario, prepared) : []),
    ...(options.story ? [recording(committed)] : []),
  );
  const statusOf = (seat: number): Status | undefined => simulation.seat(seat).status;
  const story: StoryLine[] = [];
  const telling = options.story ? storyInto(prepared, story, statusOf) : undefined;
  const counting = options.reached ? reaching(prepared, statusOf) : undefined;
  const clients = closedLoop(prepared, check, counting);
  const progress = watchProgress();
  const leases = leaseWatch(prepared, statusOf);
  const lies = lieRecord(prepared);
  const guilt = options.proofs ? guiltRecord(prepared) : undefined;
  const simulation: Simulation<AnyShape> = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: prepared.keyring,
    evidence: prepared.group.evidence,
    seats: prepared.seats,
    members: prepared.protocol.members,
    network: prepared.network,
    faults: prepared.faults,
    inputs: clients.source,
    seed: scenario.seed,
    limits: { until: scenario.until, events: scenario.events ?? eventsUnlessTold },
    stopAtViolation: scenario.script !== undefined,
    observer: observers(check, progress.observer, ...(counting ? [counting.observer] : [])),
    installed: ({ serviceSnapshot }, when) =>
      serviceSnapshot && (when === 'restart' || serviceSnapshot.origin === 'installed')
        ? serviceSnapshot.slot
        : undefined,
    record: options.record ?? false,
    countBytes: options.countBytes ?? false,
    strict: options.strict ?? false,
    ...(options.crashAt ? { crashAt: options.crashAt } : {}),
    decisions: options.decisions ?? scenario.script?.choices,
    lost: scenario.script?.lost,
    copies: scenario.copies,
    watcher: {
      ...(options.proofs ? lies.watcher : {}),
      ...guilt?.watcher,
      ...counting?.watcher,
      ...steppedOf(telling, counting?.watcher, leases?.watcher),
    },
    ...(options.trace ? { trace: traceOf(prepared, options.trace) } : {}),
  });
  for (const change of prepared.changes) simulation.input(change);
  const pace: Pace = function* (at) {
    for (;;) {
      const progressed = simulation.runSome(at, eventsPerPiece);
      if (progressed !== 'more') return progressed === 'reached';
      yield { answered: clients.answered(), events: simulation.events, now: simulation.now };
      if (options.isStopped?.()) return 'stopped';
    }
  };
  const way = yield* drive(simulation, prepared, clients, progress, pace);
  const result = simulation.finish();
  const whole = way !== 'stopped' && clients.finished();
  const word = result.violation?.word ?? (whole ? 'ok' : 'inconclusive');
  const claim = claimOf(scenario, options.entry);
  const spent = way === 'stopped' ? 'patience' : spentIn(result, word);
  return {
    scenario,
    word,
    expected: isExpected(claim, word),
    claim,
    ...(spent === undefined ? {} : { spent }),
    violation: leases?.explained(result.violation, claim) ?? result.violation,
    fired: firedIn(prepared, result.counters, result.now),
    digest: result.digest,
    now: result.now,
    events: result.events,
    answered: clients.answered(),
    counters: result.counters,
    committed,
    ...lies.found(),
    guilt: guilt?.found(word) ?? unasked,
    story,
    decisions: options.record ? simulation.decisions() : undefined,
    reached: counting?.reached() ?? {},
    boundaries: range(scenario.n).map((seat) => simulation.seat(seat).boundaries),
    reasons: range(scenario.n).map((seat) => simulation.seat(seat).reason),
  };
}

/** Whether an instant was reached, or the run ended before, or somebody stopped it. */
type Way = boolean | 'stopped';

/** Goes on until an instant, in pieces. */
type Pace = (at: number) => Generator<RunSoFar, Way>;

/** Runs to the end, and strikes whoever leads when a fault says so. */
function* drive(
  simulation: Simulation<AnyShape>,
  { atLeader, healedAt, scenario }: Prepared,
  clients: ClosedLoop,
  progress: Progress,
  pace: Pace,
): Generator<RunSoFar, Way> {
  let struck: number | undefined;
  let way: Way;
  for (const { node: _, ...fault } of [...atLeader].sort((one, two) => one.at - two.at)) {
    way = yield* pace(fault.at);
    if (way !== true) return way;
    if (fault.type === 'crash' || fault.type === 'pause') struck = leaderOf(simulation, scenario.n);
    if (struck !== undefined) simulation.inject({ ...fault, seat: struck });
  }
  way = yield* pace(healedAt);
  if (way !== true) return way;
  const open = (): boolean =>
    !(clients.finished() && progress.isKept()) && simulation.violation?.word !== 'forked';
  while (open() && simulation.now < scenario.until) {
    way = yield* pace(Math.min(scenario.until, simulation.now + settling));
    if (way !== true) return way;
  }
  return yield* pace(Math.min(scenario.until, simulation.now + settling));
}

/** Whom most running replicas take for the leader. */
export function leaderOf(simulation: Simulation<AnyShape>, n: number): number {
  const votes = new Map<number, number>();
  for (let seat = 0; seat < n; seat++) {
    const leader = simulation.seat(seat).running ? simulation.seat(seat).status?.leader : undefined;
    if (leader !== undefined) votes.set(leader, (votes.get(leader) ?? 0) + 1);
  }
  return [...votes].sort((one, two) => two[1] - one[1] || one[0] - two[0])[0]?.[0] ?? 0;
}

/** Keeps what honest replicas decided, for people. */
function recording(committed: Map<number, Map<number, readonly Request[]>>): Observer {
  return {
    decided(_at, seat, { slot, commands }) {
      let slots = committed.get(seat);
      if (slots === undefined) {
        slots = new Map();
        committed.set(seat, slots);
      }
      slots.set(slot, commands);
    },
    violation: undefined,
  };
}

type Stepping = Pick<Watcher<AnyShape>, 'stepped'>;

/** All of them look at every step. */
function steppedOf(...list: readonly (Stepping | undefined)[]): Stepping {
  const all = list.flatMap((each) => (each?.stepped === undefined ? [] : [each]));
  if (all.length === 0) return {};
  return {
    stepped(at, seat, output) {
      for (const each of all) each.stepped?.(at, seat, output);
    },
  };
}

function storyInto(
  { scenario, attack, protocol }: Prepared,
  story: StoryLine[],
  status: (seat: number) => Status | undefined,
): Stepping {
  const isTraitor = (seat: number): boolean =>
    attack.needs === 'byzantine' && scenario.by.includes(seat);
  const tellers = range(scenario.n).map((seat) =>
    storyteller(seat, isTraitor(seat), protocol.termWord),
  );
  return {
    stepped(at, seat, output) {
      const now = status(seat);
      if (now !== undefined) story.push(...(tellers[seat]?.stepped(at, output, now) ?? []));
    },
  };
}

/**
 * Beyond what a protocol claims to survive, every word is expected; within it only `ok`. That a
 * budget has ended says nothing against the claims, so it is no surprise, whatever they are.
 */
const isExpected = ({ claimed, allows }: Claim, word: VerdictWord): boolean =>
  word === 'ok' || word === 'inconclusive' || (!claimed && allows.includes(word));

function firedIn({ attack, faults, atLeader }: Prepared, counters: Counters, now: number): number {
  if (attack.needs === 'nothing') return 0;
  const acted = Object.values(counters.fired).reduce((sum, each) => sum + each, 0);
  if (attack.behaviour !== undefined) return acted;
  return [...faults, ...atLeader].filter((each) => each.at <= now).length;
}

function traceOf({ scenario, protocol }: Prepared, sink: TraceSink) {
  return {
    sink,
    engine,
    scenario,
    protocolVersions: { [protocol.name]: String(protocol.version) },
  };
}
