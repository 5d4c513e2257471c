/** Files of a cluster's folder that can be read to their end. */
import { statSync } from 'node:fs';
import { ClusterError, codeOf } from './errors.ts';

/** Largest file of a cluster besides logs and keys, in bytes: 10,000 members take 3 MB. */
const maxBytes = 16 * 1024 * 1024;

/**
 * Throws {@link ClusterError} for what is there under this name and is no file that has an end:
 * whoever opens a pipe waits for somebody at its other end, for ever. What is not there is well.
 */
export function requirePlainFile(file: string, mostBytes: number = maxBytes): void {
  let found: ReturnType<typeof statSync>;
  try {
    found = statSync(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (!found.isFile())
    throw new ClusterError(
      `${file} is not a file; move it away, and restore the file if it held any.`,
    );
  if (found.size > mostBytes)
    throw new ClusterError(
      `${file} has ${found.size} bytes, and no such file has more than ${mostBytes}; restore it ` +
        'from a copy, or make the cluster again.',
    );
}
