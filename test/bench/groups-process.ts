/** One of three processes with many groups, for `groups.ts`; it is asked over its channel. */
import { type Files, nodeFiles } from '@quorumlab/disk';
import { keyValueStore, kv } from '@quorumlab/log';
import { createLogger, type MemberIdentity, openHost, type RunningNode } from '@quorumlab/node';
import { raft } from '@quorumlab/raft';

/** What a process is started with. */
export interface GroupsStart {
  readonly self: number;
  readonly seed: string;
  /** With their keys in hexadecimal digits. */
  readonly members: readonly { readonly id: number; readonly key: string; address: string }[];
  readonly folder: string;
  readonly groups: number;
  readonly restAfterMs: number;
  /** In microseconds. */
  readonly electionTimeout: number;
}

/** What it has used and done since its start. */
export interface GroupsReport {
  /** Microseconds of CPU, of all its threads. */
  readonly cpu: number;
  readonly flushes: number;
  readonly committed: number;
  readonly resting: number;
}

/** What it is asked: a report, or to write for a while with so many writes under way. */
export type GroupsAsk = 'report' | { readonly milliseconds: number; readonly outstanding: number };

const given = process.argv[2];
if (given !== undefined) await run(JSON.parse(given) as GroupsStart);

async function run(start: GroupsStart) {
  const { self, seed, members, folder, groups, restAfterMs, electionTimeout } = start;
  let flushes = 0;
  const files: Files = {
    ...nodeFiles,
    async open(path, mode) {
      const file = await nodeFiles.open(path, mode);
      // Not the second place, which is flushed 20 times a second whatever is written.
      if (!path.endsWith('.log') && !path.endsWith('.tmp')) return file;
      const datasync = (): Promise<void> => {
        flushes++;
        return file.datasync();
      };
      return Object.assign(Object.create(file), { datasync });
    },
  };
  const host = await openHost({
    self,
    cluster: 'bench',
    members: members.map(
      ({ id, key, address }): MemberIdentity => ({
        id,
        address,
        publicKey: Uint8Array.from(Buffer.from(key, 'hex')),
      }),
    ),
    clients: [],
    secretKey: Uint8Array.from(Buffer.from(seed, 'hex')),
    folder,
    files,
    restAfterMs,
    logger: createLogger({ level: 'error' }),
  });
  const nodes: Pick<RunningNode<never, Uint8Array, Uint8Array, Uint8Array>, 'log' | 'status'>[] =
    [];
  const protocol = raft({ n: 3, electionTimeout });
  for (let i = 0; i < groups; i++)
    nodes.push(await host.open({ group: `${i}`, protocol, stateMachine: keyValueStore }));
  await host.start();
  await host.ready();
  let committed = 0;
  const write = async (end: number, from: number): Promise<void> => {
    do {
      await nodes[from % groups]?.log.propose(kv.put(`key ${from}`, 'value'));
      committed++;
    } while (performance.now() < end);
  };
  process.on('message', async (ask: GroupsAsk) => {
    if (ask !== 'report') {
      const end = performance.now() + ask.milliseconds;
      await Promise.all(Array.from({ length: ask.outstanding }, (_, i) => write(end, i)));
    }
    const { user, system } = process.cpuUsage();
    const resting = nodes.filter((node) => node.status().isResting).length;
    process.send?.({ cpu: user + system, flushes, committed, resting } satisfies GroupsReport);
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}
