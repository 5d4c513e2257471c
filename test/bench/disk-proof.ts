/** What the second place costs that knows how far a log was flushed, in turns on the same disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Files, nodeFiles, type OpenLog, openLog, type RecordLog } from '@quorumlab/disk';
import { type Part, quantile, type Row } from './measure.ts';

const payload = new Uint8Array(100).fill(7);

/** Files on which everything that is written to the second place is left out. */
const unproven: Files = {
  ...nodeFiles,
  open: async (path, mode) => {
    const file = await nodeFiles.open(path, mode);
    if (!path.endsWith('flushed.bin') || mode !== 'update') return file;
    return { ...file, write: async () => undefined, datasync: async () => undefined };
  },
};

interface Turn {
  readonly log: RecordLog;
  readonly times: number[];
}

/** One append on each log in turn, so that whatever else the machine does meets all of them. */
async function inTurn(turns: readonly Turn[], count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    for (const { log, times } of i % 2 === 0 ? turns : turns.toReversed()) {
      const began = performance.now();
      await log.append(payload);
      times.push(performance.now() - began);
    }
}

/** A log without the second place, with it, and with a flush of it for each batch. */
export const diskProof: Part = async ({ quick }) => {
  const root = mkdtempSync(join(tmpdir(), 'quorumlab-bench-'));
  const open = async (name: string, more: Partial<Parameters<OpenLog>[1]>): Promise<Turn> => {
    const options = { owner: 'bench', replay: () => undefined };
    // The second opening is the one without: a file that is just made is written in any case.
    await (await openLog(join(root, name), options)).close();
    return { log: await openLog(join(root, name), { ...options, ...more }), times: [] };
  };
  try {
    const bare = await open('bare', { files: unproven });
    const flushed = await open('flushed', {});
    const proven = await open('proven', { acknowledge: 'proven' });
    await inTurn([bare, flushed, proven], quick ? 1_000 : 5_000);
    for (const { log } of [bare, flushed, proven]) await log.close();
    const mean = (times: readonly number[]): number =>
      times.reduce((sum, each) => sum + each, 0) / times.length;
    const limit = { name: 'without, p50, ms', value: quantile(bare.times, 0.5) };
    const rate = { name: 'without, writes/s', value: 1000 / mean(bare.times) };
    const rows = (name: string, { times }: Turn): Row[] => [
      {
        part: 'disk-proof',
        name: `${name}: lone append, p50`,
        value: quantile(times, 0.5),
        unit: 'ms',
        limit,
        note: '100 B records, durable',
      },
      {
        part: 'disk-proof',
        name: `${name}: lone append, rate`,
        value: 1000 / mean(times),
        unit: 'writes/s',
        limit: rate,
        note: '100 B records, durable',
      },
    ];
    return [...rows('count written', flushed), ...rows('count flushed', proven)];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
};
