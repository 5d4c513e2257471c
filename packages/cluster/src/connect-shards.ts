/** A client of a cluster with ranges: transactions over all of them, reads, and moves of ranges. */
import {
  connectGroups,
  createLogger,
  type RunningGroupsClient,
  readKeyFile,
} from '@quorumlab/node';
import {
  moveRange,
  originMillis,
  type PartyPlatform,
  type Range,
  type Router,
  readAt,
  router,
  runParty,
  type ShardOperation,
  type ShardResult,
  type SnapshotEnd,
  shardCodec,
  systemClock,
  type TransactionEnd,
  type TransactionOptions,
  transact,
} from '@quorumlab/shards';
import { type ClusterConfig, identityOf, paths, readConfig } from './config.ts';
import { type ConnectOptions, takeClient } from './connect.ts';
import { ClusterError } from './errors.ts';
import { openLogFile } from './log-file.ts';
import { firstRanges, rangeName, rangeProtocolIn } from './ranges.ts';

/** A client of all ranges in this process. */
export interface ShardClient {
  /** Where keys are, as far as it knows: refusals set it right. */
  readonly router: Router;
  /**
   * Runs a transaction; see `transaction` of `@quorumlab/shards` for its body. Resolves with how it
   * ended; rejects with what the body throws.
   */
  transact(body: TransactionOptions['body']): Promise<TransactionEnd>;
  /** Reads keys at a timestamp, or without one all that had ended before it was called. */
  read(keys: readonly string[], at?: number): Promise<SnapshotEnd>;
  /**
   * Moves the range that begins with `first` from one group to another, while others write. If it
   * is left in the middle, whoever asks for it again ends it. Nothing: there is no such range.
   */
  move(first: string, from: number, to: number): Promise<Range | undefined>;
  /** Leaves no handle; idempotent. */
  stop(): Promise<void>;
}

type Running = RunningGroupsClient<ShardOperation, ShardResult, ShardOperation>;

/** Numbers of attempts that one transaction may use up. */
const attempts = 100;

/** Longest wait for all nodes before the first operation may be sent, in milliseconds. */
const connectMs = 500;

/**
 * Connects to the ranges of the cluster in `folder` as one of its clients. Throws
 * {@link ClusterError} if it has none, or if other processes are using all clients.
 */
export async function connectShards(
  folder: string,
  options: Omit<ConnectOptions, 'isNew'> = {},
): Promise<ShardClient> {
  const config = await readConfig(folder);
  if (config.ranges === undefined)
    throw new ClusterError(
      'This cluster has no ranges; make one with: quorumlab cluster init --ranges m',
    );
  const { client, outstanding } = options;
  const wanted = client === undefined ? config.clients : config.clients.slice(client, client + 1);
  const ids = wanted.map((each) => each.id);
  const { id, release } = await takeClient(folder, ids, options);
  const home = paths.client(folder, id);
  const file = openLogFile(paths.log(home));
  const closed = (): void => {
    file.close();
    release();
  };
  try {
    const { members, seats: _, ...cluster } = identityOf(config);
    const running: Running = await connectGroups({
      cluster: { ...cluster, epoch: 0, members: members.slice(0, config.n) },
      groups: firstRanges(config.ranges).map(({ group }) => rangeName(group)),
      protocol: rangeProtocolIn(config),
      self: id,
      secretKey: await readKeyFile(paths.key(home)),
      codec: shardCodec,
      logger: createLogger({ level: 'info', destination: file }),
      signatures: config.signatures,
      ...(outstanding === undefined ? {} : { maxOutstanding: outstanding }),
    });
    await running.ready(config.n, AbortSignal.timeout(connectMs)).catch(() => undefined);
    return clientOf(config, config.ranges, id, running, closed);
  } catch (error) {
    closed();
    throw error;
  }
}

function clientOf(
  { clockError = 100_000 }: ClusterConfig,
  borders: readonly string[],
  client: number,
  running: Running,
  closed: () => void,
): ShardClient {
  const ranges = firstRanges(borders);
  const logs = new Map(
    ranges.flatMap(({ group }) => {
      const log = running.logs.get(rangeName(group));
      return log === undefined ? [] : [[group, log] as const];
    }),
  );
  const platform: PartyPlatform = { logs, clock: systemClock(clockError) };
  const table = router(ranges);
  // No number twice, in another life either: a life uses up fewer than one for each microsecond.
  let first = (Date.now() - originMillis) * 1000;
  let stopping: Promise<void> | undefined;
  return {
    router: table,
    transact(body) {
      first += attempts;
      return transact({ client, first, attempts, router: table, body }, platform);
    },
    read: (keys, at) =>
      readAt({ router: table, keys, ...(at === undefined ? {} : { at }) }, platform),
    move: (start, from, to) =>
      new Promise((resolve, reject) => {
        runParty(moveRange({ first: start, from, to, onEnd: resolve }), platform, reject);
      }),
    stop: () => (stopping ??= running.stop().finally(closed)),
  };
}
