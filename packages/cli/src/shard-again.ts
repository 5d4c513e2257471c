/** Runs of shards again: of a trace, line by line, or of a link, by its digest. */
import { engine, quoted } from '@quorumlab/harness';
import {
  isClaimed,
  runShards,
  type ShardRun,
  shardFlawOf,
  shardHeadline,
  shardLinkOf,
  shardPlaceOf,
  shardScenarioIn,
  shrinkShards,
} from '@quorumlab/harness/shards';
import { compareTraces, type Trace, traceBuffer } from '@quorumlab/sim';
import { type Exit, exitCodes, usageError } from './errors.ts';
import { writeLines } from './files.ts';
import { grouped, type Io } from './io.ts';
import { sayDifference } from './replay-words.ts';
import { sayStory } from './shard-words.ts';
import { verdictWord } from './words.ts';

/** The schema of documents about one run of shards. */
const schema = 'quorumlab.shard-run/1';

/** Nothing may break where rules are right and clocks within their bound. */
const exitOf = ({ scenario, word }: ShardRun): number =>
  isClaimed(scenario) && word !== 'ok' ? exitCodes.unexpected : exitCodes.expected;

/** What a document says of a run. */
const documentOf = ({ commits: _, deeds: __, choices: ___, ...run }: ShardRun): object => run;

/** What ran, what came of it, and the story of it. */
function sayRun(io: Io, run: ShardRun): void {
  const { scenario, word, sentence } = run;
  io.out(shardHeadline(scenario));
  io.out(`${verdictWord(io, word)}   ${sentence}`);
  if (scenario.mutant !== undefined) io.out(`  because   ${shardFlawOf(scenario.mutant)}`);
  sayStory(io, run);
}

/** Runs the scenario of a trace of shards again, and compares every line. */
export function replayShards(io: Io, trace: Trace, text: string): void {
  const buffer = traceBuffer();
  const run = runShards(shardScenarioIn(trace), { trace: buffer });
  const difference = compareTraces(text, buffer.text());
  if (difference !== undefined) return sayDifference(io, difference, undefined);
  const exit = exitOf(run);
  process.exitCode = exit;
  if (io.json) {
    io.out(JSON.stringify({ schema, engine, same: true, run: documentOf(run), exit }));
    return;
  }
  io.out(
    `same ${engine} · ${trace.events.length} events · digest ${run.digest} ` +
      `${io.sign('ok')} identical`,
  );
  sayRun(io, run);
  const link = shardLinkOf(run.scenario, run.digest);
  if (link !== undefined) io.out(`  see it    quorumlab play '${link}'`);
}

/** Runs what a link of shards is of. Ends with code 3 if it was made of another run. */
export function replayShardLink(io: Io, hash: string): void {
  const { scenario, digest, engine: made = 'another version' } = shardPlaceOf(hash);
  const run = runShards(scenario);
  const same = digest === undefined || run.digest.startsWith(digest);
  const exit = same ? exitOf(run) : exitCodes.replayDiffers;
  process.exitCode = exit;
  if (io.json) {
    io.out(JSON.stringify({ schema, engine, same, run: documentOf(run), exit }));
    return;
  }
  sayRun(io, run);
  const told = digest === undefined ? 'the link names none' : `${io.sign('ok')} as the link says`;
  io.out(`digest ${run.digest} ${same ? told : `${io.sign('fail')} the link says ${digest}`}`);
  if (!same)
    io.out(
      `made with ${made}, and this is ${engine}: either the versions differ, or the link was ` +
        'edited.',
    );
}

/** Makes the run of a trace of shards smaller, and writes the trace of what is left. */
export function shrinkShardTrace(
  io: Io,
  trace: Trace,
  { file, out, tries }: { readonly file: string; readonly out: string; readonly tries: number },
): void {
  const small = shrinkShards(shardScenarioIn(trace), { tries });
  if (small === undefined) throw nothingWrong(file);
  const { scenario, before, after, steps } = small;
  const buffer = traceBuffer();
  const run = runShards(scenario, { trace: buffer });
  writeLines(out, buffer.lines);
  const exit = exitOf(run);
  process.exitCode = exit;
  if (io.json) {
    const shrunk = { before, after, steps, tries: small.tries };
    io.out(JSON.stringify({ schema, engine, shrunk, run: documentOf(run), file: out, exit }));
    return;
  }
  const arrow = io.sign('arrow');
  io.out(`${grouped(before)} ${arrow} ${grouped(after)} events in ${grouped(small.tries)} tries`);
  sayRun(io, run);
  io.out(`\n  trace     ${out}`);
  io.out(`  replay    quorumlab replay ${quoted(out)}`);
}

/** What is right cannot be made smaller. */
export const nothingWrong = (file: string): Exit =>
  usageError(
    'QL118',
    `nothing goes wrong in ${file}, so there is nothing to shrink.\n` +
      '  use   quorumlab attack to search for a counterexample',
  );
