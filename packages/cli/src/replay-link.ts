/** The two runs of a link, run again and held against the digests that it names. */
import { costOfRun, engine, headline } from '@quorumlab/harness';
import { exitCodes } from './errors.ts';
import type { Io } from './io.ts';
import { runsOfLink } from './link.ts';
import { exitOf, resultOf, rowOf } from './result.ts';
import { runStoppably, stopOf } from './run-stoppably.ts';
import { stoppable } from './stop.ts';
import { verdictWord } from './words.ts';

/** Runs what a link is of. Ends with code 3 if it was made of other runs. */
export async function replayLink(io: Io, link: string): Promise<void> {
  const { place, scenarios } = runsOfLink(link);
  const results = await stoppable(async (signal) => {
    const done = [];
    for (const scenario of scenarios) {
      const result = await runStoppably(scenario, { proofs: true, story: true }, signal, io);
      const stop = stopOf(result, signal);
      if (stop !== undefined) throw stop;
      done.push(result);
    }
    return done;
  });
  const rows = results.map((result) => rowOf(result));
  const made = place.digests;
  const differs = rows.flatMap(({ digest }, i) =>
    made === undefined || digest?.startsWith(made[i] ?? '-') ? [] : [i],
  );
  const exit = differs.length > 0 ? exitCodes.replayDiffers : exitOf(rows);
  process.exitCode = exit;
  const [first] = scenarios;
  if (io.json && first !== undefined) {
    const costs = results.map((result) => costOfRun(result));
    io.out(JSON.stringify(resultOf(`quorumlab replay '${link}'`, first, rows, costs, exit)));
    return;
  }
  for (const [i, row] of rows.entries()) {
    const result = results[i];
    if (result !== undefined) io.out(headline(result.scenario));
    io.out(`${verdictWord(io, row.word)}   ${row.counterexample?.sentence ?? 'no violation'}`);
    const same = made === undefined ? 'the link names none' : `${io.sign('ok')} as the link says`;
    const other = `${io.sign('fail')} the link says ${made?.[i] ?? 'nothing'}`;
    io.out(`digest ${row.digest} ${differs.includes(i) ? other : same}`);
  }
  if (differs.length > 0)
    io.out(
      `made with ${place.engine ?? 'another version'}, and this is ${engine}: either the ` +
        'versions differ, or the link was edited.',
    );
}
