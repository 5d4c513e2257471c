/** Why a node of a cluster does not answer, as far as its folder and its process tell. */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { paths } from './config.ts';
import { isNode, readPid } from './process-file.ts';

/**
 * `up`: it answers. `stopped`: its process is there and was stopped, for example by SIGSTOP.
 * `silent`: its process runs and does not answer. `down`: there is no process. `elsewhere`: its key
 * is not in this folder, so it runs on another machine, if it runs, and nobody here can ask it.
 * `unreachable`: it is elsewhere, and asking it failed.
 */
export type NodeState = 'up' | 'stopped' | 'silent' | 'down' | 'elsewhere' | 'unreachable';

/** What there is to say of a node that does not answer. */
export interface Absence {
  readonly state: Exclude<NodeState, 'up' | 'unreachable'>;
  readonly pid?: number;
  /** One clause for people. */
  readonly why: string;
}

/** Why node `self`, in folder `home`, does not answer. */
export async function absenceOf(home: string, self: number): Promise<Absence> {
  if (!existsSync(paths.key(home)))
    return { state: 'elsewhere', why: 'on another machine: its key is not in this folder' };
  const pid = await readPid(home);
  if (pid === undefined || !isNode(pid, home, self))
    return { state: 'down', why: downReason(home) };
  if (isStopped(pid)) {
    const why = `its process ${pid} was stopped; let it go on: kill -CONT ${pid}`;
    return { state: 'stopped', pid, why };
  }
  return { state: 'silent', pid, why: `its process ${pid} runs and does not answer` };
}

/** Whether the process was stopped by a signal, and would go on where it is. */
function isStopped(pid: number): boolean {
  try {
    return /^\d+ \(.*\) [Tt]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    // Systems without /proc have ps.
  }
  try {
    const state = execFileSync('ps', ['-p', String(pid), '-o', 'state='], { encoding: 'utf8' });
    return state.trim().startsWith('T');
  } catch {
    return false;
  }
}

/** How much of the end of a log is looked at, in bytes. */
const tailBytes = 64 * 1024;

/** Why there is no process, from what it reported last. */
function downReason(home: string): string {
  const words = firstLine(readText(paths.stderr(home)));
  const last = lastRecords(home);
  if (last === undefined && words === '') return 'it was never started';
  if (last?.fatal !== undefined) return last.fatal;
  if (last?.stopped) return 'it was stopped';
  if (words !== '') return words;
  return 'its process ended without a word: it was killed, or the machine went down';
}

const firstLine = (text: string): string =>
  (/^(?:error \w+: )?(.*)$/m.exec(text.trim())?.[1] ?? '').trim();

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** What the log of the last start ends with; nothing if there is none. */
function lastRecords(
  home: string,
): { readonly fatal: string | undefined; readonly stopped: boolean } | undefined {
  const lines = tailOf(paths.log(home)).split('\n').filter(Boolean);
  if (lines.length === 0) return undefined;
  let fatal: string | undefined;
  let stopped = false;
  for (const line of lines) {
    const record = parsed(line);
    if (record === undefined) continue;
    if (record.msg === 'The replica has started.') fatal = undefined;
    stopped = record.msg === 'The process ends.';
    if (record.level === 'fatal') fatal = record.err?.message ?? record.msg;
  }
  return { fatal, stopped };
}

interface LogRecord {
  readonly level?: unknown;
  readonly msg?: string;
  readonly err?: { readonly message?: string };
}

/** A line of the log; the first one of a tail may be cut. */
function parsed(line: string): LogRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function tailOf(file: string): string {
  if (!existsSync(file)) return '';
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, tailBytes));
    readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}
