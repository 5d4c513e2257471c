/** A client as a process: it asks a group's replicas over the network and is none of them. */
import type { PrincipalId, ReplicaId } from '@quorumlab/core';
import {
  type ClientOptions,
  type ClientShape,
  client,
  clientMessages,
  type LogCodec,
  type ReplicatedLog,
  replicatedLog,
  type ServiceMessage,
} from '@quorumlab/log';
import { envelopes } from '@quorumlab/wire';
import {
  type ClusterIdentity,
  type ClusterProtocol,
  checkCluster,
  clusterDomain,
  type MemberIdentity,
  NodeConfigError,
  principalsOf,
} from './cluster-identity.ts';
import { type HostLimits, hostLimits, requireFrames } from './host-limits.ts';
import { type NodeKeyring, nodeKeyring, type Signatures } from './keyring.ts';
import type { MeshLimits } from './limits.ts';
import { type Logger, nodeLogger } from './logging.ts';
import { startMesh } from './mesh.ts';
import type { Mesh } from './mesh-port.ts';
import { Notices } from './notices.ts';
import { FIRST_CLIENT } from './principal.ts';
import { rawCodec } from './raw-codec.ts';
import { Runner } from './runner.ts';
import type { RunnerCounters, RunnerHooks } from './runner-options.ts';

/** How to ask a group. */
export interface ClientNodeOptions<C, R, Q> {
  readonly cluster: ClusterIdentity;
  /** The protocol its replicas run. */
  readonly protocol: ClusterProtocol;
  /** This client's number, from 65,536 up; one process at a time may use it. */
  readonly self: PrincipalId;
  /** The 32-byte Ed25519 seed of this client. */
  readonly secretKey: Uint8Array;
  readonly logger: Logger;
  /** How commands become bytes. Unless told, operations and results are bytes. */
  readonly codec?: LogCodec<C, R, Q>;
  /** As the replicas have it. */
  readonly signatures?: Signatures;
  /** Most operations under way; more wait for their turn. 1,024 unless told. */
  readonly maxOutstanding?: number;
  readonly client?: ClientOptions;
  readonly limits?: Partial<HostLimits>;
  readonly meshLimits?: Partial<MeshLimits>;
  readonly hooks?: RunnerHooks<ClientShape>;
}

/** A client at work: a log without `entries`, and what it is connected to. */
export interface RunningClient<C, R, Q> extends ReplicatedLog<C, R, Q> {
  /** Resolves when `count` replicas (all unless given) are connected. */
  ready(count?: number, signal?: AbortSignal): Promise<void>;
  /** Asks one more replica, which came to the group after this client was made. */
  admit(member: MemberIdentity): void;
  /** Asks a replica no longer, which has left the group. */
  drop(id: ReplicaId): void;
  /** What the `answer` of a replica is now; see {@link Mesh.ask}. */
  ask(id: ReplicaId, limitMs: number): Promise<Uint8Array>;
  readonly counters: RunnerCounters;
  /** Resolves with the reason if the client stops itself. */
  readonly failed: Promise<Error>;
}

/**
 * Connects to all replicas and resolves at once; operations are sent when somebody can take them.
 * Its first write asks the group for a session of its own, so a client that was restarted takes
 * nobody's answers for its own, whatever its clock says. Throws {@link NodeConfigError},
 * `KeyringError`, `KeyError` and `MeshConfigError`.
 *
 * @example
 * ```ts
 * import { mkdtemp, rm } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { keyValueStore, kv } from '@quorumlab/log';
 * import { connectClient, createLogger, generateSeed } from '@quorumlab/node';
 * import { publicKeyOf, startNode } from '@quorumlab/node';
 * import { raft } from '@quorumlab/raft';
 *
 * const [secretKey, clientKey] = [generateSeed(), generateSeed()];
 * const folder = await mkdtemp(`${tmpdir()}/asked-`);
 * const address = '/ip4/127.0.0.1/tcp/24331';
 * const members = [{ id: 0, publicKey: publicKeyOf(secretKey), address }];
 * const clients = [{ id: 65_536, publicKey: publicKeyOf(clientKey) }];
 * const cluster = { cluster: 'a', group: 'log', epoch: 0, members, clients };
 * const protocol = raft({ n: 1 });
 * const shared = { protocol, cluster, logger: createLogger({ level: 'warn' }) };
 * const replica = { self: 0, secretKey, folder, stateMachine: keyValueStore };
 * const node = await startNode({ ...shared, ...replica });
 *
 * const client = await connectClient({ ...shared, self: 65_536, secretKey: clientKey });
 * await client.propose(kv.put('greeting', 'hello'), { withinMilliseconds: 10_000 });
 * console.log(kv.result(await client.read(kv.get('greeting'))));
 *
 * await client.stop();
 * await node.stop();
 * await rm(folder, { recursive: true });
 * ```
 */
export async function connectClient<C = Uint8Array, R = Uint8Array, Q = Uint8Array>(
  options: ClientNodeOptions<C, R, Q>,
): Promise<RunningClient<C, R, Q>> {
  const { cluster, self, secretKey, meshLimits } = options;
  const failed = Promise.withResolvers<Error>();
  const asker = askerOf(options, (error) => {
    stop().then(
      () => failed.resolve(error),
      () => failed.resolve(error),
    );
  });
  const { runner, keyring, members, notices, limits, logger } = asker;
  const mesh: Mesh = await startMesh({
    secretKey,
    self,
    principals: principalsOf(cluster),
    moreToCome: Math.max(0, (cluster.seats ?? 0) - members.length),
    maxFrameBytes: limits.maxFrameBytes,
    onFrame: (from, frame) => runner.receive(from, frame),
    busyMs: (from) => runner.busyMs(from),
    onPeer: (id, connected) => runner.peer(id, connected),
    logger,
    ...(meshLimits === undefined ? {} : { limits: meshLimits }),
  });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    runner.stop();
    notices.stop();
    stopping ??= mesh.stop();
    return stopping;
  };
  runner.start(mesh);
  return {
    ...asker.log(stop),
    ready: (count, signal) => mesh.ready(count, signal),
    admit(member) {
      keyring.admit(member.id, member.publicKey);
      mesh.admit(member);
      if (!members.includes(member.id)) members.push(member.id);
    },
    drop(id) {
      const place = members.indexOf(id);
      // Somebody has to be asked.
      if (place < 0 || members.length === 1) return;
      members.splice(place, 1);
      mesh.drop(id, 'it has left the group');
    },
    ask: (id, limitMs) => mesh.ask(id, limitMs),
    counters: runner.counters,
    failed: failed.promise,
  };
}

/** What asks one group, before it is connected. */
export interface Asker<C, R, Q> {
  readonly runner: Runner<ClientShape>;
  readonly keyring: NodeKeyring<ServiceMessage>;
  /** Changes in place: the machine asks whoever is in it now. */
  readonly members: ReplicaId[];
  readonly notices: Notices;
  readonly limits: HostLimits;
  readonly logger: Logger;
  /** The log that it asks; `stop` ends it. */
  log(stop: () => Promise<void>): ReplicatedLog<C, R, Q>;
}

/** Makes what asks one group. Throws {@link NodeConfigError} and `KeyringError`. */
export function askerOf<C, R, Q>(
  options: ClientNodeOptions<C, R, Q>,
  onFailure: (error: Error) => void,
): Asker<C, R, Q> {
  const { cluster, protocol, self, codec, maxOutstanding } = options;
  checkCluster(protocol, cluster);
  if (self < FIRST_CLIENT)
    throw new NodeConfigError(
      `A client's number is ${FIRST_CLIENT} or more, and not ${self}; smaller ones are replicas.`,
    );
  const name = { node: self, role: 'client', ...cluster, protocol: protocol.name } as const;
  const logger = nodeLogger(options.logger, name);
  const notices = new Notices(logger);
  const limits = hostLimits(options.limits);
  requireFrames(limits, { name: 'the service', messages: clientMessages });
  const members = cluster.members.map(({ id }) => id).sort((one, two) => one - two);
  const keyring = keyringOf(options);
  const runner = runnerOf(options, { limits, notices, members, keyring }, (error) => {
    logger.fatal({ err: error }, 'The client stops: it must not go on after this.');
    onFailure(error);
  });
  return {
    ...{ runner, keyring, members, notices, limits, logger },
    log: (stop) =>
      replicatedLog<C, R, Q>({
        host: {
          send: (event) => runner.hand(event),
          listen: (listener) => runner.listen(listener),
          status: () => runner.machine.status(),
          stop,
        },
        // Without a codec C, R and Q are what they are unless told: bytes.
        codec: codec ?? (rawCodec as unknown as LogCodec<C, R, Q>),
        ...(maxOutstanding === undefined ? {} : { maxOutstanding }),
      }),
  };
}

function keyringOf<C, R, Q>({
  cluster,
  protocol,
  self,
  secretKey,
  signatures,
}: ClientNodeOptions<C, R, Q>): NodeKeyring<ServiceMessage> {
  return nodeKeyring<ServiceMessage>({
    signatures,
    self,
    secretKey,
    cluster,
    protocol,
    messages: clientMessages,
    evidence: { messages: clientMessages },
  });
}

interface Around {
  readonly limits: HostLimits;
  readonly notices: Notices;
  readonly members: readonly ReplicaId[];
  readonly keyring: NodeKeyring<ServiceMessage>;
}

function runnerOf<C, R, Q>(
  options: ClientNodeOptions<C, R, Q>,
  { limits, notices, members, keyring }: Around,
  onFailure: (error: Error) => void,
): Runner<ClientShape> {
  const { cluster, protocol, self, hooks = {} } = options;
  return new Runner<ClientShape>({
    machine: client(protocol.client, members, self, {
      // Where every request costs signatures, fewer and larger ones are better.
      ...(protocol.client.signed ? { window: 2 } : {}),
      ...options.client,
    }),
    members,
    keyring: () => keyring,
    envelopes: envelopes(clusterDomain(protocol, cluster), clientMessages),
    // A pure client has no stable state: it never writes.
    commit: () => Promise.resolve(),
    limits,
    hooks,
    notices,
    clockError: () => 0,
    onFailure,
  });
}
