/** The write-ahead log beside a bare loop of write and fdatasync, in turns on the same disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenLog, openLog, openSqliteLog } from '@quorumlab/disk';
import { flushLoop } from './limits.ts';
import { inTurns, type Part, quantile, type Row } from './measure.ts';

const payload = new Uint8Array(100).fill(7);
const outstanding = 512;
/** Bytes of one record of 100 on disk, header and padding included. */
const recordBytes = 144;

/** The median in milliseconds of `count` appends, one after the other. */
async function lone(open: OpenLog, folder: string, count: number): Promise<number> {
  const log = await open(folder, { owner: 'bench', replay: () => {} });
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await log.append(payload);
    times.push(performance.now() - began);
  }
  await log.close();
  return quantile(times, 0.5);
}

/** Appends per second with {@link outstanding} under way. */
async function many(open: OpenLog, folder: string, count: number): Promise<number> {
  const log = await open(folder, { owner: 'bench', replay: () => {} });
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) await log.append(payload);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: outstanding }, client));
  const seconds = (performance.now() - began) / 1000;
  await log.close();
  return count / seconds;
}

/** Both back ends. */
export const disk: Part = async ({ quick }) => {
  const root = mkdtempSync(join(tmpdir(), 'quorumlab-bench-'));
  const count = quick ? 300 : 1000;
  const bulk = quick ? 20_000 : 60_000;
  let folders = 0;
  const folder = (): string => join(root, `${folders++}`);
  try {
    const found = await inTurns(quick ? 3 : 5, {
      bare: () => flushLoop(root, recordBytes, count),
      files: () => lone(openLog, folder(), count),
      sqlite: () => lone(openSqliteLog, folder(), count),
      bareGroup: () => flushLoop(root, recordBytes * outstanding, count / 4),
      filesMany: () => many(openLog, folder(), bulk),
      sqliteMany: () => many(openSqliteLog, folder(), bulk),
    });
    const limit = { name: 'bare write + fdatasync, ms', value: found.bare };
    const group = {
      name: `bare loop of ${outstanding} records a flush`,
      value: (outstanding / found.bareGroup) * 1000,
    };
    const row = (name: string, value: number, unit: string, beside: Row['limit']): Row => ({
      part: 'disk',
      name,
      value,
      unit,
      ...(beside ? { limit: beside } : {}),
      note: '100 B records, durable',
    });
    return [
      row('files: lone append, p50', found.files, 'ms', limit),
      row('files: 512 outstanding', found.filesMany, 'appends/s', group),
      row('sqlite: lone append, p50', found.sqlite, 'ms', limit),
      row('sqlite: 512 outstanding', found.sqliteMany, 'appends/s', group),
    ];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
};
