import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenLog, openLog, openSqliteLog } from '../src/index.ts';

// node --conditions=source packages/disk/bench/append.ts [folder]: lone and concurrent appends of
// 100 bytes, beside bare loops of write and flush in the same run. Ratios travel, figures do not.

const loneCount = 2_000;
const concurrentCount = 100_000;
const outstanding = 512;
const payload = new Uint8Array(100).fill(7);
const root = fs.mkdtempSync(join(process.argv[2] ?? tmpdir(), 'quorumlab-bench-'));

interface Lone {
  readonly p50: number;
  readonly p99: number;
}

async function lone(work: () => unknown): Promise<Lone> {
  const times: number[] = [];
  for (let i = 0; i < loneCount; i++) {
    const start = process.hrtime.bigint();
    const result = work();
    if (result instanceof Promise) await result;
    times.push(Number(process.hrtime.bigint() - start) / 1000);
  }
  times.sort((a, b) => a - b);
  return { p50: times[loneCount / 2]!, p99: times[Math.floor(loneCount * 0.99)]! };
}

function flushed(descriptor: number, bytes: number): Promise<Lone> {
  const buffer = new Uint8Array(bytes).fill(7);
  return lone(() => {
    fs.writeSync(descriptor, buffer);
    fs.fdatasyncSync(descriptor);
  });
}

function print(name: string, figures: Lone, base: number): void {
  const { p50, p99 } = figures;
  const ratio = (p50 / base).toFixed(2);
  console.log(`${name.padEnd(44)} p50 ${p50.toFixed(0)} us  p99 ${p99.toFixed(0)} us  x${ratio}`);
}

async function concurrent(open: OpenLog, name: string): Promise<number> {
  const log = await open(join(root, `${name}-many`), { owner: 'bench', replay: () => {} });
  let left = concurrentCount;
  const client = async (): Promise<void> => {
    while (left-- > 0) await log.append(payload);
  };
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: outstanding }, client));
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  await log.close();
  return concurrentCount / seconds;
}

async function round(number: number): Promise<void> {
  const descriptor = fs.openSync(join(root, `bare-${number}`), 'w', 0o600);
  const bare = await flushed(descriptor, 140);
  const bareGroup = await flushed(descriptor, 144 * outstanding);
  fs.closeSync(descriptor);
  print('bare loop: write 140 B, fdatasyncSync', bare, bare.p50);
  for (const [name, open] of [
    ['openLog', openLog],
    ['openSqliteLog', openSqliteLog],
  ] as const) {
    const folder = join(root, `${name}-${number}`);
    const log = await open(folder, { owner: 'bench', replay: () => {} });
    print(`${name}: lone append`, await lone(() => log.append(payload)), bare.p50);
    await log.close();
    const rate = await concurrent(open, `${name}-${number}`);
    const limit = (outstanding / bareGroup.p50) * 1e6;
    const share = ((rate / limit) * 100).toFixed(0);
    console.log(
      `${name}: ${outstanding} outstanding`.padEnd(44),
      `${rate.toFixed(0)}/s, ${share} % of a bare loop of ${outstanding} records per flush`,
    );
  }
}

try {
  for (let number = 0; number < 3; number++) await round(number);
} finally {
  fs.rmSync(root, { recursive: true, force: true });
}
