/**
 * `npm run simulate -- [--long] [--seeds N] [--from SEED] [--protocol NAME] [--seed SEED]`: swarms.
 * NAME is a protocol or one of its rule sets, `hotstuff` or `hotstuff:chained`.
 */
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { failureOf, protocols, type Subject, subjectsOf, swarmWorld } from '@quorumlab/harness';

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    from: { type: 'string' },
    protocol: { type: 'string' },
    seed: { type: 'string' },
  },
});
const all = protocols.flatMap(({ name }) => subjectsOf(name));
const subjects = all.filter(
  ({ name, protocol }) =>
    values.protocol === undefined || [name, protocol].includes(values.protocol),
);

/** A whole number from 1, or `otherwise` where nothing is given; ends the program at others. */
function whole(name: 'seeds' | 'from' | 'seed', otherwise: number): number {
  const text = values[name];
  const number = Number(text ?? otherwise);
  if (Number.isSafeInteger(number) && number > 0) return number;
  console.error(`--${name} ${text} is not a whole number from 1.`);
  process.exit(254);
}

const single = values.seed !== undefined;
const first = single ? whole('seed', 1) : whole('from', 1);
const last = single ? first : whole('seeds', values.long ? 40_000 : 400);
/** Failures that are shown; the rest is counted. */
const shown = 20;
/** Milliseconds between two lines of progress where it is no terminal. */
const quietMs = 60_000;

const clock = (seconds: number): string =>
  seconds < 100
    ? `${Math.round(seconds)} s`
    : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

/** Shows how far it is, how fast, and how long it will take; on a terminal in one line. */
function progress(name: string): (seed: number, failed: number) => void {
  const start = performance.now();
  let told = start;
  return (seed, failed) => {
    const now = performance.now();
    const terminal = process.stderr.isTTY;
    if (single || now - told < (terminal ? 200 : quietMs)) return;
    told = now;
    const seconds = (now - start) / 1000;
    const rate = (seed - first + 1) / seconds;
    const line =
      `${name}: seed ${seed} of ${last}, ${failed} failed, ${rate.toFixed(1)} runs/s, ` +
      `${clock((last - seed) / rate)} left`;
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

async function run(subject: Subject): Promise<void> {
  const { name } = subject;
  const tell = progress(name);
  let failed = 0;
  let events = 0;
  let done = first - 1;
  for (let seed = first; seed <= last && stop === undefined; seed++) {
    const failure = failureOf(
      subject,
      seed,
      (result) => void (events += result.events),
      () => `npm run simulate -- --protocol ${name} --seed ${seed}`,
    );
    if (failure !== undefined && failed++ < shown) console.log(`${name}: ${failure}`);
    if (single) console.log(JSON.stringify(swarmWorld(subject, seed).scenario));
    tell(seed, failed);
    done = seed;
    // Signals are heard between two runs.
    await setImmediate();
  }
  if (process.stderr.isTTY && !single) process.stderr.write(`\r${' '.repeat(78)}\r`);
  const seeds = done < first ? 'no seed' : `seeds ${first} to ${done}`;
  const early = stop === undefined ? '' : `, stopped before seed ${done + 1}`;
  console.log(`${name}: ${seeds}, ${events} events, ${failed} failed${early}`);
  if (failed > 0) process.exitCode = 1;
}

if (subjects.length === 0) {
  console.error(`There is no ${values.protocol}; there are ${all.map(({ name }) => name).join()}.`);
  process.exitCode = 254;
}
for (const subject of subjects) if (stop === undefined) await run(subject);
if (stop !== undefined) process.exitCode = stop;
