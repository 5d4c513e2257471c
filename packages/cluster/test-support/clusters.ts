/** Helpers of this package's tests: clusters in folders of their own that leave nothing behind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterClient, downCluster, type InitOptions, initCluster } from '../src/index.ts';

/** Clusters of one test file. */
export interface TestClusters {
  /** A folder that is not there yet. */
  fresh(): string;
  /** A cluster that was made and not started. */
  made(options: Omit<InitOptions, 'folder'>): Promise<string>;
  /** Stops all and removes all. */
  end(): Promise<void>;
}

export function testClusters(): TestClusters {
  const homes: string[] = [];
  const made: string[] = [];
  const fresh = (): string => {
    const home = mkdtempSync(join(tmpdir(), 'quorumlab-cluster-'));
    homes.push(home);
    return join(home, 'c');
  };
  return {
    fresh,
    async made(options) {
      const folder = fresh();
      await initCluster({ folder, ...options });
      made.push(folder);
      return folder;
    },
    async end() {
      await Promise.all(made.splice(0).map((folder) => downCluster(folder, { graceMs: 2000 })));
      for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
    },
  };
}

/**
 * Whether all replicas of a Raft group have run `entries`, beside the no-op of each leader.
 * Mostly there is one leader; on a busy machine another may follow, in a later term.
 */
export const haveAllRun = (
  rows: readonly { readonly term?: number; readonly applied?: number }[],
  entries: number,
): boolean =>
  rows.every(
    ({ applied = 0, term = 0 }) =>
      applied === rows[0]?.applied && applied > entries && applied <= entries + term,
  );

/** Waits for something that the test would wait for as long as its own limit allows. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(30);
}

/** Writes one after the other until told to stop; what was acknowledged is in `acknowledged`. */
export interface Load {
  readonly acknowledged: string[];
  stop(): Promise<void>;
}

export function loadOf(
  client: ClusterClient,
  write: (name: string) => Uint8Array,
  lanes = 4,
): Load {
  const acknowledged: string[] = [];
  let going = true;
  let next = 0;
  async function lane(): Promise<void> {
    while (going) {
      const name = `key-${next++}`;
      await client.propose(write(name));
      acknowledged.push(name);
    }
  }
  const all = Promise.all(Array.from({ length: lanes }, lane));
  return {
    acknowledged,
    async stop() {
      going = false;
      await all;
    },
  };
}
