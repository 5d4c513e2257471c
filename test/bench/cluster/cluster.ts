/**
 * Committed, durable writes per second of a real cluster, or reads: one process per replica, real
 * sockets, real disks, and one client in this process. Prints one line of JSON.
 *
 * node --conditions=source test/bench/cluster/cluster.ts --protocol raft -n 3 --outstanding 512
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  isWeak,
  type OptionValues,
  optionsWithReads,
  protocolOf,
  type Reads,
  readOption,
  readsAt,
  readsWords,
} from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import type { RunningClient, Signatures } from '@quorumlab/node';
import { connectClient, createLogger } from '@quorumlab/node';
import { flagsOf } from '../../support/flags.ts';
import { type Child, endChild, placeOf, startChild } from './children.ts';
import { benchProtocol, clusterOf, type PrincipalJson, type Told } from './shared.ts';

/** What to measure. */
export interface BenchClusterOptions {
  /** A registered protocol's name. */
  readonly protocol: string;
  /** Its own options. */
  readonly options?: OptionValues;
  readonly n: number;
  /** In place of writes: reads that promise this. */
  readonly reads?: Reads;
  /** Clients, which share what is under way evenly: one unless told. */
  readonly clients?: number;
  /** Whether certificates are aggregates (BLS12-381); lists of signatures unless told. */
  readonly aggregates?: boolean;
  /** Writes, or reads, under way at a time. */
  readonly outstanding: number;
  readonly seconds: number;
  /**
   * Seconds before the measurement begins; 3 unless told. Then at least 8 writes are under way, so
   * that the code is compiled even where only one will be.
   */
  readonly warmUpSeconds?: number;
  /** Bytes of a value; 100 unless told. */
  readonly valueBytes?: number;
  readonly signatures?: Signatures;
  /** Requests that the client has under way at a time; the client's own default unless told. */
  readonly window?: number;
  readonly backEnd?: 'files' | 'sqlite';
  /** Where the replicas' folders go; a new one among the temporary ones unless told. */
  readonly folder?: string;
  /** Further arguments of Node for the replicas, e.g. `--cpu-prof`. */
  readonly execArgv?: readonly string[];
}

/** What was measured. Times in milliseconds, CPU in microseconds. */
export interface BenchClusterResult {
  readonly protocol: string;
  readonly n: number;
  readonly outstanding: number;
  readonly valueBytes: number;
  readonly signatures: string;
  readonly seconds: number;
  readonly committed: number;
  readonly committedPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly failed: number;
  /** Of each replica and of the client, per committed write. */
  readonly cpuPerWrite: {
    readonly client: number;
    readonly replicas: readonly number[];
    readonly total: number;
  };
  readonly replicas: readonly {
    readonly leads: boolean;
    readonly rssMiB: number;
    readonly stepsPerWrite: number;
    readonly writesPerCommit: number;
  }[];
}

type Usage = Extract<Told, { type: 'usage' }>;

/** Runs one cluster and one client and measures them. */
export function benchCluster(given: BenchClusterOptions): Promise<BenchClusterResult> {
  const own = optionsWithReads(protocolOf(given.protocol), given.reads, given.options);
  const options = own === undefined ? given : { ...given, options: own };
  return withCluster(options, (children, principals, secretKeys) =>
    measure(options, children, principals, secretKeys),
  );
}

/** Milliseconds of the first write of a cluster that has just started. */
export const benchDecision = (
  options: Pick<BenchClusterOptions, 'protocol' | 'n'>,
): Promise<number> =>
  withCluster(options, async (_, principals, [secretKey]) => {
    const client = await connectClient({
      cluster: clusterOf(principals),
      protocol: benchProtocol(options.protocol, options.n),
      self: 65_536,
      secretKey: secretKey as Uint8Array,
      logger: createLogger({ level: 'error' }),
    });
    try {
      await client.ready();
      const began = performance.now();
      await client.propose(kv.put('key', new Uint8Array(100)));
      return performance.now() - began;
    } finally {
      await client.stop();
    }
  });

type ClusterOptions = Pick<
  BenchClusterOptions,
  | 'protocol'
  | 'n'
  | 'options'
  | 'backEnd'
  | 'signatures'
  | 'execArgv'
  | 'folder'
  | 'clients'
  | 'aggregates'
>;

async function withCluster<T>(
  options: ClusterOptions,
  use: (
    children: readonly Child[],
    principals: readonly PrincipalJson[],
    secretKeys: readonly Uint8Array[],
  ) => Promise<T>,
): Promise<T> {
  const { protocol, n, backEnd = 'files', signatures, execArgv = [] } = options;
  const { clients, aggregates } = options;
  const home = await mkdtemp(join(options.folder ?? tmpdir(), 'quorumlab-bench-'));
  const place = await placeOf(n, home, clients, aggregates);
  const children = Array.from({ length: n }, (_, self) =>
    startChild({
      protocol,
      options: options.options,
      n,
      self,
      place,
      signatures,
      aggregates,
      backEnd,
      execArgv,
    }),
  );
  try {
    await Promise.all(children.map((child) => child.next('ready')));
    return await use(children, place.principals, place.seeds.slice(n));
  } finally {
    await Promise.all(children.map(endChild));
    await rm(home, { recursive: true, force: true });
  }
}

async function measure(
  options: BenchClusterOptions,
  children: readonly Child[],
  principals: readonly PrincipalJson[],
  secretKeys: readonly Uint8Array[],
): Promise<BenchClusterResult> {
  const { protocol, n, outstanding, seconds, warmUpSeconds = 3, valueBytes = 100 } = options;
  const { signatures, window, reads } = options;
  const near = reads !== undefined && isWeak(reads) ? { localReadsAt: readsAt[reads] } : {};
  const made = benchProtocol(protocol, n, options.options);
  const cluster = clusterOf(principals);
  const connect = (secretKey: Uint8Array, i: number) =>
    connectClient({
      ...{ cluster, secretKey, protocol: made, self: 65_536 + i },
      logger: createLogger({ level: 'error' }),
      maxOutstanding: Math.max(1024, outstanding),
      ...(signatures === undefined ? {} : { signatures }),
      client: { ...(window === undefined ? {} : { window }), ...near },
    });
  await using stack = new AsyncDisposableStack();
  const clients: Client[] = [];
  for (let i = 0; i < secretKeys.length; i += 16) {
    const some = secretKeys.slice(i, i + 16).map(async (secretKey, j) => {
      const client = await connect(secretKey, i + j);
      stack.defer(() => client.stop());
      await client.ready();
      return client;
    });
    clients.push(...(await Promise.all(some)));
  }
  const usages = (): Promise<Usage[]> =>
    Promise.all(
      children.map((child) => {
        const told = child.next('usage');
        child.ask({ type: 'usage' });
        return told;
      }),
    );
  const write = writing(clients, valueBytes);
  const warmUp = loadOn(write, Math.max(8, outstanding));
  await sleep(warmUpSeconds);
  await warmUp.stop();
  const ask = reads === undefined ? write : reading(clients, reads);
  if (reads !== undefined) {
    const reader = loadOn(ask, Math.max(8, outstanding));
    await sleep(warmUpSeconds);
    await reader.stop();
  }
  const load = loadOn(ask, outstanding);
  await sleep(0.25);
  const before = await usages();
  const mine = process.cpuUsage();
  const started = performance.now();
  load.record();
  await sleep(seconds);
  const elapsed = (performance.now() - started) / 1000;
  const own = process.cpuUsage(mine);
  const [latencies, after] = await Promise.all([load.stop(), usages()]);
  return {
    protocol,
    n,
    outstanding,
    valueBytes,
    signatures: signatures ?? (made.client.signed ? 'ed25519' : 'channel'),
    ...summary(latencies, elapsed, load.failed(), own.user + own.system, before, after),
  };
}

const sleep = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1000));

interface Load {
  /** Starts to remember latencies. */
  record(): void;
  /** The latencies since then, in ms. Begins no new writes and waits for those under way. */
  stop(): Promise<readonly number[]>;
  failed(): number;
}

/** Asks for the next operation, in one of several loops. */
type Ask = (turn: number, loop: number) => Promise<Uint8Array>;

type Client = Pick<RunningClient<Uint8Array, Uint8Array, Uint8Array>, 'propose' | 'read'>;

const keys = Array.from({ length: 1000 }, (_, i) => `key ${i}`);

/** Whose loop it is: each client has its own, or several. */
const clientOf = (clients: readonly Client[], loop: number): Client =>
  clients[loop % clients.length] as Client;

function writing(clients: readonly Client[], valueBytes: number): Ask {
  const content = new Uint8Array(valueBytes).fill(120);
  const writes = keys.map((key) => kv.put(key, content));
  return (turn, loop) =>
    clientOf(clients, loop).propose(writes[turn % writes.length] as Uint8Array);
}

function reading(clients: readonly Client[], reads: Reads): Ask {
  const consistency = isWeak(reads) ? 'local' : 'linearizable';
  const gets = keys.map((key) => kv.get(key));
  return (turn, loop) =>
    clientOf(clients, loop).read(gets[turn % gets.length] as Uint8Array, consistency);
}

/** Keeps `outstanding` operations under way. */
function loadOn(ask: Ask, outstanding: number): Load {
  let latencies: number[] = [];
  let stopped = false;
  let failures = 0;
  let next = 0;
  const one = async (_: unknown, loop: number): Promise<void> => {
    while (!stopped) {
      const begun = performance.now();
      await ask(next++, loop).then(
        () => void latencies.push(performance.now() - begun),
        () => void (stopped || failures++),
      );
    }
  };
  const loops = Array.from({ length: outstanding }, one);
  return {
    record() {
      latencies = [];
      failures = 0;
    },
    async stop() {
      const measured = latencies;
      latencies = [];
      stopped = true;
      await Promise.all(loops);
      return measured;
    },
    failed: () => failures,
  };
}

type Measured = Omit<
  BenchClusterResult,
  'protocol' | 'n' | 'outstanding' | 'valueBytes' | 'signatures'
>;

function summary(
  latencies: readonly number[],
  seconds: number,
  failed: number,
  clientCpu: number,
  before: readonly Usage[],
  after: readonly Usage[],
): Measured {
  const sorted = Float64Array.from(latencies).sort();
  const committed = sorted.length;
  const at = (share: number): number =>
    rounded(sorted[Math.min(committed - 1, Math.floor(share * committed))] ?? 0);
  const perWrite = (microseconds: number): number => rounded(microseconds / Math.max(1, committed));
  const replicas = after.map(({ cpu }, i) => perWrite(cpu - (before[i]?.cpu ?? 0)));
  const client = perWrite(clientCpu);
  return {
    seconds: rounded(seconds),
    committed,
    committedPerSecond: Math.round(committed / seconds),
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    failed,
    cpuPerWrite: {
      client,
      replicas,
      total: rounded(client + replicas.reduce((sum, each) => sum + each, 0)),
    },
    replicas: after.map(({ leads, rss, steps, commits }, i) => ({
      leads,
      rssMiB: Math.round(rss / 1048576),
      stepsPerWrite: perWrite(steps - (before[i]?.steps ?? 0)),
      writesPerCommit: rounded(committed / Math.max(1, commits - (before[i]?.commits ?? 0))),
    })),
  };
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

const usage = `Usage: node --conditions=source test/bench/cluster/cluster.ts [options]

  --protocol <name>, -n <replicas>, --option <name=value>    which group
  --outstanding <N>, --bytes <N>, --window <N>               what its client writes
  --seconds <S>, --warm-up <S>                               for how long
  --clients <N>                                              which share these evenly
  --certificates bls                                         as aggregates
  --reads <quorum|lease|local|stale>                         in place of writes
  --signatures <mode>, --back-end <files|sqlite>, --folder <path>, --cpu-prof <folder>`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = flagsOf(usage, {
    protocol: { type: 'string', default: 'raft' },
    n: { type: 'string', short: 'n' },
    option: { type: 'string', multiple: true },
    outstanding: { type: 'string', default: '512' },
    seconds: { type: 'string', default: '5' },
    bytes: { type: 'string', default: '100' },
    reads: { type: 'string' },
    clients: { type: 'string', default: '1' },
    certificates: { type: 'string' },
    signatures: { type: 'string' },
    window: { type: 'string' },
    'back-end': { type: 'string', default: 'files' },
    folder: { type: 'string' },
    'warm-up': { type: 'string', default: '3' },
    'cpu-prof': { type: 'string' },
  });
  const { protocol, signatures, folder } = values;
  const entry = protocolOf(protocol);
  const reads = readsWords.find((each) => each === values.reads);
  const result = await benchCluster({
    protocol,
    n: Number(values.n ?? entry.claims.replicas(1)),
    options: Object.assign({}, ...(values.option ?? []).map((text) => readOption(entry, text))),
    outstanding: Number(values.outstanding),
    clients: Number(values.clients),
    aggregates: values.certificates === 'bls',
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values['warm-up']),
    valueBytes: Number(values.bytes),
    backEnd: values['back-end'] === 'sqlite' ? 'sqlite' : 'files',
    ...(signatures === 'ed25519' || signatures === 'channel' ? { signatures } : {}),
    ...(folder === undefined ? {} : { folder }),
    ...(reads === undefined ? {} : { reads }),
    ...(values.window === undefined ? {} : { window: Number(values.window) }),
    ...(values['cpu-prof'] === undefined
      ? {}
      : { execArgv: ['--cpu-prof', `--cpu-prof-dir=${values['cpu-prof']}`] }),
  });
  console.log(JSON.stringify(result));
}
