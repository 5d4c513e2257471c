import { runScenario, type Scenario } from '@quorumlab/harness';
import { placeOf, scenarioOf } from '@quorumlab/harness/link';
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

/** What a link leads to on both sides: a word and a digest, or the sentence why there is no run. */
export function seenByLink(link: string): readonly string[] {
  const { settings, complaints } = placeOf(link);
  if (complaints.length > 0) return complaints;
  return ([0, 1] as const).map((side) => {
    try {
      const { word, digest } = runScenario(scenarioOf(settings, side), { lines: false });
      return `${word} ${digest}`;
    } catch (error) {
      if (error instanceof Error && /^(Scenario|Options)Error$/.test(error.name))
        return error.message;
      throw error;
    }
  });
}
