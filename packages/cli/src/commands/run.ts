import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { optionText, type RunResult, runScenario, type Scenario } from '@quorumlab/harness';
import { traceBuffer } from '@quorumlab/sim';
import type { Command } from 'commander';
import { type ScenarioFlags, scenarioOf, withScenarioFlags } from '../flags.ts';
import { type GlobalFlags, terminal } from '../io.ts';
import { commandLine, costOf, exitOf, resultOf, rowOf } from '../result.ts';
import { sayRun } from '../words.ts';

interface RunFlags extends ScenarioFlags {
  readonly trace?: string;
  readonly expect?: string;
  readonly verbose?: boolean;
}

/** Runs a scenario and writes its trace to `file`. */
export function runWithTrace(scenario: Scenario, file: string): RunResult {
  const buffer = traceBuffer();
  const result = runScenario(scenario, { trace: buffer, proofs: true, story: true });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, buffer.text());
  return result;
}

/** The name of the file of a scenario's trace. */
export function fileOf(scenario: Scenario): string {
  const { protocol, n, attack, seed, script, quorum } = scenario;
  const size = quorum === undefined ? `n${n}` : `n${n}-q${quorum}`;
  const words = [protocol, optionText(scenario), size, attack, seed].filter(Boolean);
  const name = words.map((word) => word.replace(/[^\w=.+-]/g, '_')).join('-');
  return `${name}${script === undefined ? '' : '.min'}.trace.ndjson`;
}

/** `quorumlab run <protocol>`: one scenario, one seed. */
export function addRun(program: Command): void {
  withScenarioFlags(program.command('run <protocol>'))
    .description('run one scenario with one seed and say what came of it')
    .option('--trace <file>', 'write the trace (NDJSON) to this file')
    .option('--expect <word>', 'exit 0 only if the verdict is this word')
    .option('--verbose', 'all lines of what happened')
    .action((protocol: string, flags: RunFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const scenario = scenarioOf(protocol, flags);
      const result =
        flags.trace === undefined
          ? runScenario(scenario, { proofs: true, story: true })
          : runWithTrace(scenario, flags.trace);
      const row = rowOf(result, flags.trace);
      const cost = costOf(result);
      const exit = exitOf([row], flags.expect);
      if (io.json)
        io.out(JSON.stringify(resultOf(commandLine(scenario), scenario, [row], [cost], exit)));
      else sayRun(io, result, row, cost, flags.verbose ?? false);
      process.exitCode = exit;
    });
}
