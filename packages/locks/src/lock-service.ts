/**
 * The lock service: a {@link StateMachine}, so that any protocol replicates it. A session belongs
 * to the client that opened it; nothing here looks at a clock, chance or the order of a hash.
 *
 * Burrows 2006, "The Chubby lock service for loosely-coupled distributed systems".
 */
import {
  decode,
  encode,
  OptionsError,
  type PrincipalId,
  SchemaError,
  wholeOption,
} from '@quorumlab/core';
import type { StateMachine } from '@quorumlab/log';
import { maxEventsPerAnswer, maxKeepers, maxSessions, maxSessionsPerClient } from './limits.ts';
import {
  end,
  expire,
  fileOf,
  forget,
  grant,
  hasRoom,
  isFree,
  leave,
  mayLink,
  sequencerOf,
  serve,
  setContent,
  settle,
  tell,
} from './locks.ts';
import { tick } from './log-time.ts';
import {
  type LockOperation,
  type LockRefusal,
  type LockResult,
  lockOperation,
  lockResult,
} from './operations.ts';
import {
  type LockFile,
  type LockSession,
  link,
  load,
  lockSnapshot,
  lockState,
  sizeOf,
  store,
} from './state.ts';

/** See {@link lockService}. Every replica must be told the same. Times in milliseconds. */
export interface LockServiceOptions {
  /** Principals whose clocks make log time: the members, each of which runs a `timeKeeper`. */
  readonly keepers: readonly PrincipalId[];
  /** How many of them may lie or have a wrong clock: f of the group. 0 unless told. */
  readonly faulty?: number;
  /** How long a session lasts without a keep-alive. 12,000 unless told (section 2.8). */
  readonly lease?: number;
  /** Most time that one tick of a keeper counts for. 1,000 unless told. */
  readonly stride?: number;
  /** Most lock-delay that a client gets. 60,000 unless told (section 2.4). */
  readonly maxDelay?: number;
}

type Of<K extends LockOperation['kind']> = Extract<LockOperation, { readonly kind: K }>;

const refused = (why: LockRefusal): LockResult => ({ kind: 'refused', why });

/**
 * An empty lock service, for `startNode`, `service` and `simulateService`.
 *
 * @throws OptionsError if no keepers are named, or a time is no whole number of milliseconds.
 */
export function lockService(options: LockServiceOptions): StateMachine {
  const rules = rulesOf(options);
  let state = lockState();

  /** The session, if it is there and `client` has opened it. */
  function sessionOf(number: number, client: PrincipalId): LockSession | undefined {
    const session = state.sessions.get(number);
    return session?.owner === client ? session : undefined;
  }

  function open(client: PrincipalId): LockResult {
    let own = 0;
    for (const { owner } of state.sessions.values()) if (owner === client) own += 1;
    if (own >= maxSessionsPerClient || state.sessions.size >= maxSessions) return refused('full');
    state.opened += 1;
    const expires = state.clock.now + rules.lease;
    const session: LockSession = {
      number: state.opened,
      owner: client,
      expires,
      events: [],
      told: 0,
      names: new Set(),
    };
    state.sessions.set(session.number, session);
    const { lease, margin } = rules;
    return { kind: 'opened', session: session.number, lease, margin };
  }

  function keepAlive(session: LockSession, { heard }: Of<'keep-alive'>): LockResult {
    session.expires = state.clock.now + rules.lease;
    session.events = session.events.filter(({ number }) => number >= heard);
    return { kind: 'alive', events: session.events.slice(0, maxEventsPerAnswer) };
  }

  function acquire(session: LockSession, asked: Of<'acquire'>): LockResult {
    const { name, mode, wait } = asked;
    const { number } = session;
    if (!mayLink(state, session, name)) return refused('full');
    const file = fileOf(state, name);
    if (file === undefined) return refused('full');
    if (file.holders.has(number))
      return file.mode === mode ? { kind: 'held', sequencer: sequencerOf(file) } : refused('mode');
    const place = file.waiters.findIndex((each) => each.session === number);
    if (place >= 0)
      return (file.waiters[place] as { readonly mode: string }).mode === mode
        ? { kind: 'queued', ahead: place }
        : refused('mode');
    const delay = Math.min(asked.delay, rules.maxDelay);
    if (file.waiters.length === 0 && isFree(state, file, mode)) {
      grant(file, number, mode, delay);
      link(state, number, name);
      return { kind: 'held', sequencer: sequencerOf(file) };
    }
    for (const holder of file.holders.keys())
      tell(state.sessions.get(holder), { what: 'wanted', name, generation: file.lockGeneration });
    if (!wait) return { kind: 'busy', holders: file.holders.size };
    file.waiters.push({ session: number, mode, delay });
    link(state, number, name);
    return { kind: 'queued', ahead: file.waiters.length - 1 };
  }

  function release(session: LockSession, { name }: Of<'release'>): LockResult {
    const file = state.files.get(name);
    if (file === undefined) return { kind: 'released', found: false };
    const found = leave(file, session.number);
    serve(state, file);
    settle(state, file, session);
    return { kind: 'released', found };
  }

  function write(session: LockSession, asked: Of<'write'>): LockResult {
    const { name, content, expected } = asked;
    const held = state.files.get(name);
    const generation = generationOf(held);
    if (expected !== null && expected !== generation) return { kind: 'other', generation };
    const size = sizeOf(asked, content);
    const before = held?.content != null && held.author === session.owner;
    const more = size - (before ? sizeOf(asked, held.content as Uint8Array) : 0);
    if (!hasRoom(state, session, more)) return refused('full');
    const file = held ?? fileOf(state, name);
    if (file === undefined) return refused('full');
    setContent(state, file, content, session.owner);
    return { kind: 'written', generation: file.contentGeneration };
  }

  function remove(asked: Of<'remove'>): LockResult {
    const file = state.files.get(asked.name);
    const generation = generationOf(file);
    if (asked.expected !== null && asked.expected !== generation)
      return { kind: 'other', generation };
    if (file === undefined || file.content === null) return { kind: 'removed', found: false };
    if (file.holders.size > 0 || file.waiters.length > 0) return refused('locked');
    setContent(state, file, null, 0);
    forget(state, file);
    return { kind: 'removed', found: true };
  }

  function watch(session: LockSession, { name, on }: Of<'watch'>): LockResult {
    if (!on) {
      const file = state.files.get(name);
      file?.watchers.delete(session.number);
      if (file !== undefined) settle(state, file, session);
      return { kind: 'watched' };
    }
    if (!mayLink(state, session, name)) return refused('full');
    const file = fileOf(state, name);
    if (file === undefined) return refused('full');
    file.watchers.add(session.number);
    link(state, session.number, name);
    return { kind: 'watched' };
  }

  function ask(operation: Of<'read'> | Of<'check'>): LockResult {
    if (operation.kind === 'read') {
      const file = state.files.get(operation.name);
      const content = file?.content ?? null;
      const holders = file?.holders.size ?? 0;
      const lockGeneration = file?.lockGeneration ?? 0;
      return { kind: 'file', content, generation: generationOf(file), holders, lockGeneration };
    }
    const { name, mode, generation } = operation.sequencer;
    const file = state.files.get(name);
    const isHeld = file !== undefined && file.holders.size > 0;
    const valid = isHeld && file.mode === mode && file.lockGeneration === generation;
    return { kind: 'checked', valid };
  }

  function ofSession(
    operation: Exclude<LockOperation, { readonly kind: 'open' | 'tick' | 'read' | 'check' }>,
    session: LockSession,
  ): LockResult {
    switch (operation.kind) {
      case 'keep-alive':
        return keepAlive(session, operation);
      case 'close':
        end(state, session, false);
        return { kind: 'closed' };
      case 'acquire':
        return acquire(session, operation);
      case 'release':
        return release(session, operation);
      case 'write':
        return write(session, operation);
      case 'remove':
        return remove(operation);
      case 'watch':
        return watch(session, operation);
    }
  }

  function run(operation: LockOperation, client: PrincipalId): LockResult {
    switch (operation.kind) {
      case 'open':
        return open(client);
      case 'tick':
        if (!rules.keepers.has(client)) return refused('no keeper');
        tick(state.clock, client, operation.elapsed, rules);
        expire(state);
        return { kind: 'time', time: state.clock.now };
      case 'read':
      case 'check':
        return ask(operation);
      default: {
        const session = sessionOf(operation.session, client);
        return session === undefined ? refused('no session') : ofSession(operation, session);
      }
    }
  }

  return {
    apply: (operation, client) => answered(operation, (asked) => run(asked, client)),
    query: (operation) =>
      answered(operation, (asked) =>
        asked.kind === 'read' || asked.kind === 'check' ? ask(asked) : refused('not a query'),
      ),
    snapshot: () => encode(lockSnapshot, store(state)),
    restore: (snapshot) => void (state = load(decode(lockSnapshot, snapshot))),
  };
}

/** Runs what `bytes` say; what cannot be read is refused, and nothing has changed. */
function answered(bytes: Uint8Array, run: (operation: LockOperation) => LockResult): Uint8Array {
  let operation: LockOperation;
  try {
    operation = decode(lockOperation, bytes);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return encode(lockResult, refused('malformed'));
  }
  return encode(lockResult, run(operation));
}

/** 0 where there is no file. */
const generationOf = (file: LockFile | undefined): number =>
  file === undefined || file.content === null ? 0 : file.contentGeneration;

const microseconds = (name: string, milliseconds: number): number =>
  1000 * wholeOption(name, milliseconds, 1, 86_400_000);

function rulesOf(options: LockServiceOptions) {
  const { keepers, faulty = 0, lease = 12_000, stride = 1000, maxDelay = 60_000 } = options;
  if (keepers.length === 0)
    throw new OptionsError(
      'no keepers are named, and without them no session ever ends; name the members',
    );
  const names = new Set(keepers);
  if (names.size > maxKeepers)
    throw new OptionsError(`${names.size} keepers are more than ${maxKeepers}; name some of them`);
  const margin = 2 * stride;
  if (lease <= 2 * margin)
    throw new OptionsError(
      `lease is ${lease} and stride ${stride}; use a lease of more than ${2 * margin}, ` +
        'because a client doubts its session two strides before the lease ends',
    );
  return {
    keepers: names,
    faulty: wholeOption('faulty', faulty, 0, names.size - 1),
    lease: microseconds('lease', lease),
    stride: microseconds('stride', stride),
    maxDelay: microseconds('maxDelay', maxDelay),
    margin: microseconds('stride', margin),
  };
}
