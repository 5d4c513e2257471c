import { runScenario, type Scenario } from '@quorumlab/harness';
import { traceBuffer } from '@quorumlab/sim';

/** What two engines must have in common about one run. */
export interface Seen {
  readonly word: string;
  readonly digest: string;
  readonly trace: string;
}

/** Runs a scenario; the same module in Node and in a page. */
export function seen(scenario: Scenario): Seen {
  const trace = traceBuffer();
  const { word, digest } = runScenario(scenario, { trace });
  return { word, digest, trace: trace.text() };
}
