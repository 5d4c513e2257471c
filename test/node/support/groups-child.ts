/**
 * A process of twenty groups that writes to all of them without end and tells what was
 * acknowledged; for tests that kill it.
 */
import { keyValueStore, kv } from '@quorumlab/log';
import { createLogger, openHost } from '@quorumlab/node';
import { principals, seedOf } from '../../../packages/node/test-support/cluster.ts';
import { raftOf } from './replicas.ts';

/** The names of its groups. */
export const childGroups: readonly string[] = Array.from({ length: 20 }, (_, i) => `group ${i}`);

/** What it tells: in this group this number was acknowledged. */
export type Acknowledged = readonly [group: string, number: number];

/** The process, with its groups open. */
export async function soleProcess(folder: string) {
  const members = (await principals(1)).flatMap(({ address, ...one }) =>
    address ? [{ ...one, address }] : [],
  );
  const shared = { self: 0, cluster: 'killed', members, clients: [], secretKey: seedOf(0) };
  const logger = createLogger({ level: 'silent' });
  const host = await openHost({ ...shared, folder, logger });
  const open = (group: string) =>
    host.open({ group, protocol: raftOf({ n: 1 }), stateMachine: keyValueStore });
  const logs = new Map<string, Awaited<ReturnType<typeof open>>['log']>();
  for (const group of childGroups) logs.set(group, (await open(group)).log);
  await host.start();
  return { host, logs };
}

const [, , folder] = process.argv;
if (process.send !== undefined && folder !== undefined && import.meta.main) {
  const { logs } = await soleProcess(folder);
  for (const [group, log] of logs)
    void (async () => {
      for (let number = 1; ; number++) {
        await log.propose(kv.put('last', `${number}`));
        process.send?.([group, number] satisfies Acknowledged);
      }
    })();
}
