/** Groups of real processes whose state is large, filled, restarted and emptied under load. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Protocol, range } from '@quorumlab/core';
import { protocolOf, toleratedBy } from '@quorumlab/harness';
import { kv, type LogShape } from '@quorumlab/log';
import {
  type ClusterIdentity,
  connectClient,
  createLogger,
  type Principal,
  type RunningClient,
} from '@quorumlab/node';
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

/** A group of processes and a client of it. */
class LargeGroup {
  readonly chapters: { readonly title: string; readonly reports: readonly Report[] }[] = [];
  readonly protocol: Protocol<LogShape>;
  readonly #name: string;
  readonly #home = mkdtempSync(join(tmpdir(), 'quorumlab-large-'));
  readonly #cluster: ClusterIdentity;
  readonly #say: (line: string) => void;
  #lives: Life[] = [];
  #client: RunningClient<Uint8Array, Uint8Array, Uint8Array> | undefined;
  #written = 0;
  /** By replica, the longest pause since it was last told of: each look starts a new one there. */
  #longest: number[] = [];

  constructor(name: string, all: readonly Principal[], say: (line: string) => void) {
    this.#name = name;
    this.#say = say;
    this.#cluster = {
      cluster: 'large',
      group: 'log',
      epoch: 0,
      members: all.flatMap(({ address, ...one }) => (address ? [{ ...one, address }] : [])),
      clients: all.filter(({ address }) => address === undefined),
    };
    this.protocol = largeProtocol(name, this.n);
  }

  get n(): number {
    return this.#cluster.members.length;
  }

  #start(self: number, rejoin = false): Promise<Life> {
    const folder = join(this.#home, `${self}`);
    return live({ name: this.#name, n: this.n, self, folder, rejoin }, this.#cluster);
  }

  async startAll(): Promise<void> {
    this.#lives = await Promise.all(range(this.n).map((self) => this.#start(self)));
    this.#client = await connectClient({
      cluster: this.#cluster,
      protocol: this.protocol,
      self: 65_536,
      secretKey: seedOf(65_536),
      logger: createLogger({ level: 'silent' }),
    });
    await this.#client.ready(this.n);
  }

  async killAll(): Promise<void> {
    await this.#client?.stop();
    await Promise.all(this.#lives.splice(0).map(kill));
  }

  async end(): Promise<void> {
    await this.killAll();
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** Kills a member, takes its disk away and starts it again. */
  async empty(member: number): Promise<void> {
    await kill(this.#lives[member] as Life);
    rmSync(join(this.#home, `${member}`), { recursive: true });
    this.#lives[member] = await this.#start(member, true);
  }

  async ask(): Promise<readonly Report[]> {
    const reports = await Promise.all(
      this.#lives.map(async ({ child, heard }) => {
        const answer = heard();
        child.send('?');
        // A child says nothing else.
        return (await answer) as Report;
      }),
    );
    this.#longest = reports.map(({ longest }, i) => Math.max(longest, this.#longest[i] ?? 0));
    return reports;
  }

  async tell(title: string): Promise<readonly Report[]> {
    const now = await this.ask();
    const reports = now.map((each, i) => ({ ...each, longest: this.#longest[i] ?? 0 }));
    this.#longest = [];
    this.chapters.push({ title, reports });
    this.#say(title);
    for (const [i, each] of reports.entries())
      this.#say(
        `  n${i} term ${each.term}, applied ${each.applied}, longest pause ${each.longest} ms of ` +
          `CPU, ${each.memory} MiB now, ${each.mostMemory} at most, started in ${each.started} ms` +
          `${each.failure && `, FAILED ${each.failure}`}`,
      );
    return reports;
  }

  async until(holds: (reports: readonly Report[]) => boolean): Promise<void> {
    while (!holds(await this.ask())) await sleep(250);
  }

  /** Until all have run the same. */
  agreed(): Promise<void> {
    return this.until((reports) =>
      reports.every(
        ({ applied, state }) => applied === reports[0]?.applied && state === reports[0].state,
      ),
    );
  }

  /** `count` operations, `together` at a time. */
  async #all(count: number, together: number, operation: (i: number) => Uint8Array): Promise<void> {
    const end = this.#written + count;
    const one = async (): Promise<void> => {
      while (this.#written < end) await this.#client?.propose(operation(this.#written++));
    };
    await Promise.all(range(together).map(one));
  }

  fill(count: number): Promise<void> {
    return this.#all(count, 32, (i) => kv.put(`large ${i}`, value(i)));
  }

  /** Small values, all over the state. */
  write(count: number): Promise<void> {
    return this.#all(count, 4, (i) => kv.put(`small ${i % 5_000}`, `${i}`));
  }
}

/** Brings an emptied member back while writes go on; tells how many milliseconds it takes. */
async function bringBack(group: LargeGroup, member: number): Promise<number> {
  let working = true;
  const load = (async () => {
    while (working) await group.write(4);
  })();
  await group.empty(member);
  const emptied = performance.now();
  await group.until((reports) => {
    const most = Math.max(...reports.map(({ applied }) => applied));
    return (reports[member]?.applied ?? -1) > most - 200;
  });
  working = false;
  await load;
  return Math.round(performance.now() - emptied);
}

/** The last member that nobody takes for the leader: without a leader there is an election. */
const followerOf = (reports: readonly Report[]): number =>
  reports.findLastIndex((_, member) => reports.every(({ leader }) => leader !== member));

const termOf = (reports: readonly Report[]): number => Math.max(...reports.map(({ term }) => term));

/**
 * Fills a group of `n` processes with `mebibytes` of state and lets it take a snapshot of all of
 * it; kills and restarts all; takes one follower's disk away and brings it back while writes go on.
 */
export async function largeStory(
  name: string,
  n: number,
  mebibytes: number,
  say: (line: string) => void,
): Promise<Story> {
  const group = new LargeGroup(name, await principals(n, 1), say);
  try {
    await group.startAll();
    const began = performance.now();
    await group.fill(Math.ceil((mebibytes * 2 ** 20) / valueBytes));
    say(`${mebibytes} MiB in ${Math.round((performance.now() - began) / 1000)} s`);
    const filled = await group.tell('filled');
    const every = group.protocol.snapshotEvery ?? 0;
    const next = Math.ceil(((filled[0]?.applied ?? 0) + 1) / every) * every;
    while (((await group.ask())[0]?.applied ?? 0) < next + 20) await group.write(200);
    await sleep(5_000);
    const taken = await group.tell('after a snapshot of all of it');
    await group.killAll();
    await group.startAll();
    await group.write(20);
    await group.agreed();
    const restarted = await group.tell('all restarted');
    const caughtUp = await bringBack(group, followerOf(restarted));
    await group.agreed();
    const healed = await group.tell(`an emptied member was back after ${caughtUp} ms under load`);
    const all = group.chapters.flatMap(({ reports }) => reports);
    return {
      chapters: group.chapters,
      elections: termOf(taken) - termOf(filled) + termOf(healed) - termOf(restarted),
      caughtUp,
      memory: Math.max(...all.map(({ mostMemory }) => mostMemory)),
    };
  } finally {
    await group.end();
  }
}
