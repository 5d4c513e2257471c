import {
  costOfRun,
  operationsOf,
  protocolOf,
  quoted,
  requestsIn,
  type Scenario,
  shortened,
} from '@quorumlab/harness';
import { traceSchema } from '@quorumlab/sim';
import {
  isProven,
  type ProofRecord,
  proofFromJson,
  proofSchema,
  verifyProof,
} from '@quorumlab/wire';
import type { Command } from 'commander';
import { Exit, exitCodes, usageError } from '../errors.ts';
import { readText } from '../files.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, type Io, terminal } from '../io.ts';
import { proofJsonOf, resultOf, rowOf } from '../result.ts';
import { runStoppably, stopOf } from '../run-stoppably.ts';
import { stoppable, stoppedBy } from '../stop.ts';
import { sayRun } from '../words.ts';
import { demoScenario } from './demo.ts';
import { scenarioIn } from './replay.ts';

interface ExplainFlags {
  readonly proof?: boolean;
}

/** The schema of a file stands in front. */
const headLength = 200;

/** `quorumlab explain <trace|proof|demo>`: what happened, who lied, and the proof. */
export function addExplain(program: Command): void {
  withExamples(
    program.command('explain <what>'),
    'quorumlab explain demo --proof',
    'quorumlab explain raft.trace.ndjson --json',
    'quorumlab explain proof.json',
  )
    .description(
      'narrate a trace or check a proof; "explain demo --proof" prints the proof of the demo',
    )
    .option('--proof', 'print only the proof, as JSON that anyone can check')
    .action(async (what: string, flags: ExplainFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const text = what === 'demo' ? undefined : readText(what);
      if (text?.slice(0, headLength).includes(proofSchema)) {
        if (flags.proof)
          throw usageError('QL100', `${what} is a proof already; leave out --proof to check it.`);
        return explainProof(io, text);
      }
      if (text?.slice(0, headLength).includes(traceSchema) === false)
        throw usageError('QL128', `${what} is neither a trace nor a proof; name another file.`);
      const scenario = text === undefined ? demoScenario('raft') : scenarioIn(text);
      await explainRun(io, scenario, flags.proof ?? false, text === undefined ? undefined : what);
    });
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
  const proof = proofJsonOf(result);
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

function explainProof(io: Io, text: string): void {
  const bytes = proofFromJson(text);
  const { domain }: ProofRecord = JSON.parse(text);
  const entry = protocolOf(domain.protocol);
  const protocol = entry.create({ n: 4, f: 1 });
  const verdict = verifyProof(bytes, protocol);
  if (io.json) {
    io.out(
      JSON.stringify({
        schema: 'quorumlab.explain/1',
        holds: isProven(verdict),
        ...(isProven(verdict)
          ? { signer: verdict.signer, about: verdict.about, said: verdict.said }
          : verdict),
      }),
    );
  } else if (isProven(verdict)) {
    io.out(
      `${io.paint('good', `${io.sign('ok')} the proof holds`)}: ` +
        `n${verdict.signer} signed two statements about ${verdict.about}`,
    );
    for (const [i, message] of [verdict.first, verdict.second].entries()) {
      const requests = requestsIn(message);
      const value = requests.length > 0 ? operationsOf(requests) : shortened(verdict.said[i] ?? '');
      io.out(`  ${message.kind} ${value}`);
    }
    io.out(
      `  of ${domain.protocol} in cluster "${domain.cluster}", epoch ${domain.epoch}; ` +
        'only one of them may be signed',
    );
  } else io.out(`${io.paint('bad', `${io.sign('fail')} this proves nothing`)}: ${verdict.reason}`);
  process.exitCode = isProven(verdict) ? exitCodes.expected : exitCodes.unexpected;
}
