/** A trace that is run again where it is read. */
import { scenarioIn } from '@quorumlab/harness';
import { compareTraces, parseTrace } from '@quorumlab/sim';
import type { Answer } from './ask.ts';
import { ranOf } from './ran.ts';

/** Runs what a trace says that it is of, and compares every line. */
export function againOf(text: string, beat: () => void): Answer {
  const ran = ranOf(scenarioIn(parseTrace(text)), beat);
  const difference = compareTraces(text, ran.trace);
  const at = difference?.event === undefined ? '' : ` (event ${difference.event})`;
  return {
    says: 'again',
    ran,
    differs: difference === undefined ? undefined : `line ${difference.line}${at}`,
  };
}
