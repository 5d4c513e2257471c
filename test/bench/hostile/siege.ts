/** One group of real processes, its honest client and one attacker; a row after the other. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OptionValues, protocolOf } from '@quorumlab/harness';
import { connectClient, createLogger, type RunningClient } from '@quorumlab/node';
import { type Child, endChild, type Place, placeOf, startChild } from '../cluster/children.ts';
import { benchProtocol, clusterOf, type Told } from '../cluster/shared.ts';
import { type Load, type Stretch, steadyLoad } from './load.ts';
import type { Attack, AttackerAsk, AttackerTold } from './shared.ts';

/** What one attack took from the others. */
export interface Figures {
  /** Share of the throughput just before. */
  readonly kept: number;
  /** Of the p99 just before; one that is below 25 ms counts as 25 ms. */
  readonly p99Ratio: number;
  /** By how much a replica's memory grew at most, and what of it was held afterwards, in MB. */
  readonly growth: number;
  readonly heldAfter: number;
  /** The longest pause of a replica's event loop in ms. */
  readonly pause: number;
  /** The longest time that the control socket of a replica took to answer, in ms. */
  readonly answer: number;
  /** Cores that a replica used on the average, before and meanwhile. */
  readonly cores: readonly [before: number, during: number];
  /** All processes run, and the honest client is answered again. */
  readonly alive: boolean;
  /** Seconds until the honest client had its throughput again. */
  readonly recovered: number;
  readonly frames: number;
  readonly megabytes: number;
  /** Frames that replicas refused meanwhile, by reason. */
  readonly refused: Readonly<Record<string, number>>;
}

/** What to besiege. */
export interface SiegeOptions {
  readonly protocol: string;
  readonly n: number;
  readonly by: 'member' | 'client';
  readonly home: string;
}

/** Milliseconds of the stretches of a row, and the honest client's rate. */
const row = { before: 1_200, attack: 2_200, recovery: 10_000, perSecond: 200, share: 0.3 };
/**
 * Whoever was cut off in one row is to attack in the next one, so it is not kept out for as long as
 * it would be for doing the same again and again.
 */
const meshLimits = { maxBanMs: 1_000 };
/** Of a core: what a p99 below this is compared by, since one pause of the machine takes more. */
const leastP99 = 25;

/**
 * Writes a second that are to be expected: what was answered before, and no more than is begun.
 * Right after a stall what had waited is answered too, and nobody could keep that up.
 */
const expected = ({ perSecond }: Stretch): number =>
  Math.max(1, Math.min(row.perSecond, perSecond));

type Usage = Extract<Told, { type: 'usage' }>;
type Done = Extract<AttackerTold, { type: 'done' }>;

interface Standing {
  readonly place: Place;
  readonly children: readonly Child[];
  readonly client: RunningClient<Uint8Array, Uint8Array, Uint8Array>;
  readonly load: Load;
  readonly attacker: Attacker;
}

/** See the module's comment. A group that an attack has ruined is replaced by a new one. */
export class Siege {
  readonly #options: SiegeOptions;
  #standing: Standing | undefined;

  constructor(options: SiegeOptions) {
    this.#options = options;
  }

  async row(attack: Attack): Promise<Figures> {
    this.#standing ??= await this.#raise();
    const { place, children, load, attacker } = this.#standing;
    const start = await usages(children, true);
    const facts = { term: start[0]?.term ?? 0, applied: start[0]?.applied ?? 0 };
    attacker.ask({ type: 'prepare', attack, facts });
    await attacker.next('prepared');
    const still = await usages(children, false);
    const before = await load.during(row.before);
    const rest = await usages(children, false);
    const watched = watch(children, place);
    attacker.ask({ type: 'go', milliseconds: row.attack, share: row.share });
    const [during, done] = await Promise.all([load.during(row.attack), attacker.next('done')]);
    watched.mark();
    const recovered = await recovery(load, before);
    const seen = await watched.stop();
    const found = await this.#figures({ before, during, done, still, rest, seen, recovered });
    if (!found.alive) await this.end();
    return found;
  }

  async #figures(measured: {
    readonly before: Stretch;
    readonly during: Stretch;
    readonly done: Done;
    readonly still: readonly Usage[];
    readonly rest: readonly Usage[];
    readonly seen: Seen;
    readonly recovered: number;
  }): Promise<Figures> {
    const { before, during, done, still, rest, seen, recovered } = measured;
    const children = this.#standing?.children ?? [];
    const running = children.every(({ process }) => process.exitCode === null);
    const after = running ? await usages(children, true) : [];
    const MB = 2 ** 20;
    const grown = rest.map(({ rss }, i) => ((seen.rss[i] ?? 0) - rss) / MB);
    const held = rest.map((each, i) => ((after[i]?.held ?? 0) - each.held) / MB);
    const refused: Record<string, number> = {};
    for (const [i, each] of after.entries())
      for (const [reason, count] of Object.entries(each.refused))
        refused[reason] = (refused[reason] ?? 0) + count - (rest[i]?.refused[reason] ?? 0);
    return {
      kept: Math.min(1, during.perSecond / expected(before)),
      p99Ratio: Math.max(during.p99, leastP99) / Math.max(before.p99, leastP99),
      growth: Math.max(0, ...grown),
      heldAfter: Math.max(0, ...held),
      pause: seen.pause,
      answer: seen.answer,
      cores: [coresOf(still, rest), coresOf(rest, seen.marked)],
      alive: running && Number.isFinite(recovered),
      recovered,
      frames: done.frames,
      megabytes: done.bytes / MB,
      refused,
    };
  }

  async end(): Promise<void> {
    const standing = this.#standing;
    this.#standing = undefined;
    if (standing === undefined) return;
    standing.load.stop();
    standing.attacker.end();
    await standing.client.stop();
    await Promise.all(standing.children.map(endChild));
  }

  async #raise(): Promise<Standing> {
    const { protocol, n, by, home } = this.#options;
    const place = await placeOf(n, await mkdtemp(join(home, 'group-')), 2);
    const honest = Array.from({ length: n - 1 }, (_, self) => self);
    const execArgv = ['--expose-gc'];
    const children = honest.map((self) =>
      startChild({
        protocol,
        n,
        self,
        place,
        execArgv,
        peers: n - 2,
        options: steadyLeader(protocol),
        control: join(place.home, `${self}.sock`),
        meshLimits,
      }),
    );
    await Promise.all(children.map((child) => child.next('ready')));
    const client = await connectClient({
      cluster: clusterOf(place.principals),
      protocol: benchProtocol(protocol, n),
      self: 65_536,
      secretKey: place.seeds[n] as Uint8Array,
      logger: createLogger({ level: 'error' }),
    });
    await client.ready(n - 1);
    const load = steadyLoad(client, row.perSecond);
    const attacker = new Attacker();
    const self = by === 'member' ? n - 1 : 65_537;
    const secret = place.seeds[by === 'member' ? n - 1 : n + 1] as Uint8Array;
    const secretKey = Buffer.from(secret).toString('hex');
    attacker.ask({ type: 'start', protocol, n, principals: place.principals, self, secretKey });
    await attacker.next('ready');
    await load.during(4_000); // Until the code is warm.
    return { place, children, client, load, attacker };
  }
}

/**
 * Where leaders take turns, one of them is the silent member, and a second is lost whenever that
 * one leads, attack or not: so here the first one leads for as long as all rows take.
 */
const steadyLeader = (protocol: string): OptionValues =>
  'reign' in protocolOf(protocol).options ? { reign: 1_000_000 } : {};

/** Seconds until the honest client has its throughput again; Infinity: it was not seen to. */
async function recovery(load: Load, before: Stretch): Promise<number> {
  const began = performance.now();
  while (performance.now() - began < row.recovery) {
    const now = await load.during(500);
    if (now.perSecond >= 0.7 * expected(before)) return (performance.now() - began) / 1000 - 0.5;
  }
  const last = await load.during(1_000);
  return last.perSecond > 0 ? row.recovery / 1000 : Number.POSITIVE_INFINITY;
}

function usages(children: readonly Child[], collect: boolean): Promise<Usage[]> {
  return Promise.all(
    children.map((child) => {
      const told = child.next('usage');
      child.ask({ type: 'usage', collect });
      return told;
    }),
  );
}

interface Seen {
  readonly rss: number[];
  /** How each was when the attack was over. */
  readonly marked: (Usage | undefined)[];
  pause: number;
  answer: number;
}

/** Cores that the busiest replica used between two reports. */
function coresOf(first: readonly Usage[], last: readonly (Usage | undefined)[]): number {
  const cores = first.map((one, i) => {
    const other = last[i];
    return other === undefined ? 0 : (other.cpu - one.cpu) / (other.at - one.at) / 1000;
  });
  return Math.max(...cores);
}

/** Milliseconds until the control socket at `path` has answered how its node is. */
function askControl(path: string): Promise<number> {
  const began = performance.now();
  return new Promise((resolve) => {
    const done = (): void => resolve(performance.now() - began);
    // Of a node that is gone its end tells.
    get({ socketPath: path, path: '/status', agent: false }, (answer) => {
      answer.on('end', done).resume();
    }).on('error', () => resolve(0));
  });
}

/** Asks each replica ten times a second how it is, and its control socket as well. */
function watch(
  children: readonly Child[],
  { home }: Place,
): { mark(): void; stop(): Promise<Seen> } {
  const rss = children.map(() => 0);
  const seen: Seen = { rss, marked: [], pause: 0, answer: 0 };
  let marked = false;
  let stopped = false;
  const watched = children.map(async (child, i) => {
    const ended = new AbortController();
    const { signal } = ended;
    const gone = once(child.process, 'exit', { signal }).then(
      () => undefined,
      () => undefined,
    );
    while (!stopped && child.process.exitCode === null) {
      const control = askControl(join(home, `${i}.sock`));
      const answer = child.next('usage');
      child.ask({ type: 'usage' });
      const usage = await Promise.race([answer, gone]);
      if (usage === undefined) return;
      seen.answer = Math.max(seen.answer, await control);
      seen.rss[i] = Math.max(seen.rss[i] ?? 0, usage.rss);
      seen.pause = Math.max(seen.pause, usage.pause);
      if (!marked || seen.marked[i] === undefined) seen.marked[i] = usage;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    ended.abort();
  });
  return {
    mark: () => void (marked = true),
    async stop() {
      stopped = true;
      await Promise.all(watched);
      return seen;
    },
  };
}

class Attacker {
  readonly #process = fork(fileURLToPath(new URL('attacker.ts', import.meta.url)), [], {
    execArgv: ['--conditions=source'],
  });

  ask(ask: AttackerAsk): void {
    this.#process.send(ask);
  }

  async next<T extends AttackerTold['type']>(type: T): Promise<Extract<AttackerTold, { type: T }>> {
    for (;;) {
      const [told] = (await once(this.#process, 'message')) as [AttackerTold];
      if (told.type === 'failed') throw new Error(`The attacker failed: ${told.why}`);
      // The type was just compared.
      if (told.type === type) return told as Extract<AttackerTold, { type: T }>;
    }
  }

  end(): void {
    this.#process.kill();
  }
}
