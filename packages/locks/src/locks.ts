/** Locks: who holds them, who waits, and what is said to whom. */
import {
  linkBytes,
  maxBytesPerClient,
  maxFiles,
  maxNamesPerSession,
  maxStateBytes,
} from './limits.ts';
import type { LockEvent, LockMode, Sequencer } from './operations.ts';
import {
  charge,
  type LockFile,
  type LockSession,
  type LockState,
  lockFile,
  sizeOf,
} from './state.ts';

/** The file of `name`, which is made if it is not there; nothing if there are too many already. */
export function fileOf(state: LockState, name: string): LockFile | undefined {
  const found = state.files.get(name);
  if (found !== undefined || state.files.size >= maxFiles) return found;
  const made = lockFile(name, state.floor);
  state.files.set(name, made);
  return made;
}

/** Whether `session` may have to do with one more name, or has already. */
export function mayLink(state: LockState, session: LockSession, name: string): boolean {
  if (session.names.has(name)) return true;
  return session.names.size < maxNamesPerSession && hasRoom(state, session, linkBytes);
}

/** Whether the client of `session` may cause `more` bytes. */
export function hasRoom(state: LockState, { owner }: LockSession, more: number): boolean {
  if (more <= 0) return true;
  const own = (state.charged.get(owner) ?? 0) + more;
  return own <= maxBytesPerClient && state.total + more <= maxStateBytes;
}

/** Tells a session something; of one kind and name it needs to hear only the last. */
export function tell(session: LockSession | undefined, event: Omit<LockEvent, 'number'>): void {
  if (session === undefined) return;
  const { what, name } = event;
  session.events = session.events.filter((each) => each.what !== what || each.name !== name);
  session.events.push({ number: session.told, ...event });
  session.told += 1;
}

/** Whether `mode` can be had now, beside those who have the lock. */
export const isFree = (state: LockState, file: LockFile, mode: LockMode): boolean =>
  file.opens <= state.clock.now &&
  (file.holders.size === 0 || (mode === 'shared' && file.mode === 'shared'));

/** What a holder shows to a resource. */
export const sequencerOf = ({ name, mode, lockGeneration }: LockFile): Sequencer => ({
  name,
  mode,
  generation: lockGeneration,
});

/** Makes `session` a holder. The generation grows when the lock was free (section 2.4). */
export function grant(file: LockFile, session: number, mode: LockMode, delay: number): void {
  if (file.holders.size === 0) {
    file.lockGeneration += 1;
    file.mode = mode;
  }
  file.holders.set(session, delay);
}

/** Gives the lock to those at the head of the queue who can have it now. */
export function serve(state: LockState, file: LockFile): void {
  for (;;) {
    const [head] = file.waiters;
    if (head === undefined || !isFree(state, file, head.mode)) return;
    file.waiters.shift();
    grant(file, head.session, head.mode, head.delay);
    const { name, lockGeneration: generation } = file;
    tell(state.sessions.get(head.session), { what: 'granted', name, generation });
  }
}

/** Takes `session` out of the lock: it holds and awaits it no longer. Says whether it did. */
export function leave(file: LockFile, session: number): boolean {
  const at = file.waiters.findIndex((each) => each.session === session);
  if (at >= 0) file.waiters.splice(at, 1);
  return file.holders.delete(session) || at >= 0;
}

/** Forgets what binds `session` to `file` if nothing does any more, and a file nobody needs. */
export function settle(state: LockState, file: LockFile, session: LockSession): void {
  const { name } = file;
  const isLinked =
    file.holders.has(session.number) ||
    file.watchers.has(session.number) ||
    file.waiters.some((each) => each.session === session.number);
  if (!isLinked && session.names.delete(name)) {
    charge(state, session.owner, -linkBytes);
    session.events = session.events.filter((each) => each.name !== name);
  }
  forget(state, file);
}

/** Forgets a name that is no file, no lock and awaited by nobody; its generations go on. */
export function forget(state: LockState, file: LockFile): void {
  const isNeeded =
    file.content !== null ||
    file.holders.size > 0 ||
    file.waiters.length > 0 ||
    file.watchers.size > 0 ||
    file.opens > state.clock.now;
  if (isNeeded) return;
  state.files.delete(file.name);
  state.floor = Math.max(state.floor, file.lockGeneration, file.contentGeneration);
}

/**
 * Ends a session. Where it `vanished`, without a word, its locks open after their lock-delay; who
 * gives them back opens them at once. It leaves all queues before anybody is granted anything: a
 * session that is over is never given a lock.
 */
export function end(state: LockState, session: LockSession, vanished: boolean): void {
  state.sessions.delete(session.number);
  const names = [...session.names];
  for (const name of names) {
    const file = state.files.get(name);
    if (file === undefined) continue;
    const delay = vanished ? (file.holders.get(session.number) ?? 0) : 0;
    leave(file, session.number);
    file.watchers.delete(session.number);
    if (delay > 0) file.opens = Math.max(file.opens, state.clock.now + delay);
  }
  charge(state, session.owner, -linkBytes * names.length);
  session.names.clear();
  for (const name of names) {
    const file = state.files.get(name);
    if (file === undefined) continue;
    serve(state, file);
    forget(state, file);
  }
}

/** Ends the sessions whose time is over, all of them before any lock is given on. */
export function expire(state: LockState): void {
  const { now } = state.clock;
  const over = [...state.sessions.values()].filter(({ expires }) => expires < now);
  for (const session of over) for (const name of session.names) dropWaiter(state, name, session);
  for (const session of over) end(state, session, true);
  for (const file of [...state.files.values()]) {
    if (file.opens === 0 || file.opens > now) continue;
    file.opens = 0;
    serve(state, file);
    forget(state, file);
  }
}

function dropWaiter(state: LockState, name: string, { number }: LockSession): void {
  const file = state.files.get(name);
  const at = file?.waiters.findIndex((each) => each.session === number) ?? -1;
  if (at >= 0) file?.waiters.splice(at, 1);
}

/** Gives `file` a content of `author`, and tells those who watch it. */
export function setContent(
  state: LockState,
  file: LockFile,
  content: Uint8Array | null,
  author: number,
): void {
  if (file.content !== null && file.author !== null)
    charge(state, file.author, -sizeOf(file, file.content));
  file.content = content;
  file.author = content === null ? null : author;
  if (content !== null) charge(state, author, sizeOf(file, content));
  file.contentGeneration = Math.max(file.contentGeneration, state.floor) + 1;
  const generation = content === null ? 0 : file.contentGeneration;
  for (const watcher of file.watchers)
    tell(state.sessions.get(watcher), { what: 'changed', name: file.name, generation });
}
