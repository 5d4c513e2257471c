/** A run of shards, as pages show it. */

import { ScenarioError } from '@quorumlab/harness';
import {
  isClaimed,
  runShards,
  type ShardCommit,
  type ShardScenario,
  shardCommand,
  shardFlawOf,
  shardHeadline,
  shardPlaceOf,
} from '@quorumlab/harness/shards';
import { traceBuffer } from '@quorumlab/sim';
import type { ClockMoment } from '@quorumlab/trace-view';
import { fileOf, type Ran } from './ran.ts';

/** Runs shards with everything that the page shows of them. */
export function ranOfShards(scenario: ShardScenario): Ran {
  const trace = traceBuffer();
  const run = runShards(scenario, { trace });
  const { word, sentence, digest, brokenBound } = run;
  return {
    ...{ word, sentence, digest, headline: shardHeadline(scenario) },
    title: shardHeadline(scenario),
    file: fileOf('shards', digest),
    expectation: expectationOf(scenario, word === 'ok'),
    story: brokenBound === undefined ? [] : [`${brokenBound}.`],
    clocks: momentsOf(run),
    ...{ proofs: [], fired: 0, trace: trace.text(), command: shardCommand(scenario) },
  };
}

/** Runs what a link of shards says. Throws a ScenarioError if it was made with another run. */
export function ranOfLink(hash: string): Ran {
  const { scenario, digest, engine = 'another version' } = shardPlaceOf(hash);
  const ran = ranOfShards(scenario);
  if (digest === undefined || ran.digest.startsWith(digest)) return ran;
  throw new ScenarioError(
    'QL128',
    `this link was made with ${engine}, and gives another run here: digest ` +
      `${ran.digest.slice(0, digest.length)}, not ${digest}.`,
  );
}

/** Whether that was to be expected, and why. */
function expectationOf(scenario: ShardScenario, isOk: boolean): string {
  if (isClaimed(scenario)) {
    const so = isOk ? 'yes' : 'no';
    return `expected: ${so}. As long as clocks are within their bound, nothing may break.`;
  }
  const why =
    scenario.mutant === undefined
      ? 'timestamps are as right as the bound of the clocks'
      : shardFlawOf(scenario.mutant);
  return `expected: yes. Anything may break here: ${why}.`;
}

/** When each transaction began, was stamped, was over and was told of, and by which clock. */
export function momentsOf({
  commits = [],
  seats = [],
}: {
  readonly commits?: readonly ShardCommit[];
  readonly seats?: readonly string[];
}): readonly ClockMoment[] {
  const all = commits.flatMap(({ name, seat, begun, told, at, stamped, over }) => {
    const who = seats[seat] ?? '';
    const about = at === undefined ? {} : { timestamp: at };
    const asked = (reading: typeof over, what: string): readonly ClockMoment[] =>
      reading === undefined
        ? []
        : [
            {
              at: reading.at,
              who: seats[reading.seat] ?? '',
              what,
              interval: reading.clock,
              ...about,
            },
          ];
    return [
      { at: begun, who, what: `begins ${name}` },
      ...asked(stamped, `stamps ${name}`),
      ...asked(over, `lets ${name} be told`),
      { at: told, who, what: `is told of ${name}`, ...about },
    ];
  });
  return all.sort((one, other) => one.at - other.at);
}
