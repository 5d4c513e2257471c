/** What a lock service can be asked and what it answers, with their one encoding. */
import {
  boolean,
  bytes,
  type Field,
  fromUtf8,
  type Infer,
  integer,
  list,
  type MessageOf,
  type MessagesField,
  message,
  messages,
  nullable,
  record,
  toUtf8,
  word,
} from '@quorumlab/core';
import { maxContentBytes, maxEventsPerAnswer, maxNameBytes } from './limits.ts';

const nameAsBytes = bytes(maxNameBytes);

/** The name of a lock and of the small file behind it, as in Chubby: one tree for both. */
export const lockName: Field<string> = {
  type: `text ≤ ${maxNameBytes} bytes`,
  maxBytes: nameAsBytes.maxBytes,
  write: (to, value) => nameAsBytes.write(to, toUtf8(value)),
  read: (from) => fromUtf8(nameAsBytes.read(from)),
  mix: (hash, value) => nameAsBytes.mix(hash, toUtf8(value)),
  sample: (random) => `name ${random.below(4)}`,
  mutate: (value, random) => (value.length < 100 ? `${value}${random.below(10)}` : ''),
};

/** One holder, or several at a time. */
export type LockMode = 'exclusive' | 'shared';

/** A {@link LockMode}. */
export const lockMode: Field<LockMode> = word('exclusive', 'shared');

/**
 * A fencing token (Chubby's sequencer, section 2.4): who shows it held `name` in `mode` when the
 * lock was at `generation`. Generations of a name only grow, also after it was removed.
 */
export interface Sequencer {
  readonly name: string;
  readonly mode: LockMode;
  readonly generation: number;
}

/** A {@link Sequencer}. */
export const sequencer: Field<Sequencer> = record({
  name: lockName,
  mode: lockMode,
  generation: integer(),
});

/**
 * What a session is told: 'granted': a lock that it waited for is its own; 'wanted': somebody waits
 * for a lock that it holds; 'changed': a file that it watches has another content.
 */
export interface LockEvent {
  /** Events of a session are counted from 0. */
  readonly number: number;
  readonly what: 'granted' | 'wanted' | 'changed';
  readonly name: string;
  /** Of the lock; for 'changed', of the content: 0 if the file is gone. */
  readonly generation: number;
}

/** A {@link LockEvent}. */
export const lockEvent: Field<LockEvent> = record({
  number: integer(),
  what: word('granted', 'wanted', 'changed'),
  name: lockName,
  generation: integer(),
});

const session = integer();
const content = bytes(maxContentBytes);

/** What the service can be asked. Times are in microseconds. */
export const lockOperation: MessagesField<
  | MessageOf<'open', Record<never, never>>
  | MessageOf<'keep-alive', { readonly session: Field<number>; readonly heard: Field<number> }>
  | MessageOf<'close', { readonly session: Field<number> }>
  | MessageOf<'tick', { readonly elapsed: Field<number | null> }>
  | MessageOf<
      'acquire',
      {
        readonly session: Field<number>;
        readonly name: Field<string>;
        readonly mode: Field<LockMode>;
        readonly wait: Field<boolean>;
        readonly delay: Field<number>;
      }
    >
  | MessageOf<'release', { readonly session: Field<number>; readonly name: Field<string> }>
  | MessageOf<
      'write',
      {
        readonly session: Field<number>;
        readonly name: Field<string>;
        readonly content: Field<Uint8Array>;
        readonly expected: Field<number | null>;
      }
    >
  | MessageOf<
      'remove',
      {
        readonly session: Field<number>;
        readonly name: Field<string>;
        readonly expected: Field<number | null>;
      }
    >
  | MessageOf<
      'watch',
      {
        readonly session: Field<number>;
        readonly name: Field<string>;
        readonly on: Field<boolean>;
      }
    >
  | MessageOf<'read', { readonly name: Field<string> }>
  | MessageOf<'check', { readonly sequencer: Field<Sequencer> }>
> = messages(
  message('open', {}),
  message('keep-alive', { session, heard: integer() }),
  message('close', { session }),
  message('tick', { elapsed: nullable(integer()) }),
  message('acquire', {
    session,
    name: lockName,
    mode: lockMode,
    wait: boolean,
    delay: integer(),
  }),
  message('release', { session, name: lockName }),
  message('write', { session, name: lockName, content, expected: nullable(integer()) }),
  message('remove', { session, name: lockName, expected: nullable(integer()) }),
  message('watch', { session, name: lockName, on: boolean }),
  message('read', { name: lockName }),
  message('check', { sequencer }),
);

/** See {@link lockOperation}. */
export type LockOperation = Infer<typeof lockOperation>;

/**
 * Why nothing was done. 'no session': it has expired or was closed, or is another client's; 'no
 * keeper': the client's clock does not count; 'mode': the session holds the lock in the other mode;
 * 'locked': a lock that is held or awaited is not removed; 'full': a limit is reached.
 */
export type LockRefusal =
  | 'malformed'
  | 'not a query'
  | 'no session'
  | 'no keeper'
  | 'mode'
  | 'locked'
  | 'full';

const generation = integer();

/**
 * What the service answers: 'opened' with the session's number and how long it lasts without a
 * keep-alive, and by how much sooner its client has to be in doubt; 'alive' with the events that it
 * has not said to have `heard`, which is the number of the first that it does not know; 'held' to
 * acquire; 'queued': it will be granted; 'busy': it is held by others, or its lock-delay runs;
 * 'written' and 'removed' with the generation of the content; 'other' where another one than the
 * expected was found; 'file' to read.
 */
export const lockResult: MessagesField<
  | MessageOf<
      'opened',
      {
        readonly session: Field<number>;
        readonly lease: Field<number>;
        readonly margin: Field<number>;
      }
    >
  | MessageOf<'alive', { readonly events: Field<readonly LockEvent[]> }>
  | MessageOf<'closed', Record<never, never>>
  | MessageOf<'time', { readonly time: Field<number> }>
  | MessageOf<'held', { readonly sequencer: Field<Sequencer> }>
  | MessageOf<'queued', { readonly ahead: Field<number> }>
  | MessageOf<'busy', { readonly holders: Field<number> }>
  | MessageOf<'released', { readonly found: Field<boolean> }>
  | MessageOf<'written', { readonly generation: Field<number> }>
  | MessageOf<'removed', { readonly found: Field<boolean> }>
  | MessageOf<'other', { readonly generation: Field<number> }>
  | MessageOf<'watched', Record<never, never>>
  | MessageOf<
      'file',
      {
        readonly content: Field<Uint8Array | null>;
        readonly generation: Field<number>;
        readonly holders: Field<number>;
        readonly lockGeneration: Field<number>;
      }
    >
  | MessageOf<'checked', { readonly valid: Field<boolean> }>
  | MessageOf<'refused', { readonly why: Field<LockRefusal> }>
> = messages(
  message('opened', { session, lease: integer(), margin: integer() }),
  message('alive', { events: list(lockEvent, maxEventsPerAnswer) }),
  message('closed', {}),
  message('time', { time: integer() }),
  message('held', { sequencer }),
  message('queued', { ahead: integer() }),
  message('busy', { holders: integer() }),
  message('released', { found: boolean }),
  message('written', { generation }),
  message('removed', { found: boolean }),
  message('other', { generation }),
  message('watched', {}),
  message('file', {
    content: nullable(content),
    generation,
    holders: integer(),
    lockGeneration: integer(),
  }),
  message('checked', { valid: boolean }),
  message('refused', {
    why: word('malformed', 'not a query', 'no session', 'no keeper', 'mode', 'locked', 'full'),
  }),
);

/** See {@link lockResult}. */
export type LockResult = Infer<typeof lockResult>;
