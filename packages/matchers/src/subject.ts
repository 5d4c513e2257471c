/** What an expectation is about, and the runs that it takes to see whether it holds. */
import {
  completeScenario,
  type ProtocolEntry,
  type RunResult,
  runScenario,
  type Scenario,
} from '@quorumlab/harness';

/** A protocol that is not registered, and what of its scenario is not usual. */
export interface Experiment {
  readonly entry: ProtocolEntry;
  readonly scenario?: Partial<Scenario>;
}

/**
 * The name of a registered protocol, a protocol entry of one's own alone or with a scenario, a
 * scenario of which anything but the protocol may be left out, or a run that was made already.
 */
export type Subject =
  | string
  | ProtocolEntry
  | Experiment
  | (Partial<Scenario> & Pick<Scenario, 'protocol'>)
  | RunResult;

/** What was given cannot be run: the sentence says what can. */
export class SubjectError extends TypeError {
  override readonly name: string = 'SubjectError';
}

/** A scenario that can be run again and again, and what runs it. */
export interface Runnable {
  readonly scenario: Scenario;
  readonly entry: ProtocolEntry | undefined;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isEntry = (value: object): value is ProtocolEntry => 'claims' in value && 'create' in value;
const isRun = (value: object): value is RunResult => 'word' in value && 'scenario' in value;

/** The scenario of a protocol that has no place in the registry. */
function scenarioOf(entry: ProtocolEntry, given: Partial<Scenario> = {}): Scenario {
  const f = given.f ?? 1;
  // The rest of a usual scenario is the same for every protocol.
  const usual = completeScenario({ protocol: 'raft', attack: 'none', ...given, f });
  return { ...usual, n: given.n ?? entry.claims.replicas(f), protocol: entry.name };
}

/** What `subject` says to run, with `change`. Throws {@link SubjectError} if it says nothing. */
export function runnableOf(subject: unknown, change: Partial<Scenario> = {}): Runnable {
  if (typeof subject === 'string')
    return { scenario: completeScenario({ protocol: subject, ...change }), entry: undefined };
  if (!isObject(subject)) throw unknownSubject();
  if (isRun(subject)) return { scenario: { ...subject.scenario, ...change }, entry: undefined };
  if (isEntry(subject)) return { scenario: scenarioOf(subject, change), entry: subject };
  if ('entry' in subject) {
    const { entry, scenario } = subject as Experiment;
    return { scenario: scenarioOf(entry, { ...scenario, ...change }), entry };
  }
  if (!('protocol' in subject && typeof subject.protocol === 'string')) throw unknownSubject();
  const given = subject as Partial<Scenario> & Pick<Scenario, 'protocol'>;
  return { scenario: completeScenario({ ...given, ...change }), entry: undefined };
}

const unknownSubject = (): SubjectError =>
  new SubjectError(
    "expect a protocol's name, a protocolEntry, { entry, scenario }, a scenario, or what " +
      'runScenario gave',
  );

/** The run of `subject`, made now unless it is one. */
export function runOf(subject: unknown): RunResult {
  if (isObject(subject) && isRun(subject)) return subject;
  return told(runnableOf(subject));
}

/** The same run with its story and its proofs: what people want to see of a failure. */
export function toldAgain(run: RunResult, entry?: ProtocolEntry): RunResult {
  if (run.story.length > 0) return run;
  try {
    const again = told({ scenario: run.scenario, entry });
    // Of a protocol that only the maker of the run has, there may be another of the same name.
    return again.digest === run.digest ? again : run;
  } catch {
    return run;
  }
}

/** Runs with story and proofs. */
const told = ({ scenario, entry }: Runnable): RunResult =>
  runScenario(scenario, { story: true, proofs: true, ...(entry ? { entry } : {}) });
