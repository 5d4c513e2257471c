/**
 * A schedule: one exact order of events among the members of a group. It ships beside the wrong
 * variant that it exposes, as what is played on a {@link Stage}; whoever has a stage can play it
 * with the right protocol and with the wrong one, and judge both.
 */
import type { Protocol, Replica, Shape } from './protocol.ts';
import type { Digest, Field } from './schema.ts';
import type { PrincipalId, ReplicaId, Signed } from './vocabulary.ts';

/** A message on its way. */
export interface Flight<S extends Shape> {
  /** When it was sent. */
  readonly at: number;
  readonly from: PrincipalId;
  readonly to: ReplicaId;
  readonly message: Signed<S['Message']>;
}

/** Which messages. */
export type Which<S extends Shape> = (flight: Flight<S>) => boolean;

/** What may set a request of a schedule apart from all others. */
export interface RequestParts {
  /** The number of the client, from 0; each text has one of its own unless told. */
  readonly client?: number;
  /** Changes the group instead of the application. */
  readonly configuration?: Uint8Array;
}

/**
 * A group in which the schedule decides everything: what is delivered, in which order, when timers
 * fire, who crashes, who lies. What a member writes is durable before what it says is under way.
 * Nothing arrives and no timer fires by itself.
 */
export interface Stage<S extends Shape> {
  readonly protocol: Protocol<S>;
  /** Virtual time, in microseconds; it goes on only where a method says so. */
  readonly now: number;
  /** What is under way, the oldest first. */
  readonly flights: readonly Flight<S>[];

  /** Delivers what is under way now and fits; what that causes stays under way. */
  pass(which?: Which<S>): void;
  /** Delivers what fits, also what that causes, until nothing that fits is under way. */
  deliver(which?: Which<S>): void;
  /** {@link deliver}, and then everything else is lost. */
  settle(which?: Which<S>): void;
  lose(which?: Which<S>): void;
  /** Takes what fits off its way, for {@link release}. */
  hold(which?: Which<S>): readonly Flight<S>[];
  /** Puts messages on their way (again); repeated ones are the network's doing. */
  release(flights: readonly Flight<S>[]): void;

  /** A client's request that reads as `text` does; the same one for the same text and parts. */
  request(text: string, parts?: RequestParts): S['Command'];
  /** A client asks these members for what `text` stands for. */
  propose(members: readonly ReplicaId[], text: string, parts?: RequestParts): void;
  /**
   * A client asks `member` for a read that misses nothing of what was decided before; or several,
   * where it takes equal answers of `ClientPolicy.reads` of them. Liars among these say the worst.
   */
  read(member: ReplicaId | readonly ReplicaId[]): void;

  /** Fires the timer; time goes on until it is due, if it is set. */
  timeout(member: ReplicaId, timer: S['Timer']): void;
  /** Fires the timer now, as if it had been set long ago. */
  fire(member: ReplicaId, timer: S['Timer']): void;
  /** When the timer is due: at the earliest and at the latest. Nothing if it is not set. */
  due(
    member: ReplicaId,
    timer: S['Timer'],
  ): readonly [earliest: number, latest: number] | undefined;
  /** Nothing happens for so many microseconds. */
  wait(microseconds: number): void;
  /**
   * Everything arrives and timers fire when they are due, for at most so many microseconds or until
   * `done`; each message takes `delay` microseconds, none unless told.
   */
  run(microseconds: number, done?: () => boolean, delay?: number): void;

  crash(member: ReplicaId): void;
  /** Starts it with what was on its disk, or without; then it is told that it has lost it. */
  restart(member: ReplicaId, disk?: 'kept' | 'lost'): void;
  /** Gives `member` the snapshot that it asked for. */
  install(member: ReplicaId): void;

  /** From now on `member` lies: its own machine stands still, and the schedule speaks for it. */
  betray(member: ReplicaId): void;
  /** What a liar says, under its own key. */
  say(liar: ReplicaId, to: readonly ReplicaId[], message: S['Message']): void;
  /** Signs with a liar's key, for what goes into other messages. */
  sign<M extends S['Message']>(message: M, liar: ReplicaId): Signed<M>;
  /** Gives `member` a message past the wire, which may have no room for it. */
  hand(member: ReplicaId, message: Signed<S['Message']>): void;
  digest<T extends object>(field: Field<T>, value: T): Digest;

  /** What a member holds. */
  view(member: ReplicaId): Replica<S>;
  leads(member: ReplicaId): boolean;
  /** Slots that the member has decided, since it started or before its snapshot. */
  decided(member: ReplicaId): number;
  /** How many of the requests that clients asked for an honest member has decided. */
  readonly answered: number;

  /**
   * The network has been kind for long enough: whoever was asked to by a client must have decided.
   * What is still open is a stall; `why` says after what, e.g. "after 20 rounds".
   */
  expectAnswers(why: string): void;
  /**
   * Must hold; `sentence` says what it means that it does not. What breaks the rule 'liveness' is a
   * stall, all else makes the run invalid.
   */
  expect(holds: boolean, rule: string, sentence: string): void;
}

/** How large the group of a schedule is. */
export interface GroupSize {
  readonly n: number;
  readonly f?: number;
}

/** A schedule and the group that it is made for. */
export interface Exhibit<S extends Shape, O extends GroupSize = GroupSize> {
  /** What the makers of both variants are told: n, f, and options of the protocol's own. */
  readonly options: O;
  /** What the wrong variant does under it; the right one does nothing wrong. */
  readonly shows: 'forked' | 'invalid' | 'stale-read' | 'stalled';
  /** How it goes, in one sentence. */
  readonly story: string;
  /**
   * Whether what a member sends to itself arrives at once, as on hosts; if not, the schedule
   * delivers it like all else.
   */
  readonly selfAtOnce?: boolean;
  play(stage: Stage<S>): void;
}
