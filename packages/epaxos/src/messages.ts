/**
 * The messages of EPaxos*, each declared once: its schema is its encoding and its limits, and its
 * type follows from it.
 */
import {
  type Ballot,
  boolean,
  bounded,
  digest,
  type Infer,
  integer,
  list,
  type MessageField,
  maxRequestBytes,
  message,
  messages,
  nullable,
  type OfKind,
  record,
  request,
  requestOverheadBytes,
  requestWeight,
  signed,
  type Tagged,
  word,
} from '@quorumlab/core';

/** Most commands in one instance. */
export const commandsLimit = 1024;
/** The least that one instance must be allowed to hold: any one request fits into it. */
export const leastBytesPerInstance: number = maxRequestBytes + requestOverheadBytes + 16;
/** Most instances in one set of dependencies. */
export const idsLimit: number = 2 ** 17;
/** Most runs that such a set is written in. */
const runsLimit: number = 2 ** 14;
/** Most instances that one message asks for, or names as obstacles of a recovery. */
export const namesLimit = 1024;

/** What the limits of the encodings follow from. */
export interface Sizes {
  /** What the commands of one instance, and of one message, take at most. */
  readonly maxBytesPerInstance: number;
}

const ballot = integer();
const instance = integer();
const checkpoints = integer();
const slot = integer();
const run = record({ from: instance, count: integer(idsLimit) });

/** A set of instances: runs of instances of one command leader each. */
export const runs = list(run, runsLimit);
/** The room that a set takes at most. */
const runsBytes = runsLimit * 10;

const phase = word('initial', 'pre-accepted', 'accepted', 'committed');

/** `of` with the room that a value and sets of dependencies need. */
const sized = <M extends Tagged>(of: MessageField<M>, maxBytes: number): MessageField<M> => ({
  ...of,
  maxBytes: 128 + maxBytes,
});

/** Where all replicas have executed the same: see `checkpoint.ts`. */
export const cut = record({
  // How many checkpoints were executed, this one included; 0: none.
  checkpoints,
  // The last of them.
  checkpoint: instance,
  // What was not executed by now, and is below it, never will be.
  below: instance,
  // Instances that were opened after it are not below it.
  base: instance,
  // What was executed, of all that is not below `below`.
  done: runs,
});

/** Every schema of a group. The order of `messages` is the tag on the wire. */
export function schemas({ maxBytesPerInstance }: Sizes) {
  const commands = bounded(list(signed(request), commandsLimit), maxBytesPerInstance);
  const value = record({ kind: word('no-op', 'commands', 'checkpoint'), commands });
  const row = record({
    // The ballot that was joined: nothing below it is accepted any more.
    ballot,
    // The ballot in which the value was last accepted (abal).
    accepted: ballot,
    phase,
    // How many checkpoints its command leader had executed when it opened the instance.
    checkpoints,
    isNoOp: boolean,
    dependencies: runs,
    // What the command leader proposed, as it was told or as it is being validated (initDep).
    initial: nullable(runs),
  });
  const room = maxBytesPerInstance + runsBytes;
  const proposal = { instance, checkpoints, value, dependencies: runs };
  // Told again in the answer, so that answers to an earlier loss are not taken for it.
  const attempt = integer();
  return {
    value,
    row,
    messages: messages(
      sized(message('pre-accept', proposal), room),
      sized(message('pre-accept-ok', { instance, dependencies: runs }), runsBytes),
      sized(message('accept', { ballot, ...proposal }), room),
      message('accept-ok', { ballot, instance }),
      sized(message('commit', { ballot, ...proposal }), room),
      // `checkpoints` is the sender's: who has dropped the instance knows what to say.
      message('recover', { ballot, instance, checkpoints }),
      sized(
        message('recover-ok', {
          ballot,
          instance,
          accepted: ballot,
          phase,
          checkpoints,
          value: nullable(value),
          dependencies: runs,
          initial: nullable(runs),
        }),
        room + runsBytes,
      ),
      sized(message('validate', { ballot, ...proposal }), room),
      message('validate-ok', {
        ballot,
        instance,
        obstacles: list(record({ instance, isCommitted: boolean }), namesLimit),
      }),
      message('waiting', { instance, count: integer(65_536) }),
      message('nack', { ballot, instance, joined: ballot }),
      sized(message('progress', { checkpoints, committed: runs }), runsBytes),
      message('ask', { checkpoints, instances: list(instance, namesLimit) }),
      message('snapshot-offer', { slot, checkpoints, digest }),
      message('recall', { attempt }),
      sized(message('recalled', { attempt, next: instance, checkpoints, open: runs }), runsBytes),
    ),
  };
}

/** The schemas of one group. */
export type Schemas = ReturnType<typeof schemas>;

/** Every message of this protocol. */
export type Message = Infer<Schemas['messages']>;

/** Names an instance: instance i is of the command leader i mod n. */
export type InstanceId = number;

/** What one instance is to hold: client commands in their order, a checkpoint, or nothing. */
export type Value = Infer<Schemas['value']>;

/** What a recovery commits where nothing may have been committed: nobody executes it. */
export const noOp: Value = Object.freeze({ kind: 'no-op', commands: Object.freeze([]) });

/** After it all replicas have executed the same: it interferes with everything. */
export const checkpoint: Value = Object.freeze({
  kind: 'checkpoint',
  commands: Object.freeze([]),
});

/** A set of instances, in one canonical form: see `dependencies.ts`. */
export type Runs = Infer<typeof runs>;

/** What a replica remembers of an instance beside its command. */
export type Row = Infer<Schemas['row']>;

/** What a replica that recovers an instance was told of it. */
export interface Told {
  readonly accepted: Ballot;
  readonly phase: Row['phase'];
  readonly checkpoints: number;
  readonly value: Value | null;
  readonly dependencies: Runs;
  readonly initial: Runs | null;
}

/** See {@link cut}. */
export type Cut = Infer<typeof cut>;

/** An upper bound of the encoded size of `value`. */
export const valueBytes = ({ commands }: Value): number =>
  commands.reduce((sum, each) => sum + requestWeight(each), 16);

/** Phase 1: the command leader proposes a command with the dependencies that it knows. */
export type PreAccept = OfKind<Message, 'pre-accept'>;

/** With the dependencies that the sender knows too. */
export type PreAcceptOk = OfKind<Message, 'pre-accept-ok'>;

/** Phase 2, of the slow path and of recoveries. */
export type Accept = OfKind<Message, 'accept'>;

/** The sender has accepted. */
export type AcceptOk = OfKind<Message, 'accept-ok'>;

/** The command and the dependencies of an instance, for good. */
export type Commit = OfKind<Message, 'commit'>;

/** Join `ballot` of an instance, and tell what you know of it. */
export type Recover = OfKind<Message, 'recover'>;

/** What the sender knew of the instance when it joined the ballot. */
export type RecoverOk = OfKind<Message, 'recover-ok'>;

/** Could the command have been committed with these dependencies on the fast path? */
export type Validate = OfKind<Message, 'validate'>;

/** By what the sender knows of these, perhaps not. */
export type ValidateOk = OfKind<Message, 'validate-ok'>;

/** The sender cannot tell before others are committed; `count` had pre-accepted it as it was. */
export type Waiting = OfKind<Message, 'waiting'>;

/** `ballot` is refused: the sender has joined a higher one. */
export type Nack = OfKind<Message, 'nack'>;

/** What the sender knows to be committed since its last checkpoint: so nobody falls behind. */
export type Progress = OfKind<Message, 'progress'>;

/** Tell me of these if they are committed. */
export type Ask = OfKind<Message, 'ask'>;

/** What was asked for is dropped; the sender's snapshot holds it. */
export type SnapshotOffer = OfKind<Message, 'snapshot-offer'>;

/** The sender has lost its disk. */
export type Recall = OfKind<Message, 'recall'>;

/** What a replica that lost its disk must see settled before it takes part again. */
export type Recalled = OfKind<Message, 'recalled'>;
