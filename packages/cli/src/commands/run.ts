import { commandLine, costOfRun } from '@quorumlab/harness';
import type { Command } from 'commander';
import { exitCodes } from '../errors.ts';
import { actingScenarioOf, expected, type ScenarioFlags, withScenarioFlags } from '../flags.ts';
import { proven, sayGuilt, signedIf } from '../guilt.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, terminal } from '../io.ts';
import { type ReporterFlags, reportersOf, withReporterFlag } from '../reporters.ts';
import { exitOf, resultOf, rowOf } from '../result.ts';
import { runStoppably, stopOf } from '../run-stoppably.ts';
import { stoppable, stoppedBy } from '../stop.ts';
import { errorsOf, runWithTrace, sayErrors, type Traced } from '../traced.ts';
import { sayRun } from '../words.ts';

interface RunFlags extends ScenarioFlags, ReporterFlags {
  readonly trace?: string;
  readonly proof?: string;
  readonly expect?: string;
  readonly verbose?: boolean;
}

/** `quorumlab run <protocol>`: one scenario, one seed. */
export function addRun(program: Command): void {
  withExamples(
    withReporterFlag(withScenarioFlags(program.command('run <protocol>'))),
    'quorumlab run raft -n 3 --attack equivocating-leader --seed 42',
    'quorumlab run raft -n 5 --crash leader@900ms..2s --workload a --net wan',
    'quorumlab run pbft --attack f+1-traitors --by 0,1 --proof guilt.json',
    'quorumlab run pbft --option requestTimeout=500ms --trace pbft.trace.ndjson',
  )
    .description('run one scenario with one seed and say what came of it')
    .option('--trace <file>', 'write the trace (NDJSON) to this file (default: no trace)')
    .option(
      '--proof <file>',
      'sign with real keys and write the proof against the liars to this file (default: none)',
    )
    .option('--expect <word>', 'exit 0 only if the verdict is this word (default: what is claimed)')
    .option('--verbose', 'all lines of what happened')
    .action(async (protocol: string, flags: RunFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const expect = expected(flags.expect);
      const { trace, proof } = flags;
      const scenario = signedIf(actingScenarioOf(protocol, flags), proof);
      const reporters = reportersOf(flags, io, trace, proof);
      const { result, file, failure, stop } = await stoppable(async (signal) => {
        const traced: Traced =
          trace === undefined
            ? { result: await runStoppably(scenario, { proofs: true, story: true }, signal, io) }
            : await runWithTrace(scenario, trace, { signal, io });
        const more = trace === undefined ? '' : `; ${trace} is not written`;
        return { ...traced, stop: stopOf(traced.result, signal, more) };
      });
      const written = proof === undefined ? {} : proven(result, proof);
      const row = rowOf(result, file, written.file);
      const cost = costOfRun(result);
      const verdict = stop?.exit ?? exitOf([row], expect);
      const told = {
        ...resultOf(commandLine(scenario), scenario, [row], [cost], verdict),
        ...(expect === undefined ? {} : { expect }),
        ...stoppedBy(stop),
      };
      const failures = [failure, written.failure, ...(await reporters(told))];
      const errors = errorsOf(failures.filter((each) => each !== undefined));
      const exit = stop?.exit ?? (errors.errors ? exitCodes.usage : verdict);
      if (io.json) io.out(JSON.stringify({ ...told, ...errors, exit }));
      else {
        sayRun(io, result, row, cost, flags.verbose ?? false);
        sayGuilt(io, row, proof !== undefined);
      }
      process.exitCode = exit;
      sayErrors(io, errors);
      if (stop !== undefined) io.complain(stop.message);
    });
}
