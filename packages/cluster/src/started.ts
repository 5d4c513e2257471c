/** The note that a node has run before, which does not lie on its data disk. */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { range } from '@quorumlab/core';
import { type ClusterConfig, paths } from './config.ts';
import { ClusterError } from './errors.ts';
import { named } from './node-names.ts';

/** What the note says; see `paths.started`. */
export type Started = '' | 'rejoining';

/** Writes the note, durably. */
export const writeStarted = (home: string, text: Started): Promise<void> =>
  writeFile(paths.started(home), text, { mode: 0o600, flush: true });

/** The note; nothing if the node has never run. */
export const readStarted = (home: string): string | undefined =>
  existsSync(paths.started(home)) ? readFileSync(paths.started(home), 'utf8') : undefined;

/** Whether the node was told to come back without its disk, and its new one holds nothing yet. */
const isRejoining = (home: string): boolean => readStarted(home) === 'rejoining';

/** Puts the note back as it was before a start that failed. */
export const restoreStarted = (home: string, before: string | undefined): Promise<void> =>
  before === '' || before === 'rejoining'
    ? writeStarted(home, before)
    : rm(paths.started(home), { force: true });

/**
 * Throws {@link ClusterError} if more nodes than the protocol can miss come back without disks:
 * `rejoin`, and all that were told to earlier and have not come back yet, as far as they are kept
 * in this folder.
 */
export function requireFewLost(
  folder: string,
  config: ClusterConfig,
  rejoin: readonly number[],
): void {
  const { n, f, protocol, joined = [], left = [] } = config;
  // Who left cannot be asked any more, and who came later is not asked.
  if (rejoin.length > 0 && joined.length + left.length > 0)
    throw new ClusterError(
      `${named(rejoin)} lost ${rejoin.length === 1 ? 'its disk' : 'their disks'}, and the group ` +
        'has changed since it was made, so not everybody can be asked what was promised. Put a ' +
        `new node in the place of each: quorumlab cluster member remove n${rejoin[0]}, then ` +
        `quorumlab cluster member add n${n + joined.length}`,
    );
  const under = range(n).filter((id) => isRejoining(paths.node(folder, id)));
  const lost = [...new Set([...under, ...rejoin])].sort((one, two) => one - two);
  if (lost.length <= f) return;
  throw new ClusterError(
    `${named(lost)} lost their disks, and ${protocol} with ` +
      `n=${n} survives ${f} such losses at a time; bring them back one by one, each after ` +
      'the one before it has caught up, or restore their data folders from a backup and empty ' +
      `the file ${paths.started(`n${lost[0]}`)} of each.`,
  );
}

/** Moves the data of a node out of the way, and tells where it is now. */
export function setAside(home: string): string {
  for (let i = 1; ; i++) {
    const aside = `${paths.data(home)}.damaged-${i}`;
    if (existsSync(aside)) continue;
    renameSync(paths.data(home), aside);
    return aside;
  }
}
