/** A client of several groups that share processes: one connection to each, one number in all. */
import type { ReplicatedLog } from '@quorumlab/log';
import { addressFor, addressIn } from '@quorumlab/wire';
import { type Asker, askerOf, type ClientNodeOptions } from './client.ts';
import {
  type ClusterIdentity,
  clusterDomain,
  NodeConfigError,
  principalsOf,
} from './cluster-identity.ts';
import { startMesh } from './mesh.ts';
import type { Mesh } from './mesh-port.ts';

/** How to ask several groups. All of them run on the same processes. */
export interface GroupsClientOptions<C, R, Q> extends Omit<ClientNodeOptions<C, R, Q>, 'cluster'> {
  readonly cluster: Omit<ClusterIdentity, 'group' | 'seats'>;
  /** The names of the groups, each once. */
  readonly groups: readonly string[];
}

/** A client at work. */
export interface RunningGroupsClient<C, R, Q> {
  /** The log of each group, by its name. Stopping one of them stops all. */
  readonly logs: ReadonlyMap<string, ReplicatedLog<C, R, Q>>;
  /** Resolves when `count` processes (all unless given) are connected. */
  ready(count?: number, signal?: AbortSignal): Promise<void>;
  /** Resolves with the reason if the client stops itself. */
  readonly failed: Promise<Error>;
  /** Leaves no handle; idempotent. */
  stop(): Promise<void>;
}

/**
 * Connects to all processes and resolves at once, as `connectClient` does for one group. Throws
 * what that throws, and {@link NodeConfigError} for no group, or one that is named twice.
 */
export async function connectGroups<C = Uint8Array, R = Uint8Array, Q = Uint8Array>(
  options: GroupsClientOptions<C, R, Q>,
): Promise<RunningGroupsClient<C, R, Q>> {
  const { cluster, groups, protocol, self, secretKey, meshLimits } = options;
  if (groups.length === 0 || new Set(groups).size < groups.length)
    throw new NodeConfigError('Name at least one group, and each group once.');
  const failed = Promise.withResolvers<Error>();
  const askers = new Map<string, Asker<C, R, Q>>();
  const byAddress = new Map<string, Asker<C, R, Q>['runner']>();
  for (const group of groups) {
    const identity = { ...cluster, group };
    const asker = askerOf<C, R, Q>({ ...options, cluster: identity }, (error) => {
      stop().then(
        () => failed.resolve(error),
        () => failed.resolve(error),
      );
    });
    askers.set(group, asker);
    byAddress.set(addressFor(clusterDomain(protocol, identity)), asker.runner);
  }
  const [first] = [...askers.values()] as [Asker<C, R, Q>];
  const runners = [...byAddress.values()];
  const mesh: Mesh = await startMesh({
    secretKey,
    self,
    principals: principalsOf(cluster),
    moreToCome: 0,
    maxFrameBytes: first.limits.maxFrameBytes,
    // What is for none of the groups is dropped: only members are connected, and they know better.
    onFrame(from, frame) {
      const address = addressIn(frame);
      if (typeof address === 'string') byAddress.get(address)?.receive(from, frame);
      else mesh.penalise(from, address.reason);
    },
    busyMs: (from) => runners.reduce((sum, runner) => sum + runner.busyMs(from), 0),
    onPeer: (id, connected) => {
      for (const runner of runners) runner.peer(id, connected);
    },
    logger: first.logger,
    ...(meshLimits === undefined ? {} : { limits: meshLimits }),
  });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    for (const { runner, notices } of askers.values()) {
      runner.stop();
      notices.stop();
    }
    stopping ??= mesh.stop();
    return stopping;
  };
  for (const runner of runners) runner.start(mesh);
  return {
    logs: new Map([...askers].map(([group, asker]) => [group, asker.log(stop)])),
    ready: (count, signal) => mesh.ready(count, signal),
    failed: failed.promise,
    stop,
  };
}
