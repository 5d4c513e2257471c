/**
 * `npm run simulate`: swarms. Options: `--long`, `--seeds N`, `--from SEED`, `--protocol NAME`,
 * `--rare` for rare worlds alone, `--seed SEED` for one world, `--jobs N` threads. NAME is a
 * protocol or one of its rule sets, `hotstuff` or `hotstuff:chained`. At the end a table tells how
 * often each rare situation was reached.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import {
  addReached,
  protocols,
  type Reached,
  type Subject,
  subjectsOf,
  swarmWorld,
} from '@quorumlab/harness';
import { flagsOf, oneOf, wholeOf } from '../support/flags.ts';
import { type Block, type Found, failuresOf } from './blocks.ts';
import { reachedTable } from './reached-table.ts';
import { hire } from './threads.ts';

const all = protocols.flatMap(({ name }) => subjectsOf(name));
const names = [...new Set(all.flatMap(({ name, protocol }) => [protocol, name]))];
const usage = `Usage: npm run simulate -- [options]

  --seeds <N>        worlds up to this seed (default: 400)
  --long             up to seed 40,000
  --from <seed>      the first seed (default: 1)
  --seed <seed>      one world, which is printed too
  --rare             rare worlds alone
  --protocol <name>  one of ${names.join(', ')} (default: all)
  --jobs <N>         threads (default: one for each processor)`;
const { values } = flagsOf(usage, {
  long: { type: 'boolean', default: false },
  seeds: { type: 'string' },
  from: { type: 'string' },
  protocol: { type: 'string' },
  rare: { type: 'boolean', default: false },
  seed: { type: 'string' },
  jobs: { type: 'string' },
});
const wanted = oneOf('protocol', values.protocol, names);
const subjects = all.filter(
  ({ name, protocol }) => wanted === undefined || [name, protocol].includes(wanted),
);

const single = values.seed !== undefined;
const first = single ? wholeOf('seed', values.seed, 1) : wholeOf('from', values.from, 1);
const last = single ? first : wholeOf('seeds', values.seeds, values.long ? 40_000 : 400);
const jobs = Math.min(wholeOf('jobs', values.jobs, availableParallelism()), 64);
if (first > last) {
  console.error(`There is no seed from ${first} to ${last}: --from is above --seeds.`);
  process.exit(254);
}
/** Failures that are shown; the rest is counted. */
const shown = 20;
/** Seeds that a thread is given at a time: about half a second. */
const perBlock = 20;
/** Milliseconds between two lines of progress where it is no terminal. */
const quietMs = 60_000;

const clock = (seconds: number): string =>
  seconds < 100
    ? `${Math.round(seconds)} s`
    : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

/** Shows how far it is, how fast, and how long it will take; on a terminal in one line. */
function progress(name: string): (done: number, failed: number) => void {
  const start = performance.now();
  const seeds = last - first + 1;
  let told = start;
  return (done, failed) => {
    const now = performance.now();
    const terminal = process.stderr.isTTY;
    if (now - told < (terminal ? 200 : quietMs)) return;
    told = now;
    const rate = (done * 1000) / (now - start);
    const line =
      `${name}: ${done} of ${seeds} seeds, ${failed} failed, ${rate.toFixed(1)} runs/s, ` +
      `${clock((seeds - done) / rate)} left`;
    process.stderr.write(terminal ? `\r${line.padEnd(78)}` : `${line}\n`);
  };
}

/** The exit code of whoever has stopped this: it then says how far it has come. */
let stop: number | undefined;
for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.on(name, () => {
    if (stop !== undefined) process.exit(code);
    stop = code;
  });

/** The seeds of `name`, in the order in which threads take them; ends early where it is stopped. */
function* blocksOf(name: string): Iterable<Block> {
  for (let from = first; from <= last && stop === undefined; from += perBlock)
    yield { name, from, to: Math.min(from + perBlock - 1, last), rare: values.rare };
}

/** One digest of all runs, whichever thread ended first: equal for two trees that do the same. */
function digestOf(runs: (readonly [seed: number, digest: string])[]): string {
  const hash = createHash('sha256');
  for (const [seed, digest] of runs.sort(([a], [b]) => a - b)) hash.update(`${seed} ${digest}\n`);
  return hash.digest('hex').slice(0, 16);
}

/** By subject. */
const reached = new Map<string, Reached>();

async function run({ name }: Subject): Promise<void> {
  const tell = progress(name);
  let failed = 0;
  let events = 0;
  let done = 0;
  const digests: (readonly [seed: number, digest: string])[] = [];
  const take = (found: Found): void => {
    for (const failure of found.failures) if (failed++ < shown) console.log(`${name}: ${failure}`);
    events += found.events;
    reached.set(name, addReached(reached.get(name) ?? {}, found.reached));
    digests.push(...found.digests);
    done += found.seeds;
    tell(done, failed);
  };
  await threads.share(blocksOf(name), take);
  if (process.stderr.isTTY) process.stderr.write(`\r${' '.repeat(78)}\r`);
  // What was begun was ended, so what is done is a run of seeds without a hole.
  const ended = first + done - 1;
  const seeds = done === 0 ? 'no seed' : `seeds ${first} to ${ended}`;
  const early = ended === last ? '' : `, stopped before seed ${ended + 1}`;
  const same = `digest ${digestOf(digests)}`;
  console.log(`${name}: ${seeds}, ${events} events, ${failed} failed, ${same}${early}`);
  if (failed > 0) process.exitCode = 1;
}

/** One world, which is shown too. */
function runOne(subject: Subject): void {
  const { name } = subject;
  const { failures, events, ...found } = failuresOf({ name, from: first, to: first });
  reached.set(name, found.reached);
  for (const failure of failures) console.log(`${name}: ${failure}`);
  console.log(JSON.stringify(swarmWorld(subject, first).scenario));
  console.log(`${name}: seed ${first}, ${events} events, ${failures.length} failed`);
  if (failures.length > 0) process.exitCode = 1;
}

const threads = hire(single ? 0 : jobs);
for (const subject of subjects)
  if (single) runOne(subject);
  else if (stop === undefined) await run(subject);
await threads.dismiss();
for (const line of reachedTable(subjects, reached)) console.log(line);
if (stop !== undefined) process.exitCode = stop;
