/** Helpers of this package's tests: whole replicas on loopback with folders of their own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Protocol } from '@quorumlab/core';
import { anyProtocol, keyValueStore, type LogShape } from '@quorumlab/log';
import {
  type ClientNodeOptions,
  type ClusterIdentity,
  connectClient,
  createLogger,
  type NodeOptions,
  type RunningClient,
  type RunningNode,
  startNode,
} from '@quorumlab/node';
import { type PbftOptions, pbft } from '@quorumlab/pbft';
import { type RaftOptions, raft } from '@quorumlab/raft';
import { principals, seedOf } from '../../../packages/node/test-support/cluster.ts';

/** A protocol of which nothing but its being a log is known. */
export type AnyProtocol = Protocol<LogShape>;

export const raftOf = (options: RaftOptions): AnyProtocol => anyProtocol(raft(options));
export const pbftOf = (options: PbftOptions): AnyProtocol => anyProtocol(pbft(options));

/** Options that a test may change for a replica. */
export type Changes = Partial<NodeOptions<LogShape, Uint8Array, Uint8Array, Uint8Array>>;
export type ClientChanges = Partial<ClientNodeOptions<Uint8Array, Uint8Array, Uint8Array>>;
export type TestReplica = RunningNode<LogShape, Uint8Array, Uint8Array, Uint8Array>;
export type TestClient = RunningClient<Uint8Array, Uint8Array, Uint8Array>;

/** A cluster on free ports; replicas are started one by one or all at once. */
export interface TestGroup {
  readonly protocol: AnyProtocol;
  readonly cluster: ClusterIdentity;
  folder(id: number): string;
  start(id: number, changes?: Changes): Promise<TestReplica>;
  startAll(changes?: (id: number) => Changes): Promise<TestReplica[]>;
  client(index?: number, changes?: ClientChanges): Promise<TestClient>;
  /** Stops everything that was started and removes all folders. */
  end(): Promise<void>;
}

/** A group of the protocol's members and three clients. */
export async function testGroup(protocol: AnyProtocol): Promise<TestGroup> {
  const all = await principals(protocol.members.length, 3);
  const home = await mkdtemp(join(tmpdir(), 'quorumlab-node-'));
  const cluster: ClusterIdentity = {
    cluster: 'test',
    group: 'log',
    epoch: 0,
    members: all.flatMap(({ address, ...one }) => (address ? [{ ...one, address }] : [])),
    clients: all.filter(({ address }) => address === undefined),
  };
  const logger = createLogger({ level: 'silent' });
  const started: { stop(): Promise<void> }[] = [];
  const folder = (id: number): string => join(home, `${id}`);
  const keep = <T extends { stop(): Promise<void> }>(one: T): T => {
    started.push(one);
    return one;
  };
  const start = async (id: number, changes: Changes = {}): Promise<TestReplica> =>
    keep(
      await startNode({
        protocol,
        self: id,
        cluster,
        secretKey: seedOf(id),
        folder: folder(id),
        stateMachine: keyValueStore,
        logger,
        ...changes,
      }),
    );
  return {
    protocol,
    cluster,
    folder,
    start,
    startAll: (changes = () => ({})) =>
      Promise.all(protocol.members.map((id) => start(id, changes(id)))),
    client: async (index = 0, changes: ClientChanges = {}) =>
      keep(
        await connectClient({
          protocol,
          cluster,
          self: 65_536 + index,
          secretKey: seedOf(65_536 + index),
          logger,
          ...changes,
        }),
      ),
    async end() {
      await Promise.all(started.map((one) => one.stop().catch(() => undefined)));
      await rm(home, { recursive: true, force: true });
    },
  };
}
