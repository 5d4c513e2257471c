/** How to run a replica, and what is refused before it starts. */
import type { Behaviour } from '@quorumlab/adversary';
import type { Instant, Protocol, ReplicaId } from '@quorumlab/core';
import type { Files } from '@quorumlab/disk';
import type {
  LogCodec,
  LogOutput,
  LogShape,
  Serviced,
  ServicedProtocol,
  ServiceOptions,
  StateMachine,
} from '@quorumlab/log';
import type { AggregateScheme } from '@quorumlab/wire';
import { type ClusterIdentity, checkCluster, NodeConfigError } from './cluster-identity.ts';
import { counterFile } from './counter-file.ts';
import type { HostLimits } from './host-limits.ts';
import { type NodeKeyring, nodeKeyring, type Signatures } from './keyring.ts';
import type { MeshLimits } from './limits.ts';
import { type Logger, nodeLogger } from './logging.ts';
import type { RunnerHooks } from './runner-options.ts';

/** What an observer of a node may listen to; it must neither change nor keep what it is given. */
export interface NodeHooks<S extends LogShape> extends RunnerHooks<Serviced<S>> {
  /** A request ran, or was found to have run before. */
  readonly applied?: (at: Instant, applied: LogOutput['applied'][number]) => void;
  /** A behaviour of the adversary really did something. */
  readonly fired?: (what: string) => void;
}

/** How to run a replica. */
export interface NodeOptions<S extends LogShape, C, R, Q> {
  readonly protocol: Protocol<S>;
  readonly self: ReplicaId;
  readonly cluster: ClusterIdentity;
  /** The 32-byte Ed25519 seed of this replica. */
  readonly secretKey: Uint8Array;
  /** Where its state lives; made if it is not there. One process at a time. */
  readonly folder: string;
  /** Makes the application, empty. */
  readonly stateMachine: () => StateMachine;
  readonly logger: Logger;
  /** How commands become bytes. Unless told, operations and results are bytes. */
  readonly codec?: LogCodec<C, R, Q>;
  /** Unless told, what the protocol's clients need: signatures, or the channel's word. */
  readonly signatures?: Signatures;
  /**
   * Aggregates certificates by this scheme (`blsScheme` of `@quorumlab/bls`); lists unless told.
   * All replicas of a group have it or none, and each its `certificateKey` in the cluster.
   */
  readonly certificates?: AggregateScheme;
  /** Allows `behaviour` and `setBehaviour`. Only for clusters that were made to be attacked. */
  readonly allowFaults?: boolean;
  /** How this replica misbehaves. */
  readonly behaviour?: Behaviour<Serviced<S>>;
  /** Plain files unless told. */
  readonly backEnd?: 'files' | 'sqlite';
  /** The file operations of the back end `files`; Node's unless told. For tests that fail disks. */
  readonly files?: Files;
  /** Refuse to start on an empty folder: for a replica that has run before. */
  readonly mustExist?: boolean;
  /**
   * It has run before, so if its folder is empty the disk was lost: then it rejoins. A protocol for
   * crashes asks the others first what it may have promised; without this it would break that.
   */
  readonly rejoin?: boolean;
  /**
   * What any member or client may know of this replica, in at most 8,192 bytes; nothing unless
   * told. It is called a few times per second and peer that asks, and must be quick.
   */
  readonly answer?: () => Uint8Array | undefined;
  /** The multiaddr to listen on, where it is not the one that others dial. */
  readonly listen?: string;
  readonly limits?: Partial<HostLimits>;
  readonly meshLimits?: Partial<MeshLimits>;
  /**
   * By how much this machine's wall clock may be wrong, in microseconds, where chrony does not run
   * or does not know. 100 ms unless told.
   */
  readonly clockError?: number;
  readonly client?: ServiceOptions<S>['client'];
  readonly hooks?: NodeHooks<S>;
}

/** How to run the replica of a process in one of its groups. */
export interface GroupOptions<S extends LogShape, C, R, Q>
  extends Omit<
    NodeOptions<S, C, R, Q>,
    | 'self'
    | 'cluster'
    | 'folder'
    | 'backEnd'
    | 'files'
    | 'secretKey'
    | 'logger'
    | 'answer'
    | 'listen'
    | 'limits'
    | 'meshLimits'
    | 'clockError'
  > {
  /** Its name in the cluster, which stands in all that is said in it. */
  readonly group: string;
  /** Which membership of the group this is; 0 unless told. */
  readonly epoch?: number;
}

/** Throws {@link NodeConfigError} for options that cannot work. */
export function checkNode<S extends LogShape, C, R, Q>(options: NodeOptions<S, C, R, Q>): void {
  const { protocol, cluster, self, behaviour, allowFaults = false } = options;
  checkCluster(protocol, cluster);
  if (!protocol.members.includes(self))
    throw new NodeConfigError(
      `Replica ${self} is not one of ${protocol.members.join(', ')}; give it one of these numbers.`,
    );
  if (behaviour !== undefined && !allowFaults) throw faultsForbidden();
}

/** The log of this replica: each line says whose it is. */
export const loggerOf = <S extends LogShape, C, R, Q>({
  logger,
  self,
  cluster,
  protocol,
}: NodeOptions<S, C, R, Q>): Logger =>
  nodeLogger(logger, { node: self, role: 'replica', ...cluster, protocol: protocol.name });

/** Why a replica of this cluster may not misbehave. */
export const faultsForbidden = (): NodeConfigError =>
  new NodeConfigError(
    'This cluster was not made for faults, so no replica may misbehave; start it with allowFaults.',
  );

/** What can only be asked of a process that listens. */
export const notStarted = (): NodeConfigError =>
  new NodeConfigError('The process does not listen yet; start it first.');

/** The keyring of this replica. */
export const keyringOf = <S extends LogShape, C, R, Q>(
  { signatures, certificates, self, secretKey, cluster, folder }: NodeOptions<S, C, R, Q>,
  group: ServicedProtocol<S>,
): NodeKeyring<Serviced<S>['Message']> => {
  const { protocol, messages } = group;
  const counter = counterFile(`${folder}.counter`);
  const aggregates = certificates === undefined ? {} : { certificates };
  const more = { protocol, messages, evidence: group, counter, ...aggregates };
  return nodeKeyring<Serviced<S>['Message']>({ signatures, self, secretKey, cluster, ...more });
};
