import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClusterError } from './errors.ts';

/** Longest path of a socket that all systems take (macOS: 104 bytes with the closing zero). */
const longest = 103;

/**
 * Where a node's control channel listens: in its folder, or, where that has too long a name for a
 * socket, in a folder of this user's own (0700) among the temporary files.
 */
export function controlPath(home: string): string {
  const real = realpathSync(home);
  const inside = join(real, 'control');
  if (Buffer.byteLength(inside) <= longest) return inside;
  const name = createHash('sha256').update(real).digest('hex').slice(0, 24);
  return join(shortFolder(), name);
}

function shortFolder(): string {
  const folder = join(tmpdir(), `quorumlab-${process.getuid?.() ?? 'user'}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  // Somebody else may have made it first, to listen in our place.
  const isOurs = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
  if (!isOurs || !lstatSync(folder).isDirectory())
    throw new ClusterError(
      `${folder} belongs to or can be reached by others; remove it, or set TMPDIR to a folder of ` +
        'your own, or give the cluster a folder with a shorter name.',
    );
  return folder;
}
