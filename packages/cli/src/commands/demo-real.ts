import type { RealDemo, RealRun } from '@quorumlab/cluster';
import { narrateVotes } from '@quorumlab/harness';
import { clusterPackage } from '../cluster-package.ts';
import { exitCodes } from '../errors.ts';
import type { Io } from '../io.ts';
import { resultOf, toldOf } from '../result.ts';
import { stoppable, stopped } from '../stop.ts';
import { type DemoSide, sayTwoColumns, tellable, titleOf, wentAsClaimed } from '../two-columns.ts';

/**
 * The demo among real processes: prints what came of it and sets the exit code. Leaves no process
 * and no file, also when it is interrupted.
 */
export async function realDemo(io: Io, protocols: readonly string[]): Promise<void> {
  const demo = await untilInterrupted(io, protocols);
  if (io.progress === 'bar') io.status('');
  const rows = demo.runs.map(({ verdict, scenario, story }) => ({
    ...verdict,
    ...toldOf({ story, n: scenario.n, liars: scenario.by }),
  }));
  const exit = rows.every(({ protocol, word }) => wentAsClaimed(protocol, word))
    ? exitCodes.expected
    : rows.some(({ word }) => word === 'inconclusive')
      ? exitCodes.inconclusive
      : exitCodes.unexpected;
  if (io.json) {
    const scenarios = demo.runs.map(({ scenario }) => scenario);
    io.out(JSON.stringify(resultOf('quorumlab demo --real', scenarios, rows, [], exit)));
  } else {
    const seconds = (demo.milliseconds / 1000).toFixed(1);
    const processes = rows.reduce((sum, { n }) => sum + n, 0);
    const how = `(${processes} real processes, TCP + Noise, logs on disk, ${seconds} s)`;
    sayTwoColumns(io, `The same lie, live.  ${how}`, demo.runs.map(sideOf), rows, []);
    io.out(`  again   quorumlab demo ${protocols.join(' ')} --real`);
  }
  process.exitCode = exit;
}

/** Runs the demo; Ctrl-C or a request to end stops it and cleans up. */
async function untilInterrupted(io: Io, protocols: readonly string[]): Promise<RealDemo> {
  const { demoReal } = await clusterPackage();
  return stoppable(async (signal) => {
    try {
      return await demoReal({
        protocols,
        signal,
        progress(protocol, doing) {
          if (io.progress === 'bar') io.status(`${protocol}: ${doing} …`);
        },
      });
    } catch (error) {
      // Whatever the end of a process on the way led to: the interruption is the reason.
      if (signal.aborted) throw stopped(signal, 'all processes are gone');
      throw error;
    }
  });
}

function sideOf({ scenario, verdict, story, logs }: RealRun): DemoSide {
  const slot = verdict.counterexample?.slot ?? firstCommand(logs);
  const values = [...logs].map(([node, slots]) => {
    const entry = slots.find((each) => each.slot === slot);
    return `n${node}=${entry === undefined ? '(nothing yet)' : namesIn(entry.requests)}`;
  });
  return {
    title: titleOf(scenario),
    n: scenario.n,
    traitors: scenario.by,
    story: tellable(story, slot),
    values: `position ${slot}: ${values.join(', ')}`,
    votes: narrateVotes({ story, n: scenario.n, liars: scenario.by, slot }),
  };
}

type Requests = readonly { readonly text: string }[];

const namesIn = (requests: Requests): string =>
  requests.length === 0 ? 'nothing' : requests.map(({ text }) => text).join(' then ');

/** The first position at which anything but a no-op was committed. */
const firstCommand = (logs: RealRun['logs']): number =>
  Math.min(
    ...[...logs.values()].flatMap((slots) =>
      slots.filter(({ requests }) => requests.length > 0).map(({ slot }) => slot),
    ),
  );
