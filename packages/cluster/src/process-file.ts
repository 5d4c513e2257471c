/** Which process runs a node, and whether it is still that one. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { paths } from './config.ts';
import { codeOf } from './errors.ts';

/** Notes that this process runs the node in `home`. */
export async function writePid(home: string): Promise<void> {
  const draft = `${paths.pid(home)}.new`;
  await writeFile(draft, `${process.pid}\n`, { mode: 0o600 });
  await rename(draft, paths.pid(home));
}

/** Forgets what {@link writePid} noted, if it was this process. */
export async function clearPid(home: string): Promise<void> {
  if ((await readPid(home)) === process.pid) await rm(paths.pid(home), { force: true });
}

/** The process that was noted, whether it is there or not. */
export async function readPid(home: string): Promise<number | undefined> {
  const text = await readFile(paths.pid(home), 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  });
  const pid = Number(text.trim());
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

/** Whether there is a process `pid`. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Ended, and only waiting for a parent that does not ask. */
function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/**
 * Whether process `pid` is node `self`: numbers of processes are used again, and a signal must not
 * hit whoever got one after a node had died.
 */
export const isNode = (pid: number, self: number): boolean =>
  isAlive(pid) && new RegExp(`--self[ =]${self}(?!\\d)`).test(commandLine(pid));

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // Systems without /proc have ps.
  }
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
