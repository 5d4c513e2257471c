/** Which process runs a node, and whether it is still that one. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
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
 * Whether process `pid` is node `self` in folder `home`: numbers of processes are used again, and a
 * signal must not hit whoever got one after a node had died, such as a node of another cluster.
 */
export const isNode = (pid: number, home: string, self: number): boolean =>
  isAlive(pid) && runs(wordsOf(pid), pid, home, self);

/**
 * Whether it may be that node still: its words are gone a moment before its files are closed, and
 * other words show that its number is another's now.
 */
export function mayBeNode(pid: number, home: string, self: number): boolean {
  if (!isAlive(pid)) return false;
  const words = wordsOf(pid);
  return words.join('') === '' || runs(words, pid, home, self);
}

function runs(words: readonly string[], pid: number, home: string, self: number): boolean {
  const config = flagOf(words, '--config');
  const folder = flagOf(words, '--folder') ?? (config === undefined ? config : dirname(config));
  if (folder === undefined || flagOf(words, '--self')?.replace(/^n/, '') !== `${self}`)
    return false;
  return samePlace(resolve(placeOf(pid), folder), dirname(resolve(home)));
}

/** What a process was started with. */
function wordsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // Systems without /proc have ps, which does not tell where a word ends.
  }
  try {
    const all = execFileSync('ps', ['-p', `${pid}`, '-o', 'command='], { encoding: 'utf8' });
    return all.trim().split(/ (?=--)|(?<=--\w+) /);
  } catch {
    return [];
  }
}

/** The value of a flag: `--flag value` or `--flag=value`. */
function flagOf(words: readonly string[], flag: string): string | undefined {
  const at = words.findIndex((each) => each === flag || each.startsWith(`${flag}=`));
  return words[at] === flag ? words[at + 1] : words[at]?.slice(flag.length + 1);
}

/** The folder from which a process sees relative paths; where nobody tells, the one of this one. */
function placeOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return process.cwd();
  }
}

function samePlace(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return one === other;
  }
}
