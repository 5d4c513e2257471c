import { fromUtf8, toHex } from '@quorumlab/core';
import { isWeak } from '@quorumlab/harness';
import { kv, LogFullError, OperationError } from '@quorumlab/log';
import { allNodes, type ClusterConfig, protocolIn, readConfig } from './config.ts';
import { type ClusterClient, connectCluster } from './connect.ts';
import { ClusterError } from './errors.ts';
import { type ClusterOperation, parseOperation, usage } from './operation.ts';
import { shortageOf } from './progress.ts';
import { rowsOf } from './status.ts';

/** What came of one operation. */
export interface SubmitRow {
  readonly operation: string;
  readonly result: string;
  readonly milliseconds: number;
}

/** What came of all of them. */
export interface SubmitResult {
  /** The last ones; at most 1,000. */
  readonly rows: readonly SubmitRow[];
  readonly operations: number;
  readonly milliseconds: number;
  readonly perSecond: number;
  /** Half of all took no longer, in milliseconds. */
  readonly p50: number;
  /** 99 of 100 took no longer, in milliseconds. */
  readonly p99: number;
}

/** How to submit. */
export interface SubmitOptions {
  /** How often; `{i}` in a text is replaced by the turn, from 0. Once unless told. */
  readonly count?: number;
  /** How many are under way at a time. 1 unless told. */
  readonly outstanding?: number;
  /** Longest wait for all answers, in milliseconds. 30,000 unless told. */
  readonly limitMs?: number;
  readonly progress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

/** Rows that are kept. */
const mostRows = 1000;

/** A result of the store, for people. */
function describeResult(bytes: Uint8Array): string {
  const result = kv.result(bytes);
  switch (result.kind) {
    case 'value':
      return result.value === null ? '(not there)' : readable(result.value);
    case 'stored':
      return 'stored';
    case 'swapped':
      if (result.done) return 'swapped';
      return `not swapped: found ${result.found === null ? 'nothing' : readable(result.found)}`;
    case 'deleted':
      return result.found ? 'deleted' : '(not there)';
    case 'refused':
      return `refused: ${result.why}`;
  }
}

function readable(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch {
    return `0x${toHex(bytes)}`;
  }
}

/** How operations of a cluster are read and ended. */
interface Reading {
  /** How many positions its log has, if it ends. */
  readonly length: number | undefined;
  /** Whether reads take what one replica has. */
  readonly isNear: boolean;
}

/**
 * Runs one operation, and says what came of it. Where the log ends, a read that was ordered would
 * use it up, so it is answered by the replica that is asked; and a log that is full is a result.
 */
async function ask(
  client: ClusterClient,
  { bytes, readOnly }: ClusterOperation,
  { length, isNear }: Reading,
  signal: AbortSignal,
): Promise<string> {
  try {
    if (!readOnly) return describeResult(await client.propose(bytes, { signal }));
    const consistency = isNear ? 'local' : 'linearizable';
    const said = describeResult(await client.read(bytes, consistency, { signal }));
    return isNear ? `${said} (as one replica has it)` : said;
  } catch (error) {
    if (!(error instanceof LogFullError)) throw error;
    const positions =
      length === 1 ? 'one position, and that is' : `${length} positions, and all are`;
    return `not run: the log has ${positions} decided; look with: get, or quorumlab cluster status`;
  }
}

/** Longest wait for a replica that is elsewhere to be reached, in milliseconds. */
const reachMs = 5000;

/** Says at once that nobody will answer, where that can be known. */
async function requireAnswers(folder: string, config: ClusterConfig): Promise<void> {
  const shortage = shortageOf(config, await rowsOf(folder, config));
  if (shortage === undefined) return;
  throw new ClusterError(
    `Nothing was submitted: ${shortage}. Start what is down: quorumlab cluster up`,
  );
}

/** Says so if none of the replicas that it takes to believe an answer can be reached. */
async function requireReached(
  client: ClusterClient,
  config: ClusterConfig,
  limitMs: number,
): Promise<void> {
  const { matching } = protocolIn(config).client;
  const waitMs = Math.min(limitMs, reachMs);
  await client.ready(matching, AbortSignal.timeout(waitMs)).catch(() => {
    const addresses = allNodes(config)
      .map(({ address }) => address)
      .join(', ');
    throw new ClusterError(
      `Nothing was submitted: fewer than ${matching} of ${config.n} replicas could be reached ` +
        `in ${waitMs / 1000} s at ${addresses}; look whether they run, and at the network.`,
    );
  });
}

/**
 * Runs the operations of `text`, one a line, on the running cluster in `folder`. Throws
 * {@link ClusterError} if they cannot be read, at once if nobody can answer, or if no answer came
 * in time.
 */
export async function submit(
  folder: string,
  text: string,
  options: SubmitOptions = {},
): Promise<SubmitResult> {
  const { count = 1, outstanding = 1, limitMs = 30_000, progress } = options;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new ClusterError(`There is nothing to submit; ${usage}.`);
  for (const line of lines) parseOperation(line);
  const config = await readConfig(folder);
  const { length } = protocolIn(config);
  const reading = { length, isNear: length !== undefined || isWeak(config.reads ?? 'quorum') };
  await requireAnswers(folder, config);
  // Others may be submitting: one of them will end, and its client be free.
  const client = await connectCluster(folder, {
    outstanding: Math.min(outstanding, 65_536),
    waitMs: limitMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const limit = AbortSignal.timeout(limitMs);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  const rows: SubmitRow[] = [];
  const times: number[] = [];
  const total = lines.length * count;
  let next = 0;
  const start = performance.now();
  async function worker(): Promise<void> {
    while (next < total) {
      const i = next++;
      const line = (lines[i % lines.length] as string).replaceAll(
        '{i}',
        String(Math.floor(i / lines.length)),
      );
      const operation = parseOperation(line);
      const from = performance.now();
      const result = await ask(client, operation, reading, signal);
      const milliseconds = performance.now() - from;
      times.push(milliseconds);
      rows.push({ operation: operation.label, result, milliseconds });
      if (rows.length > 2 * mostRows) rows.splice(0, mostRows);
      progress?.(times.length, total);
    }
  }
  try {
    await requireReached(client, config, limitMs);
    await Promise.all(Array.from({ length: Math.min(outstanding, total) }, worker));
  } catch (error) {
    // The group itself has said why it gives no result.
    if (error instanceof OperationError)
      throw new ClusterError(`${times.length} of ${total} operations ran; then: ${error.message}.`);
    if (!limit.aborted || options.signal?.aborted) throw error;
    throw new ClusterError(
      `${total - times.length} of ${total} operations had no answer after ${limitMs / 1000} s ` +
        'and may still run; look at: quorumlab cluster status',
    );
  } finally {
    await client.stop();
  }
  const milliseconds = performance.now() - start;
  times.sort((one, two) => one - two);
  const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? 0;
  return {
    rows: rows.slice(-mostRows),
    operations: total,
    milliseconds,
    perSecond: (1000 * total) / milliseconds,
    p50: at(0.5),
    p99: at(0.99),
  };
}
