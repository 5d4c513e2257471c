/** A trace that is run again where it is read. */
import { scenarioIn } from '@quorumlab/harness';
import { isOfShards, shardScenarioIn } from '@quorumlab/harness/shards';
import { compareTraces, parseTrace } from '@quorumlab/sim';
import type { Answer } from './ask.ts';
import { ranOf } from './ran.ts';
import { ranOfShards } from './shard-ran.ts';

/** Runs what a trace says that it is of, and compares every line. */
export function againOf(text: string, beat: () => void): Answer {
  const trace = parseTrace(text);
  const ran = isOfShards(trace)
    ? ranOfShards(shardScenarioIn(trace))
    : ranOf(scenarioIn(trace), beat);
  const difference = compareTraces(text, ran.trace);
  const at = difference?.event === undefined ? '' : ` (event ${difference.event})`;
  return {
    says: 'again',
    ran,
    differs: difference === undefined ? undefined : `line ${difference.line}${at}`,
  };
}
