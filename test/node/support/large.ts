/** Groups of real processes whose state is large, filled, restarted and emptied under load. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Protocol, range } from '@quorumlab/core';
import { protocolOf, toleratedBy } from '@quorumlab/harness';
import { kv, type LogShape } from '@quorumlab/log';
import { type ClusterIdentity, connectClient, createLogger } from '@quorumlab/node';
import { principals, seedOf } from '../../../packages/node/test-support/cluster.ts';

/** What a replica is started with. */
export interface Start {
  readonly name: string;
  readonly n: number;
  readonly self: number;
  readonly folder: string;
  readonly rejoin: boolean;
}

/** What a replica says of itself: memory in MiB, times in ms. */
export interface Report {
  readonly term: number;
  readonly leader: number;
  readonly applied: number;
  readonly state: number;
  readonly peers: number;
  readonly failure: string;
  /** How long it took to start, with its state read back. */
  readonly started: number;
  /** The most CPU time that passed without a turn of the event loop, since the last report. */
  readonly longest: number;
  readonly memory: number;
  readonly mostMemory: number;
}

/** A protocol as it is with its default options. */
export function largeProtocol(name: string, n: number): Protocol<LogShape> {
  const entry = protocolOf(name);
  return entry.create({ n, f: toleratedBy(entry.claims, n) });
}

/** What a whole run found. */
export interface Story {
  /** Each report of each replica, in the order of the story. */
  readonly chapters: readonly { readonly title: string; readonly reports: readonly Report[] }[];
  /** How often the group had another term than before, after the state was there. */
  readonly elections: number;
  /** Milliseconds until the emptied member had everything. */
  readonly caughtUp: number;
  /** The most memory of a replica, in MiB. */
  readonly memory: number;
}

interface Life {
  readonly child: ChildProcess;
  /** What it says next. */
  heard(): Promise<unknown>;
}

const childPath = new URL('./large-child.ts', import.meta.url);

async function live(start: Start, cluster: ClusterIdentity): Promise<Life> {
  const told = JSON.stringify({ ...start, cluster }, (_, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  );
  const child = fork(childPath, [told], { execArgv: ['--conditions=source'] });
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`replica ${start.self} ended with ${code}`)));
  });
  // Whoever waits for a message hears of it.
  ended.catch(() => undefined);
  const heard = (): Promise<unknown> =>
    Promise.race([new Promise((resolve) => child.once('message', resolve)), ended]);
  await heard();
  return { child, heard };
}

/** Kills a replica at once. */
async function kill({ child }: Life): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

const valueBytes = 30_000;
/** Unlike text or zeros, nothing on the way could make it smaller. */
function value(seed: number): Uint8Array {
  const bytes = new Uint8Array(valueBytes);
  for (let i = 0, word = seed + 1; i < valueBytes; i++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = word >>> 24;
  }
  return bytes;
}

/**
 * Fills a group of `n` processes with `mebibytes` of state and lets it take snapshots; kills and
 * restarts all; takes one member's disk away and brings it back while writes go on.
 */
export async function largeStory(
  name: string,
  n: number,
  mebibytes: number,
  say: (line: string) => void,
): Promise<Story> {
  const home = mkdtempSync(join(tmpdir(), 'quorumlab-large-'));
  const all = await principals(n, 1);
  const cluster: ClusterIdentity = {
    cluster: 'large',
    group: 'log',
    epoch: 0,
    members: all.flatMap(({ address, ...one }) => (address ? [{ ...one, address }] : [])),
    clients: all.filter(({ address }) => address === undefined),
  };
  const start = (self: number, rejoin = false): Promise<Life> =>
    live({ name, n, self, folder: join(home, `${self}`), rejoin }, cluster);
  const protocol = largeProtocol(name, n);
  const lives = await Promise.all(range(n).map((self) => start(self)));
  const logger = createLogger({ level: 'silent' });
  const connected = () =>
    connectClient({ cluster, protocol, self: 65_536, secretKey: seedOf(65_536), logger });
  let client = await connected();
  const chapters: { title: string; reports: readonly Report[] }[] = [];
  const ask = (): Promise<readonly Report[]> =>
    Promise.all(
      lives.map(async ({ child, heard }) => {
        const heardNow = heard();
        child.send('?');
        // A child says nothing else.
        return (await heardNow) as Report;
      }),
    );
  const tell = async (title: string): Promise<readonly Report[]> => {
    const reports = await ask();
    chapters.push({ title, reports });
    say(`${title}`);
    for (const [i, each] of reports.entries())
      say(
        `  n${i} term ${each.term} applied ${each.applied}, longest pause ${each.longest} ms of ` +
          `CPU, ${each.memory} MiB now, ${each.mostMemory} at most, started in ${each.started} ms` +
          `${each.failure && ` FAILED ${each.failure}`}`,
      );
    return reports;
  };
  const until = async (holds: (reports: readonly Report[]) => boolean): Promise<void> => {
    while (!holds(await ask())) await sleep(250);
  };
  const same = (reports: readonly Report[]): boolean =>
    reports.every(
      ({ applied, state }) => applied === reports[0]?.applied && state === reports[0].state,
    );
  let written = 0;
  const four = async (count: number, operation: (i: number) => Uint8Array): Promise<void> => {
    const end = written + count;
    const one = async (): Promise<void> => {
      while (written < end) await client.propose(operation(written++));
    };
    await Promise.all(range(4).map(one));
  };
  const fill = (count: number) => four(count, (i) => kv.put(`large ${i}`, value(i)));
  /** Small values, all over the state. */
  const write = (count: number) => four(count, (i) => kv.put(`small ${i % 5_000}`, `${i}`));
  try {
    await client.ready(n);
    const values = Math.ceil((mebibytes * 2 ** 20) / valueBytes);
    const filling = performance.now();
    await fill(values);
    say(`${mebibytes} MiB in ${Math.round((performance.now() - filling) / 1000)} s`);
    const before = await tell('filled');
    // Past the next snapshot of the whole state, whatever the protocol's interval is.
    const every = protocol.snapshotEvery ?? 0;
    const next = Math.ceil(((before[0]?.applied ?? 0) + 1) / every) * every;
    while (((await ask())[0]?.applied ?? 0) < next + 20) await write(200);
    await sleep(5_000);
    await tell('after a snapshot of all of it');
    await client.stop();
    await Promise.all(lives.splice(0).map(kill));
    lives.push(...(await Promise.all(range(n).map((self) => start(self)))));
    client = await connected();
    await client.ready(n);
    await write(20);
    await until(same);
    const restarted = await tell('all restarted');
    const last = n - 1;
    await kill(lives[last] as Life);
    rmSync(join(home, `${last}`), { recursive: true });
    let working = true;
    const load = (async () => {
      while (working) await write(4);
    })();
    lives[last] = await start(last, true);
    const emptied = performance.now();
    await until((reports) => {
      const most = Math.max(...reports.map(({ applied }) => applied));
      return (reports[last]?.applied ?? -1) > most - 200;
    });
    const caughtUp = Math.round(performance.now() - emptied);
    working = false;
    await load;
    await until(same);
    const healed = await tell(`the emptied member has everything after ${caughtUp} ms under load`);
    const terms = (reports: readonly Report[]): number =>
      Math.max(...reports.map(({ term }) => term));
    const taken = chapters.at(1)?.reports ?? [];
    return {
      chapters,
      elections: terms(taken) - terms(before) + terms(healed) - terms(restarted),
      caughtUp,
      memory: Math.max(
        ...chapters.flatMap(({ reports }) => reports.map((each) => each.mostMemory)),
      ),
    };
  } finally {
    await client.stop();
    await Promise.all(lives.map(kill));
    rmSync(home, { recursive: true, force: true });
  }
}
