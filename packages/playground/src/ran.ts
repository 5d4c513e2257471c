/** One run, as pages show it. */
import {
  againLine,
  expectation,
  headline,
  narrate,
  type ProofRow,
  proofRows,
  type RunResult,
  runInPieces,
  type Scenario,
  ScenarioError,
  taleOf,
} from '@quorumlab/harness';
import { type TraceBuffer, traceBuffer } from '@quorumlab/sim';
import type { ClockMoment } from '@quorumlab/trace-view';

/** A run as the page shows it: plain data. */
export interface Ran {
  /** Of a run of one protocol: it can be changed, copied as a test, and replayed. */
  readonly scenario?: Scenario;
  /** What ran, as a heading. */
  readonly title: string;
  /** What files of it are called, without their endings. */
  readonly file: string;
  readonly word: RunResult['word'];
  /** What was violated, or that nothing was. */
  readonly sentence: string;
  /** Whether that was to be expected, and why. */
  readonly expectation: string;
  readonly headline: string;
  /** What happened at the contested position. */
  readonly story: readonly string[];
  readonly proofs: readonly ProofRow[];
  readonly fired: number;
  readonly digest: string;
  /** Of shards: what clocks answered, and what came of it. */
  readonly clocks?: readonly ClockMoment[];
  /** The trace, as `quorumlab replay` reads it. */
  readonly trace: string;
  /** The command line that gives the same digest; nothing if no flags tell this scenario. */
  readonly command: string;
}

/** Letters of a trace at most, as of one that is opened: what is drawn takes many times as much. */
const mostLetters = 32 * 1024 * 1024;

/** A trace of a run that a page can show. Throws a ScenarioError when it becomes larger. */
function boundedTrace(scenario: Scenario, most: number): TraceBuffer {
  const all = traceBuffer();
  let letters = 0;
  return {
    ...all,
    line(text) {
      letters += text.length + 1;
      if (letters > most) throw tooLarge(scenario, all.lines.length);
      all.line(text);
    },
  };
}

function tooLarge(scenario: Scenario, lines: number): ScenarioError {
  const line = againLine(scenario);
  return new ScenarioError(
    'QL128',
    `This run is larger than a page can show: its trace had ${lines} lines and was not at its ` +
      `end. Ask for fewer replicas or operations${line ? `, or use a terminal: ${line}` : ''}`,
  );
}

/**
 * Runs a scenario with everything that the page shows of it; `beat` is called as it goes on. Throws
 * a ScenarioError if its trace has more than so many `letters`: no page can show it.
 */
export function ranOf(
  scenario: Scenario,
  beat = (): void => undefined,
  letters = mostLetters,
): Ran {
  const trace = boundedTrace(scenario, letters);
  const pieces = runInPieces(scenario, { trace, proofs: true, story: true });
  let piece = pieces.next();
  for (; !piece.done; piece = pieces.next()) beat();
  const result = piece.value;
  const { word, expected, violation, fired, digest, answered, claim } = result;
  const { protocol, mutant, n, f, attack } = scenario;
  const name = mutant === undefined ? protocol : `${protocol} with the mutant ${mutant}`;
  return {
    ...{ scenario, word, fired, digest },
    title: `${name}, n = ${n}, f = ${f}`,
    file: fileOf(`${protocol}-${attack}`, digest),
    sentence:
      violation?.sentence ??
      (word === 'ok'
        ? `${answered} operations answered, all honest logs and states agree`
        : `${answered} operations answered before a budget ended it`),
    expectation: expectation({ ...scenario, word, expected, ...claim }),
    headline: headline(scenario),
    story: narrate(taleOf(result)),
    proofs: proofRows(result),
    trace: trace.text(),
    command: againLine(scenario) ?? '',
  };
}

/** A name for files of a run. */
export const fileOf = (what: string, digest: string): string => `${what}-${digest.slice(0, 8)}`;
