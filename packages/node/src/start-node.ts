/** A replica as a process of its own. */
import type { LogShape } from '@quorumlab/log';
import { startAlone } from './host.ts';
import { loggerOf, type NodeOptions } from './node-options.ts';
import type { RunningNode } from './running-node.ts';

/**
 * Starts a replica. Resolves when it listens, with its state read back. Throws
 * `NodeConfigError`, `KeyringError`, `KeyError`, `MeshConfigError`, and what the disk package
 * throws (`FolderLockedError`, `DamagedLogError`, ...); then nothing is left running.
 *
 * @example
 * ```ts
 * import { mkdtemp, rm } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { keyValueStore, kv } from '@quorumlab/log';
 * import { createLogger, generateSeed, publicKeyOf, startNode } from '@quorumlab/node';
 * import { raft } from '@quorumlab/raft';
 *
 * const secretKey = generateSeed();
 * const folder = await mkdtemp(`${tmpdir()}/alone-`);
 * const only = { id: 0, publicKey: publicKeyOf(secretKey), address: '/ip4/127.0.0.1/tcp/0' };
 * const cluster = { cluster: 'a', group: 'log', epoch: 0, members: [only], clients: [] };
 * const node = await startNode({
 *   protocol: raft({ n: 1 }),
 *   self: 0,
 *   cluster,
 *   secretKey,
 *   folder,
 *   stateMachine: keyValueStore,
 *   logger: createLogger({ level: 'warn' }),
 * });
 * await node.log.propose(kv.put('greeting', 'hello'));
 * await node.stop();
 * await rm(folder, { recursive: true });
 * ```
 */
export function startNode<S extends LogShape, C = Uint8Array, R = Uint8Array, Q = Uint8Array>(
  options: NodeOptions<S, C, R, Q>,
): Promise<RunningNode<S, C, R, Q>> {
  return startAlone(options, loggerOf(options));
}
