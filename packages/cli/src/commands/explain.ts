import { costOfRun, guiltFileOf, prepare, quoted, type Scenario } from '@quorumlab/harness';
import { traceSchema } from '@quorumlab/sim';
import type { ProofGroup } from '@quorumlab/wire';
import type { Command } from 'commander';
import { clusterPackage } from '../cluster-package.ts';
import { Exit, exitCodes, usageError } from '../errors.ts';
import { readText } from '../files.ts';
import { explainGuilt, isGuiltProof } from '../guilt.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, type Io, terminal } from '../io.ts';
import { resultOf, rowOf } from '../result.ts';
import { runStoppably, stopOf } from '../run-stoppably.ts';
import { stoppable, stoppedBy } from '../stop.ts';
import { sayRun } from '../words.ts';
import { demoScenario } from './demo.ts';
import { scenarioIn } from './replay.ts';

interface ExplainFlags {
  readonly proof?: string | true;
  readonly cluster?: string;
}

/** The schema of a file stands in front. */
const headLength = 200;

/** `quorumlab explain <trace|proof|demo>`: what happened, who lied, and the proof. */
export function addExplain(program: Command): void {
  withExamples(
    program.command('explain [what]'),
    'quorumlab explain demo --proof',
    'quorumlab explain raft.trace.ndjson --json',
    'quorumlab explain --proof guilt.json',
  )
    .description(
      'narrate a trace or check a proof; "explain demo --proof" prints the proof of the demo',
    )
    .option(
      '--proof [file]',
      'check the proof in this file; without one, print only the proof of what is explained',
    )
    .option('--cluster <folder>', 'take only proofs against members of this cluster (default: any)')
    .action(async (what: string | undefined, flags: ExplainFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const { proof, cluster } = flags;
      if (typeof proof === 'string' && what !== undefined)
        throw usageError('QL100', `explain takes ${what} or --proof ${proof}, not both.`);
      // `--proof demo` names the demo, and not a file.
      const name = typeof proof === 'string' && proof !== 'demo' ? proof : (what ?? 'demo');
      if (what === undefined && proof === undefined)
        throw usageError('QL100', 'explain what? Name a trace, a proof, or demo.');
      const text = name === 'demo' ? undefined : readText(name);
      if (text !== undefined && isGuiltProof(text)) {
        if (proof === true)
          throw usageError(
            'QL100',
            `${name} is a proof already.\n  use   quorumlab explain --proof ${quoted(name)}`,
          );
        return explainGuilt(io, text, cluster === undefined ? undefined : await trusted(cluster));
      }
      if (cluster !== undefined)
        throw usageError('QL100', '--cluster says whose proofs to take, and this is none.');
      if (text?.slice(0, headLength).includes(traceSchema) === false || proof === name)
        throw usageError('QL128', `${name} is neither a trace nor a proof; name another file.`);
      const scenario = text === undefined ? demoScenario('raft') : scenarioIn(text);
      await explainRun(io, scenario, proof !== undefined, text === undefined ? undefined : name);
    });
}

/** The group of a cluster that one trusts. */
async function trusted(folder: string): Promise<ProofGroup> {
  const { proofGroup, readConfig } = await clusterPackage();
  return proofGroup(await readConfig(folder));
}

/** Runs a scenario again; with real signatures if a proof is wanted: a stranger must check it. */
async function explainRun(
  io: Io,
  scenario: Scenario,
  proofOnly: boolean,
  trace?: string,
): Promise<void> {
  const signed: Scenario = proofOnly ? { ...scenario, crypto: 'ed25519' } : scenario;
  const { result, stop } = await stoppable(async (signal) => {
    const run = await runStoppably(signed, { proofs: true, story: true }, signal, io);
    return { result: run, stop: stopOf(run, signal) };
  });
  const sayStop = (): void => {
    if (stop === undefined) return;
    io.complain(stop.message);
    process.exitCode = stop.exit;
  };
  if (!proofOnly) {
    const row = rowOf(result, trace);
    if (io.json) {
      const line = `quorumlab explain ${quoted(trace ?? 'demo')}`;
      const exit = stop?.exit ?? exitCodes.expected;
      const told = resultOf(line, scenario, [row], [costOfRun(result)], exit);
      io.out(JSON.stringify({ ...told, story: result.story, ...stoppedBy(stop) }));
    } else sayRun(io, result, row, costOfRun(result), true);
    return sayStop();
  }
  const proof = guiltFileOf(prepare(result.scenario), result.guilt);
  if (proof === undefined && stop !== undefined) throw stop;
  if (proof === undefined)
    throw new Exit(
      exitCodes.inconclusive,
      'QL118',
      'nobody broke a vow in this run, so there is no proof.',
    );
  io.raw(proof.trimEnd());
  sayStop();
}
