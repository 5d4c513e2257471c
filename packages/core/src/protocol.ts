/**
 * What a protocol is: a table of handlers over plain data. A handler reads a message, changes its
 * replica's state and tells the {@link Context} what should happen outside. Nothing happens
 * outside until the handler has returned: the context only writes down what was asked for.
 */
import type { Breach } from './breach.ts';
import type { ClientPolicy } from './client-policy.ts';
import type { MessagesField } from './message.ts';
import type { Roster } from './roster.ts';
import type { Digest, Field } from './schema.ts';
import type {
  Certificate,
  Delay,
  Instant,
  Interval,
  PrincipalId,
  ReplicaId,
  Signed,
  Slot,
  Tagged,
} from './vocabulary.ts';

/** The types one protocol is made of. Names follow Raft's Figure 2. */
export interface Shape {
  /** Survives a crash. Handlers see it read-only: `ctx.save` and `ctx.put` are the only pens. */
  readonly Stable: object;
  /** Forgotten in a crash, rebuilt by `volatile()`. Plain data: no classes, no functions. */
  readonly Volatile: object;
  /** Tagged union, one member per message of the paper. */
  readonly Message: Tagged;
  /** Names of timers, e.g. 'election' | `view-change/${number}`. */
  readonly Timer: string;
  /** What clients ask to have ordered. Opaque to every protocol except EPaxos' conflict test. */
  readonly Command: unknown;
  /** What all handlers look at and none changes: sizes, quorums, rules. */
  readonly Group?: unknown;
}

/**
 * Stable fields of type `ReadonlyMap<number, V>` are tables: written row by row (a log, votes by
 * slot).
 */
export type Tables<S extends Shape> = {
  [K in keyof S['Stable'] as S['Stable'][K] extends ReadonlyMap<number, unknown>
    ? K
    : never]: S['Stable'][K] extends ReadonlyMap<number, infer V> ? V : never;
};
/** All other stable fields are registers: overwritten whole. */
export type Registers<S extends Shape> = Omit<S['Stable'], keyof Tables<S>>;
/** What a handler sees of its own replica. */
export type Replica<S extends Shape> = Readonly<S['Stable']> & S['Volatile'];
/** The schema of each register and of each table's rows: what disks encode. */
export type StoredFields<S extends Shape> = {
  readonly [K in keyof S['Stable']]: S['Stable'][K] extends ReadonlyMap<number, infer V>
    ? Field<V>
    : Field<S['Stable'][K]>;
};

/** The handlers of a protocol, one per kind of message. */
export type Handlers<S extends Shape> = {
  readonly [K in S['Message']['kind']]: (
    replica: Replica<S>,
    message: Signed<Extract<S['Message'], { readonly kind: K }>>,
    ctx: Context<S>,
  ) => void;
};

/** What a guard may look at beside its replica and the message. */
export interface Asked {
  readonly self: ReplicaId;
  readonly now: Instant;
  /** As {@link Context.digest}. */
  digest<T extends object>(field: Field<T>, value: T): Digest;
}

/** See {@link Protocol.admits}. */
export type Guards<S extends Shape> = {
  readonly [K in S['Message']['kind']]?: (
    replica: Replica<S>,
    message: Signed<Extract<S['Message'], { readonly kind: K }>>,
    asked: Asked,
  ) => boolean;
};

/** See {@link Protocol.expects}. */
export type Expectations<S extends Shape> = {
  readonly [K in S['Message']['kind']]?: (
    replica: Replica<S>,
    from: PrincipalId,
    self: ReplicaId,
  ) => boolean;
};

/** One consensus protocol for one group, as data. */
export interface Protocol<S extends Shape> {
  /** Its name in the registry, on screen and in signatures: 'raft', 'pbft'. */
  readonly name: string;
  /** Part of what is signed; raised whenever the meaning of a message changes. */
  readonly version: number;
  /** The faults this protocol claims to survive. The harness tests claims and over-claims. */
  readonly claims: Claims;
  /** The group: 0 to n-1. */
  readonly members: readonly ReplicaId[];
  /** What handlers find in {@link Context.group}: there if the shape has a `Group`. */
  readonly group?: S['Group'];
  /** How many faulty members this configuration is to survive. */
  readonly f: number;
  /** What its clients have to know. */
  readonly client: ClientPolicy;
  /** Codec, limits, fuzz generator and documentation of its messages. */
  readonly messages: MessagesField<S['Message']>;
  /**
   * By kind of message, the option that its largest size follows from: whoever finds it larger than
   * its frames is told what to lower.
   */
  readonly limitedBy?: Readonly<Record<string, string>>;
  /** Codec of its stable state. */
  readonly stored: StoredFields<S>;

  /** State of a replica that has never run. */
  stable(): S['Stable'];
  /** State of a replica that has just (re)started with `stable` on its disk. */
  volatile(stable: Readonly<S['Stable']>, self: ReplicaId): S['Volatile'];

  /**
   * Arm first timers, re-send what a crash may have cut off. `incarnation` is that of the `start`
   * event, 0 in a first life: what is asked now must not take answers to an earlier life.
   */
  start?(replica: Replica<S>, ctx: Context<S>, incarnation: number): void;
  /**
   * Called in place of `start` on a replica that had a disk and lost it: what it promised and
   * accepted is forgotten by itself, but others count on it. It must save at once that it is
   * coming back, so that a second crash does not make it a replica that has never run. Absent:
   * coming back empty is a fault that the protocol claims to survive, and `start` will do.
   */
  rejoin?(replica: Replica<S>, ctx: Context<S>, incarnation: number): void;
  /** A client of this replica wants `command` in the log. Ignored by replicas that cannot help. */
  propose(replica: Replica<S>, command: S['Command'], ctx: Context<S>): void;
  /** A client of this replica wants to read. Answer with `ctx.allowRead`, now, later or never. */
  read?(replica: Replica<S>, id: number, ctx: Context<S>): void;
  /**
   * `upon receiving ⟨KIND, …⟩` — one handler per message kind; leaving one out does not compile.
   */
  readonly on: Handlers<S>;
  /**
   * Whether the handler of this kind could make anything of a message now. A host asks before it
   * checks signatures: so what nobody needs costs nothing but its reading. A guard repeats what its
   * handler looks at first, is quick and changes nothing. Absent: it could. What no member says is
   * refused without a guard.
   */
  readonly admits?: Guards<S>;
  /**
   * Whether any message of this kind of `from` could come to something now, whatever is in it. A
   * host asks before it reads one: so answers that nobody waits for, which may be megabytes, cost
   * nothing but their bytes. What is refused here is refused by {@link Protocol.admits} too.
   */
  readonly expects?: Expectations<S>;
  /**
   * Kinds of messages in which a replica passes on what clients ask. A host serves them as it
   * serves clients, after what members say for themselves.
   */
  readonly passesOn?: readonly S['Message']['kind'][];
  /** As {@link Protocol.admits}, for `propose`: whether there is room for the command. */
  wants?(replica: Replica<S>, command: S['Command']): boolean;
  /**
   * What follows from what a handler has learned, whichever handler that was: it runs after every
   * handler, in the same step. So handlers record, and what can be said, decided or given up is
   * decided in one place. It must be quick where nothing was learned.
   */
  settle?(replica: Replica<S>, ctx: Context<S>): void;
  /** `upon timeout`. */
  timeout?(replica: Replica<S>, timer: S['Timer'], ctx: Context<S>): void;

  /** How many slots its log has; absent: it has no end. What finds no slot is refused. */
  readonly length?: number;
  /** Slots between two snapshots of the application; 0 or absent: none are taken. */
  readonly snapshotEvery?: number;
  /**
   * How many of the newest snapshots must outlast a crash, so that the one which others may be told
   * to fetch is among them; 1 unless told. More where a snapshot is offered to others only after a
   * quorum has it: later ones may have been taken by then.
   */
  readonly snapshotsKept?: number;
  /**
   * The application's state up to and including `slot` becomes durable with this step, and in it
   * the last {@link Configured.state} up to `slot`, unless the group was never changed.
   */
  snapshotTaken?(
    replica: Replica<S>,
    slot: Slot,
    digest: Digest,
    ctx: Context<S>,
    configuration?: Uint8Array,
  ): void;
  /** The application's state was replaced by what `ctx.fetchSnapshot` had asked for. */
  snapshotInstalled?(
    replica: Replica<S>,
    slot: Slot,
    digest: Digest,
    ctx: Context<S>,
    configuration?: Uint8Array,
  ): void;

  /** What the replica believes of its group. For clients and dashboards, never for correctness. */
  status(replica: Replica<S>): Status;
  /**
   * Who is in the group by what this replica goes by, for hosts: they dial, admit and drop peers by
   * it. The same object as long as nothing changes. Absent: who is in the group never changes.
   */
  roster?(replica: Replica<S>): Roster;
  /** What tells reigns apart, where one liar could use it up. Absent: no single member can. */
  readonly counter?: Counter<S>;
  /** What its paper calls {@link Status.term}, for people: 'term' unless told. */
  readonly termWord?: 'term' | 'view' | 'ballot' | 'height' | 'epoch';
  /** Signed parts inside a message. The host checks them all before a handler sees the message. */
  evidence?(message: S['Message']): Iterable<Evidence<S>>;
  /**
   * What signing `message` binds its signer to: about X, only ever Y. E.g. `prepare/${view}/${seq}`
   * → digest, `vote/${term}` → candidate, `entry/${term}/${index}` → command. Two messages of one
   * signer with the same X and different Ys are proof of equivocation that a stranger can check:
   * keyrings refuse to sign the second, observers report it, and `conflict` has to produce it.
   */
  vows?(message: S['Message']): Iterable<readonly [about: string, what: string]>;
  /** The number that its signer's trusted counter gives to `message`; nothing: it needs none. */
  numbered?(message: S['Message']): number | undefined;
  /** Rules that two statements of one member can break without breaking a vow. */
  readonly breaches?: readonly Breach<S['Message']>[];
  /** Digests that {@link Protocol.breaches} may ask about, with the encodings that they are of. */
  contents?(message: S['Message']): Iterable<readonly [Digest, Uint8Array]>;
  /**
   * Why more liars than `f` may fork this group and not be convicted, in words; absent: their
   * signatures always show it, to whoever has kept them.
   */
  readonly hides?: string;
  /**
   * Why nobody can show to a stranger what its replicas have said, in words; absent: their
   * signatures show it. Replicas of such a protocol quote clients alone, so hosts need not sign
   * what they say: the channel proves to its receiver who speaks.
   */
  readonly deniable?: string;
  /**
   * The same message with at least one vow broken: what an equivocator sends. `known` are commands
   * that clients really asked for; a liar who uses one of them breaks agreement and not validity.
   */
  conflict?(message: S['Message'], fork: number, known: readonly S['Command'][]): S['Message'];
  /** Must hold on every replica after every step. Returns what is wrong, or nothing. */
  invariant?(replica: Replica<S>): string | undefined;
}

/**
 * A term, view or ballot that members take over from each other. It ends at 2^48, so
 * one message that speaks of the end would end the group: the kernel keeps such a message from all
 * handlers, and says so in {@link Status.trouble} (see `leap.ts`).
 */
export interface Counter<S extends Shape> {
  /** Its name in the paper. */
  readonly name: string;
  /** The highest that a message would have its receiver take over; 0: none. */
  said(message: S['Message']): number;
  /** The highest that this replica knows. */
  known(replica: Replica<S>): number;
}

/** A signed statement inside a message: of this protocol, or a client's request. */
export type Evidence<S extends Shape> =
  | Signed<S['Message']>
  | Certificate<S['Message']>
  | Signed<Tagged>;

/** What a protocol promises, as data. */
export interface Claims {
  readonly faults: 'crash' | 'byzantine';
  /** Replicas needed to survive `f` faults: 2f+1 or 3f+1. */
  replicas(f: number): number;
  /**
   * 'total': same order everywhere. 'conflicts': only commands that interfere
   * ({@link Context.interferes}) are ordered alike, and slots are each replica's own numbers
   * (EPaxos). Such a protocol decides a slot without commands where all replicas have run the same
   * commands, under the same number; only there snapshots are taken, whatever `snapshotEvery` says.
   * What its decision has as {@link Configured.state} is part of the snapshot.
   */
  readonly order: 'total' | 'conflicts';
}

/** What the commands about the group itself that a slot holds came to: `Request.configuration`. */
export interface Configured {
  /** The group's configuration after the slot, as its protocol encodes it: part of snapshots. */
  readonly state: Uint8Array;
  /** Why nothing was changed, for whoever asked; absent: it was. */
  readonly refusal?: string;
}

/** See {@link Protocol.status}. */
export interface Status {
  /** Whom this replica takes for the leader or primary. */
  readonly leader?: ReplicaId;
  /** Its term, view, ballot or epoch. */
  readonly term: number;
  /** Its role in the protocol's own word: 'follower', 'candidate', 'primary', … */
  readonly role: string;
  /** What is wrong with the group and does not mend itself, and what to do; absent: nothing. */
  readonly trouble?: string;
}

/**
 * A handler's only way to the outside. It records; it does not do. All of one step is one
 * transaction: the host makes every `save`/`put`/`drop` of the step durable, and only then sends,
 * arms timers and delivers decisions. So code that changes its mind and then speaks is correct
 * as written, in the order the paper writes it.
 */
export interface Context<S extends Shape, Line extends string = string> {
  readonly self: ReplicaId;
  /** {@link Protocol.group}, the same in every step. */
  readonly group: S['Group'];
  /** The clock was read once, before the handler ran: two looks in one step agree. */
  readonly now: Instant;
  readonly clock: Interval;

  /** Assigns stable registers, in the replica and on disk. */
  save(registers: Partial<Registers<S>>): void;
  /** Sets row `index` of a stable table. */
  put<K extends keyof Tables<S>>(table: K, index: number, row: Tables<S>[K]): void;
  /** Deletes rows: `{ from }` cuts a log's tail, `{ below }` compacts its head. */
  drop<K extends keyof Tables<S>>(table: K, rows: Rows): void;

  /** To one principal; to itself too, and then it arrives after this step is durable. */
  send(to: PrincipalId, message: S['Message']): void;
  /** To every member, itself included, as the papers count it. */
  broadcast(message: S['Message']): void;
  /**
   * Like `send`, but allowed to overtake this step's disk write. Correct only where the message
   * promises nothing the write must back, e.g. a Raft leader's AppendEntries (Ongaro's thesis,
   * 10.2.1). Say why at the call.
   */
  sendEarly(to: PrincipalId, message: S['Message']): void;

  /** Setting a timer that is set replaces it; a replaced or cleared timer never fires. */
  setTimer(timer: S['Timer'], after: Delay): void;
  clearTimer(timer: S['Timer']): void;

  /**
   * Slot `slot` is decided; no commands means a no-op. Say it once per slot and start of the
   * replica; the host delivers slots in order. `configured` where commands are about the group.
   */
  decide(
    slot: Slot,
    commands: readonly S['Command'][],
    proof?: Certificate<S['Message']>,
    configured?: Configured,
  ): void;
  /**
   * Whose votes, counted here, make the decisions that follow in this step. For people only: absent
   * where a replica takes another's word, e.g. a follower that of its leader.
   */
  voters(members: readonly ReplicaId[]): void;
  /**
   * Slot `slot` is likely to be decided like this, in term `term`, and no slot below it is open.
   * The host runs the commands on the state behind the slot before, tells those who asked what
   * they give, and takes it all back: what counts is the decision. Ignored where
   * {@link ClientPolicy.tentative} is absent, and where the application can take nothing back.
   */
  executeTentatively(slot: Slot, commands: readonly S['Command'][], term: number): void;
  /** Read `id` is linearizable once everything up to and including `upTo` has been applied. */
  allowRead(id: number, upTo: Slot): void;
  /**
   * Get the application's state at `slot` from one of `holders`, check it against `digest`, install
   * it.
   */
  fetchSnapshot(slot: Slot, digest: Digest, holders: readonly ReplicaId[]): void;

  /**
   * Two messages one signer should never both have signed, by {@link Protocol.vows}; else none.
   */
  accuse(first: Signed<S['Message']>, second: Signed<S['Message']>): void;
  /** Which line of the paper this is: shown by the visualiser, counted by the tests. */
  line(id: Line): void;
  /** The collision-resistant digest of `value` in its canonical encoding (the paper's D(m)). */
  digest<T extends object>(field: Field<T>, value: T): Digest;
  /**
   * Whether the order of these two commands can be told by anybody: in one of the two orders a
   * result, or the state, is another. Symmetric. The host asks the application; where it cannot
   * tell, any two interfere.
   */
  interferes(one: S['Command'], other: S['Command']): boolean;
}

/** Which rows to delete: from an index up, or below an index. */
export type Rows = { readonly from: number } | { readonly below: number };
