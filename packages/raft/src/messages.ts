/**
 * The messages of Raft, each declared once: its schema is its encoding and its limits, and its type
 * follows from it. They are the RPCs of Figure 2 and Figure 13, and their answers.
 */
import {
  boolean,
  digest,
  type Field,
  type Infer,
  inSteps,
  integer,
  list,
  type MessageField,
  maxRequestBytes,
  message,
  messages,
  nullable,
  type OfKind,
  type Request,
  readByte,
  readInSteps,
  record,
  request,
  requestOverheadBytes,
  requestWeight,
  SchemaError,
  type Signed,
  signed,
  type Tagged,
  text,
  writeByte,
} from '@quorumlab/core';
import { type Configuration, configurationBytes, configurationField } from './configuration.ts';

/** A position in the log, from 1 as in the paper; 0 is the place before the first entry. */
export type Index = number;

/** Most entries that one AppendEntries can carry on the wire. */
export const entriesLimit = 1024;

/** The least that one AppendEntries must be allowed to carry: any one request fits into it. */
export const leastBytesPerAppend: number = maxRequestBytes + requestOverheadBytes + 16;

/** Most bytes of the sentence that refuses a change of the group. */
export const refusalLimit = 256;

/** An upper bound of the encoded size of an entry with `command`, without encoding it. */
export const entryBytes = (command: Signed<Request> | null): number =>
  8 + (command === null ? 0 : requestWeight(command));

/** The same of a whole entry, which may be about the group. */
export function entrySize({ command, configuration, refusal }: Entry): number {
  const about = configuration === undefined ? 0 : configurationBytes(configuration);
  return entryBytes(command) + about + (refusal === undefined ? 0 : refusalLimit + 2);
}

/** What the limits of the encodings follow from. */
export interface Sizes {
  /** What the entries of one AppendEntries take at most. */
  readonly maxBytesPerAppend: number;
}

const term = integer();
const index = integer();

/** `of` with room for `maxBytes`. */
const sized = <M extends Tagged>(of: MessageField<M>, maxBytes: number): MessageField<M> => ({
  ...of,
  maxBytes,
});

/**
 * One entry of the log: the term in which a leader received it, and the command; null: the leader's
 * own. Only what is about the group has more: see `change.ts`.
 */
export interface Entry {
  readonly term: number;
  readonly command: Signed<Request> | null;
  /** The group from this entry on, for whoever has it in its log (thesis 4.1). */
  readonly configuration?: Configuration;
  /** What came of a command about the group that leaves it as it is: why, or '' if it was done. */
  readonly refusal?: string;
}

const someCommand = signed(request);
const command = nullable(someCommand);

/** After the term: 0 and 1 as of a `nullable` command, and these for what is about the group. */
const tagOf = { configuration: 2, refusal: 3 } as const;

/** What is about the group costs a tag of its own, and no byte in any other entry. */
function entryField(): Field<Entry> {
  const plain = record({ term, command });
  const change = record({ command, configuration: configurationField });
  const answer = record({ command, refusal: text(refusalLimit) });
  const about = (tag: number): Field<Omit<Entry, 'term'>> => {
    if (tag === tagOf.configuration) return change;
    if (tag === tagOf.refusal) return answer;
    throw new SchemaError(`${tag} is not the tag of any entry`);
  };
  return inSteps([command], {
    type: `${plain.type}, or about the group: ${change.type}, or ${answer.type}`,
    maxBytes: plain.maxBytes + configurationField.maxBytes + refusalLimit + 2,
    write(to, { term: ofTerm, command: of, configuration, refusal }) {
      term.write(to, ofTerm);
      if (configuration !== undefined) {
        writeByte(to, tagOf.configuration);
        change.write(to, { command: of, configuration });
      } else if (refusal !== undefined) {
        writeByte(to, tagOf.refusal);
        answer.write(to, { command: of, refusal });
      } else command.write(to, of);
    },
    read(from) {
      const ofTerm = term.read(from);
      const tag = readByte(from);
      if (tag === 0) return { term: ofTerm, command: null };
      if (tag === 1) return { term: ofTerm, command: someCommand.read(from) };
      return { term: ofTerm, ...about(tag).read(from) };
    },
    *steps(from) {
      const ofTerm = term.read(from);
      const tag = readByte(from);
      if (tag === 0) return { term: ofTerm, command: null };
      if (tag === 1) return { term: ofTerm, command: yield* readInSteps(someCommand, from) };
      return { term: ofTerm, ...(yield* readInSteps(about(tag), from)) };
    },
    mix(hash, value) {
      const out = plain.mix(hash, value);
      if (value.configuration !== undefined)
        return change.mix(out, { command: null, configuration: value.configuration });
      const { refusal } = value;
      return refusal === undefined ? out : answer.mix(out, { command: null, refusal });
    },
    sample(random) {
      const choice = random.below(6);
      const ofTerm = term.sample(random);
      if (choice === 0) return { term: ofTerm, ...change.sample(random) };
      if (choice === 1) return { term: ofTerm, ...answer.sample(random) };
      return { term: ofTerm, command: command.sample(random) };
    },
    mutate(value, random) {
      const { configuration, refusal, ...others } = value;
      if (configuration !== undefined && random.below(2) === 0)
        return { ...value, ...change.mutate({ command: value.command, configuration }, random) };
      if (refusal !== undefined && random.below(2) === 0)
        return { ...value, ...answer.mutate({ command: value.command, refusal }, random) };
      return plain.mutate(others, random);
    },
  } satisfies Field<Entry>);
}

/** What a candidate says, and by whose leave it may unseat a leader, if by anybody's. */
export interface Candidacy {
  readonly kind: 'request-vote';
  readonly term: number;
  readonly lastIndex: Index;
  readonly lastTerm: number;
  /** The term whose leader has told the candidate to run (thesis 3.10). */
  readonly transfer?: number;
}

/** Left out as an absent part is where nobody has told the candidate to run: there term 0 has. */
const requestVote: MessageField<Candidacy> = (() => {
  const parts = message('request-vote', {
    term,
    lastIndex: index,
    lastTerm: term,
    transfer: integer(),
  });
  type Whole = Required<Candidacy>;
  const whole = (value: Candidacy): Whole => ({ ...value, transfer: value.transfer ?? 0 });
  const short = ({ transfer, ...value }: Whole): Candidacy =>
    transfer === 0 ? value : { ...value, transfer };
  const plain = message('request-vote', { term, lastIndex: index, lastTerm: term });
  return {
    ...parts,
    write: (to, value) => parts.write(to, whole(value)),
    read: (from) => short(parts.read(from)),
    mix(hash, value) {
      const out = plain.mix(hash, value);
      return value.transfer === undefined ? out : integer().mix(out, value.transfer);
    },
    sample: (random) => short(parts.sample(random)),
    mutate: (value, random) => short(parts.mutate(whole(value), random)),
  };
})();

/** Every schema of a group. The order of `messages` is the tag on the wire. */
export function schemas({ maxBytesPerAppend }: Sizes) {
  const entry = entryField();
  const appendEntries = message('append-entries', {
    term,
    prevIndex: index,
    prevTerm: term,
    entries: list(entry, entriesLimit),
    leaderCommit: index,
    // The leader's count of heartbeat rounds; the reply echoes it (thesis 6.4).
    round: integer(),
  });
  return {
    entry,
    configuration: configurationField,
    messages: messages(
      message('pre-vote', { nextTerm: term, lastIndex: index, lastTerm: term }),
      // The term is the asked one if granted, and the voter's own term if not.
      message('pre-vote-reply', { term, granted: boolean }),
      requestVote,
      message('vote', { term, candidate: integer(), granted: boolean }),
      // Six integers of at most 7 bytes stand around the entries.
      sized(appendEntries, 42 + maxBytesPerAppend),
      message('append-reply', {
        term,
        success: boolean,
        // On success the follower's log equals the leader's up to here; else the refused prevIndex.
        index,
        // The term that the follower has at the refused prevIndex; 0: its log is shorter.
        conflictTerm: term,
        // The first index the follower has of that term, or where its log ends.
        conflictIndex: index,
        round: integer(),
      }),
      message('install-snapshot', { term, lastIndex: index, lastTerm: term, digest }),
      message('snapshot-reply', { term, lastIndex: index }),
      // No earlier loss of a disk had this nonce: late answers to an older question do not count.
      message('rejoin', { nonce: integer(), lastIndex: index }),
      message('rejoin-reply', {
        nonce: integer(),
        term,
        lastIndex: index,
        lastTerm: term,
        // The asker may use terms of its own from here on: none of them has ever been used.
        ownTerm: term,
      }),
      message('timeout-now', { term }),
      // In one life of the asker no two questions have one number.
      message('read-index', { life: integer(), question: integer() }),
      message('read-index-reply', { life: integer(), question: integer(), index }),
    ),
  };
}

/** The schemas of one group. */
export type Schemas = ReturnType<typeof schemas>;

/** Every message of this protocol. */
export type Message = Infer<Schemas['messages']>;

/** May I run for `nextTerm`? Promises nothing and changes nothing (Ongaro's thesis, 9.6). */
export type PreVote = OfKind<Message, 'pre-vote'>;

/** The answer to a PreVote, which binds its sender to nothing. */
export type PreVoteReply = OfKind<Message, 'pre-vote-reply'>;

/** RequestVote RPC of Figure 2. The candidate is the sender. */
export type RequestVote = OfKind<Message, 'request-vote'>;

/** TimeoutNow of the thesis (3.10): the leader of `term` wants its receiver to be the next one. */
export type TimeoutNow = OfKind<Message, 'timeout-now'>;

/** A follower asks for a readIndex on behalf of its clients (thesis 6.4). */
export type ReadIndex = OfKind<Message, 'read-index'>;

/** The leader had committed up to `index`, and led after it was asked. */
export type ReadIndexReply = OfKind<Message, 'read-index-reply'>;

/** The answer to a RequestVote. Naming the candidate makes two votes in one term visible to all. */
export type Vote = OfKind<Message, 'vote'>;

/** AppendEntries RPC of Figure 2; without entries it is a heartbeat. The leader is the sender. */
export type AppendEntries = OfKind<Message, 'append-entries'>;

/** The answer to an AppendEntries, with the hints of §5.3 that let the leader back up fast. */
export type AppendReply = OfKind<Message, 'append-reply'>;

/** InstallSnapshot RPC of Figure 13 without the bytes: `digest` tells which they are. */
export type InstallSnapshot = OfKind<Message, 'install-snapshot'>;

/** The follower's state is durable up to and including `lastIndex`. */
export type SnapshotReply = OfKind<Message, 'snapshot-reply'>;

/**
 * A member that lost its disk asks what it may have promised, and says how much log it has by now.
 * Not in the paper: see `rejoin.ts`.
 */
export type Rejoin = OfKind<Message, 'rejoin'>;

/** The answer of another member, durable before it is sent. */
export type RejoinReply = OfKind<Message, 'rejoin-reply'>;
