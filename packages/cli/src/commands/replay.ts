import {
  attacks,
  checkedScenario,
  costOfRun,
  engine,
  headline,
  otherEngine,
  protocols,
  quoted,
  type Scenario,
  workloads,
} from '@quorumlab/harness';
import { linkOfScenario } from '@quorumlab/harness/link';
import { isOfShards, wordsOf } from '@quorumlab/harness/shards';
import { parseTrace, type Trace, TraceError } from '@quorumlab/sim';
import type { Command } from 'commander';
import { Exit, exitCodes, usageError } from '../errors.ts';
import { readText } from '../files.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, grouped, type Io, terminal } from '../io.ts';
import { hashOf, isLink, isLinkOfShards } from '../link.ts';
import { replayLink } from '../replay-link.ts';
import { replaySchema, sayDifference } from '../replay-words.ts';
import { replayed } from '../replayed.ts';
import { exitOf, resultOf, rowOf } from '../result.ts';
import { replayShardLink, replayShards } from '../shard-again.ts';
import { stoppable } from '../stop.ts';
import { verdictWord } from '../words.ts';

interface ReplayFlags {
  readonly step?: boolean;
}

/** `quorumlab replay <trace>`: runs a trace's scenario again and compares every line. */
export function addReplay(program: Command): void {
  withExamples(
    program.command('replay <trace>'),
    'quorumlab replay raft.trace.ndjson',
    'quorumlab replay raft.trace.ndjson --step',
    "quorumlab replay '#/play?p=raft,pbft&seed=7&h=0660030b,a5b3c735'",
  )
    .description(
      'run a trace (a file, or - for stdin) again and compare it line by line; or the runs of a ' +
        'link of the playground, by their digests',
    )
    .option('--step', 'walk through it by keys; where no terminal is, print every event')
    .action(async (file: string, flags: ReplayFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      if (flags.step && io.json)
        throw usageError(
          'QL100',
          '--step prints events for people, and --json one document; leave out one of them.',
        );
      if (isLink(file))
        return isLinkOfShards(file) ? replayShardLink(io, hashOf(file)) : replayLink(io, file);
      const text = readText(file);
      const trace = parsed(text);
      if (isOfShards(trace)) return replayOfShards(io, trace, text, flags);
      const scenario = scenarioOfTrace(trace);
      const { result, difference, stop, lines, of } = await stoppable((signal) =>
        replayed(scenario, text, signal, io),
      );
      if (difference !== undefined) {
        sayDifference(io, difference, stop);
        return;
      }
      if (stop !== undefined) {
        if (io.json) {
          const known = { lines, of, stopped: stop.message, exit: stop.exit };
          io.out(JSON.stringify({ schema: replaySchema, engine, ...known }));
        } else {
          io.out(headline(scenario));
          io.out(`the first ${grouped(lines)} lines of ${grouped(of)} are the same`);
        }
        io.complain(stop.message);
        process.exitCode = stop.exit;
        return;
      }
      const row = rowOf(result, file);
      if (io.json) {
        io.out(
          JSON.stringify(
            resultOf(
              `quorumlab replay ${quoted(file)}`,
              scenario,
              [row],
              [costOfRun(result)],
              exitOf([row]),
            ),
          ),
        );
        return;
      }
      if (flags.step) await sayStep(io, trace, text);
      io.out(headline(scenario));
      io.out(
        `same ${engine} · ${trace.events.length} events · digest ${row.digest} ` +
          `${io.sign('ok')} identical`,
      );
      io.out(`${verdictWord(io, row.word)}   ${row.counterexample?.sentence ?? 'no violation'}`);
      const link = linkOfScenario(scenario);
      if (link !== undefined) io.out(`see it     quorumlab play '${link}'`);
    });
}

/** A trace of shards: its groups are small, and no signal need stop it. */
async function replayOfShards(
  io: Io,
  trace: Trace,
  text: string,
  flags: ReplayFlags,
): Promise<void> {
  if (flags.step) await sayStep(io, trace, text);
  replayShards(io, trace, text);
}

/** Loaded on demand: pictures and their words are for those who ask. */
async function sayStep(io: Io, trace: Trace, text: string): Promise<void> {
  const { modelOf } = await import('@quorumlab/trace-view');
  const { isInteractive, sayEvents, stepThrough } = await import('../step-through.ts');
  const model = modelOf(trace, wordsOf(trace));
  if (isInteractive() && model.events.length > 0) await stepThrough(io, model, text);
  else sayEvents(io, model);
}

/** The scenario of a trace's text. Throws an {@link Exit} if it is of another version or none. */
export const scenarioIn = (text: string): Scenario => scenarioOfTrace(parsed(text));

function scenarioOfTrace(trace: Trace): Scenario {
  const why = otherEngine(trace);
  if (why !== undefined) throw new Exit(exitCodes.replayDiffers, 'QL128', why);
  const scenario = checkedScenario(trace.header.scenario);
  requireLoaded('protocol', scenario.protocol, protocols);
  requireLoaded('attack', scenario.attack, attacks);
  requireLoaded('workload', scenario.workload, workloads);
  return scenario;
}

/** A trace names what it ran and no file with its code: whoever runs it again says which. */
function requireLoaded(
  what: string,
  name: string,
  known: readonly { readonly name: string }[],
): void {
  if (known.some((each) => each.name === name)) return;
  throw usageError(
    'QL101',
    `this trace is of a run with the ${what} "${name}", and there is none of that name here.\n` +
      `  use   --with FILE   if it is your own: the file that exports it`,
  );
}

/** The trace of a text. Throws an {@link Exit} if it is none. */
export function parsed(text: string): Trace {
  try {
    return parseTrace(text);
  } catch (error) {
    if (error instanceof TraceError)
      throw new Exit(
        exitCodes.replayDiffers,
        'QL128',
        `this is not a trace that can be replayed: ${error.message}.`,
      );
    throw error;
  }
}
