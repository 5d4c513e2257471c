/** What a lock service remembers, and its one canonical form as bytes. */
import {
  bytes,
  type Field,
  type Infer,
  integer,
  list,
  nullable,
  type PrincipalId,
  record,
  word,
} from '@quorumlab/core';
import {
  fileBytes,
  linkBytes,
  maxContentBytes,
  maxFiles,
  maxKeepers,
  maxNamesPerSession,
  maxSessions,
} from './limits.ts';
import { type LogTime, logTime } from './log-time.ts';
import { type LockEvent, type LockMode, lockEvent, lockMode, lockName } from './operations.ts';

/** Who waits for a lock, in the order of the queue. */
export interface Waiter {
  readonly session: number;
  readonly mode: LockMode;
  /** The lock-delay that it asks for. */
  readonly delay: number;
}

/** A name: a lock, and the small file behind it. */
export interface LockFile {
  readonly name: string;
  content: Uint8Array | null;
  /** Who wrote the content: it is charged for it. */
  author: PrincipalId | null;
  contentGeneration: number;
  /** Grows whenever the lock goes from free to held: the number of a fencing token. */
  lockGeneration: number;
  /** What the holders hold, if there are any. */
  mode: LockMode;
  /** The holders by session, with the lock-delays that they asked for. */
  readonly holders: Map<number, number>;
  readonly waiters: Waiter[];
  readonly watchers: Set<number>;
  /** Log time before which nobody gets the lock: its holder vanished (lock-delay, section 2.4). */
  opens: number;
}

/** One client's session. */
export interface LockSession {
  readonly number: number;
  readonly owner: PrincipalId;
  /** Log time after which it is over. */
  expires: number;
  /** What it has not yet said to have heard; an event of one kind and name is there once. */
  events: LockEvent[];
  /** How many events it has been told. */
  told: number;
  /** What it holds, waits for or watches. */
  readonly names: Set<string>;
}

/** Everything. */
export interface LockState {
  readonly clock: LogTime;
  /** The last session's number. */
  opened: number;
  /** No lock generation of a name that is made anew is at or below it. */
  floor: number;
  readonly sessions: Map<number, LockSession>;
  readonly files: Map<string, LockFile>;
  /** Bytes that each client has caused, and those of all together: made from the rest. */
  readonly charged: Map<PrincipalId, number>;
  total: number;
}

/** The state of a service that has never been asked anything. */
export const lockState = (): LockState => ({
  clock: logTime(),
  opened: 0,
  floor: 0,
  sessions: new Map(),
  files: new Map(),
  charged: new Map(),
  total: 0,
});

/** A name that nobody has used, or that has been forgotten since. */
export const lockFile = (name: string, floor: number): LockFile => ({
  name,
  content: null,
  author: null,
  contentGeneration: 0,
  lockGeneration: floor,
  mode: 'exclusive',
  holders: new Map(),
  waiters: [],
  watchers: new Set(),
  opens: 0,
});

/** Puts `size` bytes on the account of `client`, or takes them off it where that is below 0. */
export function charge(state: LockState, client: PrincipalId, size: number): void {
  state.total += size;
  const sum = (state.charged.get(client) ?? 0) + size;
  if (sum === 0) state.charged.delete(client);
  else state.charged.set(client, sum);
}

/** What a file of `name` with `content` costs its author. */
export const sizeOf = ({ name }: { readonly name: string }, content: Uint8Array): number =>
  fileBytes + name.length + content.length;

const storedFile = record({
  name: lockName,
  content: nullable(bytes(maxContentBytes)),
  author: nullable(integer()),
  contentGeneration: integer(),
  lockGeneration: integer(),
  mode: lockMode,
  holders: list(record({ session: integer(), delay: integer() }), maxSessions),
  waiters: list(
    record({ session: integer(), mode: word('exclusive', 'shared'), delay: integer() }),
    maxSessions,
  ),
  watchers: list(integer(), maxSessions),
  opens: integer(),
});

const stored = record({
  now: integer(),
  claims: list(record({ keeper: integer(), time: integer() }), maxKeepers),
  opened: integer(),
  floor: integer(),
  sessions: list(
    record({
      number: integer(),
      owner: integer(),
      expires: integer(),
      events: list(lockEvent, 3 * maxNamesPerSession),
      told: integer(),
    }),
    maxSessions,
  ),
  files: list(storedFile, maxFiles),
});

/** The state as plain data. */
export const lockSnapshot: Field<Infer<typeof stored>> = stored;

/** See {@link lockSnapshot}. The same operations in the same order give the same data. */
export function store(state: LockState): Infer<typeof stored> {
  const { clock, opened, floor, sessions, files } = state;
  return {
    now: clock.now,
    claims: [...clock.claims].map(([keeper, { time }]) => ({ keeper, time })),
    opened,
    floor,
    sessions: [...sessions.values()].map(({ number, owner, expires, events, told }) => ({
      number,
      owner,
      expires,
      events,
      told,
    })),
    files: [...files.values()].map((file) => ({
      ...file,
      holders: [...file.holders].map(([session, delay]) => ({ session, delay })),
      watchers: [...file.watchers],
    })),
  };
}

/** The opposite of {@link store}. */
export function load(data: Infer<typeof stored>): LockState {
  const state = lockState();
  state.clock.now = data.now;
  for (const { keeper, time } of data.claims) state.clock.claims.set(keeper, { time });
  state.opened = data.opened;
  state.floor = data.floor;
  for (const each of data.sessions)
    state.sessions.set(each.number, { ...each, events: [...each.events], names: new Set() });
  for (const each of data.files) {
    const file: LockFile = {
      ...each,
      holders: new Map(each.holders.map(({ session, delay }) => [session, delay])),
      waiters: [...each.waiters],
      watchers: new Set(each.watchers),
    };
    state.files.set(file.name, file);
    if (file.content !== null && file.author !== null)
      charge(state, file.author, sizeOf(file, file.content));
    for (const session of linkedTo(file)) link(state, session, file.name);
  }
  return state;
}

/** Sessions that hold, await or watch `file`. */
function* linkedTo(file: LockFile): Generator<number> {
  yield* file.holders.keys();
  for (const { session } of file.waiters) yield session;
  yield* file.watchers;
}

/** Notes that session `number` has to do with `name`, and charges its client for it, once. */
export function link(state: LockState, number: number, name: string): void {
  const session = state.sessions.get(number);
  if (session === undefined || session.names.has(name)) return;
  session.names.add(name);
  charge(state, session.owner, linkBytes);
}
