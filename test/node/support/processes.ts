/** Processes with several groups each, all in this one: on loopback, with folders of their own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { range } from '@quorumlab/core';
import { keyValueStore } from '@quorumlab/log';
import { createLogger, type Host, type HostOptions, openHost } from '@quorumlab/node';
import { principals, seedOf } from '../../../packages/node/test-support/cluster.ts';
import { type AnyProtocol, raftOf, type TestReplica } from './replicas.ts';

/** One process: its replicas by the names of their groups. */
export interface TestProcess {
  readonly host: Host;
  readonly replicas: ReadonlyMap<string, TestReplica>;
  /** The replica of a group that is open here. */
  replica(group: string): TestReplica;
}

/** Three processes. */
export interface TestProcesses {
  readonly protocol: AnyProtocol;
  readonly cluster: string;
  readonly all: Awaited<ReturnType<typeof principals>>;
  start(
    id: number,
    groups: readonly string[],
    process?: Partial<HostOptions>,
  ): Promise<TestProcess>;
  startAll(groups: readonly string[]): Promise<TestProcess[]>;
  /** Stops everything that was started and removes all folders. */
  end(): Promise<void>;
}

/** Three processes for groups of Raft. */
export async function testProcesses(): Promise<TestProcesses> {
  const n = 3;
  const protocol = raftOf({ n });
  const all = await principals(n, 1);
  const home = await mkdtemp(join(tmpdir(), 'quorumlab-groups-'));
  const members = all.flatMap(({ address, ...one }) => (address ? [{ ...one, address }] : []));
  const clients = all.filter(({ address }) => address === undefined);
  const logger = createLogger({ level: 'silent' });
  const started: Host[] = [];
  const cluster = 'test';
  const start = async (
    self: number,
    groups: readonly string[],
    process: Partial<HostOptions> = {},
  ): Promise<TestProcess> => {
    const host = await openHost({
      self,
      cluster,
      members,
      clients,
      secretKey: seedOf(self),
      folder: join(home, `${self}`),
      logger,
      ...process,
    });
    started.push(host);
    const replicas = new Map<string, TestReplica>();
    for (const group of groups) {
      const fixed = { protocol, group, stateMachine: keyValueStore };
      replicas.set(group, await host.open(fixed));
    }
    await host.start();
    const replica = (group: string): TestReplica => {
      const found = replicas.get(group);
      if (found === undefined) throw new Error(`${group} is not open in process ${self}`);
      return found;
    };
    return { host, replicas, replica };
  };
  return {
    protocol,
    cluster,
    all,
    start,
    startAll: (groups) => Promise.all(range(n).map((id) => start(id, groups))),
    async end() {
      await Promise.all(started.map((host) => host.stop().catch(() => undefined)));
      await rm(home, { recursive: true, force: true });
    },
  };
}
