/** `quorumlab cluster submit`: runs operations in a cluster. */
import { clusterPackage } from '../cluster-package.ts';
import { usageError } from '../errors.ts';
import { readText } from '../files.ts';
import { timeOf, wholeNumber } from '../flags.ts';
import { grouped, type Io, progressOf } from '../io.ts';
import { stoppable, stopped } from '../stop.ts';
import { type Flags, say } from './cluster-io.ts';

/** Flags of `submit`. */
export interface SubmitFlags extends Flags {
  readonly count?: string;
  readonly outstanding?: string;
  readonly file?: string;
  readonly timeout?: string;
}

/** Runs operations and says what they gave. */
export async function submit(
  io: Io,
  flags: SubmitFlags,
  operations: readonly string[],
): Promise<void> {
  const cluster = await clusterPackage();
  if (flags.file !== undefined && operations.length > 0)
    throw usageError('QL100', '--file and operations both say what to submit; give one of them.');
  const text = flags.file === undefined ? operations.join('\n') : readText(flags.file);
  const count = wholeNumber('--count', flags.count ?? '1', 1, 1e9);
  const outstanding = wholeNumber('--outstanding', flags.outstanding ?? '1', 1, 65_536);
  const progress = progressOf(io, 'operations');
  const limitMs = timeOf('--timeout', flags.timeout ?? '30s', 1000) / 1000;
  const result = await stoppable(async (signal) => {
    let answered = 0;
    try {
      return await cluster.submit(flags.folder, text, {
        count,
        outstanding,
        limitMs,
        signal,
        progress(done, of) {
          answered = done;
          progress.update(done, of, '');
        },
      });
    } catch (error) {
      const so = `${grouped(answered)} operations were answered, what was under way may still run`;
      if (signal.aborted) throw stopped(signal, so);
      throw error;
    } finally {
      progress.end();
    }
  });
  if (io.json) return say(io, 'cluster-submit', { folder: flags.folder, ...result });
  const most = 20;
  for (const row of result.rows.slice(0, most))
    io.out(
      `${clipped(row.operation)}  ${io.sign('arrow')} ${clipped(row.result)}  ` +
        `(${row.milliseconds.toFixed(1)} ms)`,
    );
  if (result.operations > most) io.out(`and ${grouped(result.operations - most)} more`);
  if (result.operations > 1)
    io.out(
      `${grouped(result.operations)} operations in ${(result.milliseconds / 1000).toFixed(2)} s, ` +
        `${grouped(Math.round(result.perSecond))}/s, p50 ${result.p50.toFixed(1)} ms, ` +
        `p99 ${result.p99.toFixed(1)} ms`,
    );
}

/** Most characters of an operation, and of a result, on a line. */
const mostShown = 60;

const clipped = (text: string): string =>
  text.length <= mostShown ? text : `${text.slice(0, mostShown)}... (${text.length} characters)`;
