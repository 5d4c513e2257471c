/**
 * Attacks every check of a protocol: wherever an honest message reaches a replica, a copy of that
 * replica is first sent the same message spoilt in one place, and what came of it is written down.
 */
import {
  type Context,
  copy,
  type Input,
  type Machine,
  type Output,
  type Protocol,
  type Replica,
  replica,
  type Signed,
  type Snapshot,
} from '@quorumlab/core';
import type { LogShape } from '@quorumlab/log';
import { decisions } from '@quorumlab/sim';
import { digestOf } from '@quorumlab/wire';
import { alike } from './alike.ts';
import { type Spoilt, spoilings } from './spoil.ts';

type Message = Signed<LogShape['Message']>;
type State = Snapshot<LogShape>;

/** What one replica did about one message that nobody honest would have sent. */
export interface Reaction {
  /** The kind of message, where it was spoilt and how: `prepare view less`. */
  readonly attack: string;
  /**
   * What came of it, sorted: `stores log`, `keeps votes`, `says commit`, `decides`, `reads`,
   * `fetches`, `throws`. Nothing: it was refused.
   */
  readonly effects: readonly string[];
  readonly self: number;
  /** The state in which it was tried. */
  readonly before: Snapshot<LogShape>;
  /** What the honest message brings about there, in the same words. */
  readonly right: readonly string[];
  /** Whether all that came of it, but for the signatures kept, is what comes of the honest one. */
  isLikeHonest(): boolean;
  readonly honest: Message;
  readonly sent: Message;
}

/** Who is told of what. */
export interface Laboratory {
  /** Whether this message is attacked; every one unless told. */
  readonly attacks?: (message: Message) => boolean;
  /** Whether this is tried: see {@link Reaction.attack}. Everything is unless told. */
  readonly wants?: (attack: string) => boolean;
  /** Messages attacked per kind and situation: what the honest message brings about is one. */
  readonly perSituation: number;
  reacted(reaction: Reaction): void;
}

/**
 * `protocol`, whose replicas attack copies of themselves at every message, and otherwise behave as
 * they would.
 */
export function attacked(protocol: Protocol<LogShape>, laboratory: Laboratory): Protocol<LogShape> {
  const benches = new Map(protocol.members.map((self) => [self, benchOf(protocol, self)]));
  const attack = attackerOf(protocol, laboratory);
  const on = Object.fromEntries(
    protocol.messages.kinds.map(({ kind }) => [
      kind,
      (state: Replica<LogShape>, message: Message, ctx: Context<LogShape>): void => {
        const bench = benches.get(ctx.self);
        if (bench !== undefined) attack.meet(bench, state, message, ctx);
        (protocol.on as Record<string, Handler>)[kind]?.(state, message, ctx);
      },
    ]),
  );
  const { start } = protocol;
  return {
    ...protocol,
    on,
    start(state, ctx, beginning) {
      attack.forget(ctx.self);
      start?.(state, ctx, beginning);
    },
  };
}

type Handler = (state: Replica<LogShape>, message: Message, ctx: Context<LogShape>) => void;

/** A machine in which one step can be tried out. */
interface Bench {
  readonly self: number;
  stateOf(state: Replica<LogShape>): State;
  /** What `message` brings about in `before`; the steps of `earlier` go first. */
  tried(before: State, message: Message, time: Time, earlier?: Message): Tried;
  /** All that `message` brings about in `before`, to be compared. */
  outcome(before: State, message: Message, time: Time): object;
}

type Time = Pick<Input<LogShape>, 'now' | 'clock'>;

interface Tried {
  /** Nothing: it threw. */
  readonly output: Output<LogShape> | undefined;
  /** What is not as before, each with its verb. */
  readonly changes: readonly string[];
}

function benchOf(protocol: Protocol<LogShape>, self: number): Bench {
  let live: Replica<LogShape> | undefined;
  const machine: Machine<LogShape> = replica(
    shown(protocol, (state) => (live = state)),
    self,
    {
      digest: digestOf,
      lines: false,
    },
  );
  const stableKeys = new Set(Object.keys(protocol.stable()));
  const split = (state: Replica<LogShape>): State => {
    const stable: Record<string, unknown> = {};
    const volatile: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(state))
      (stableKeys.has(key) ? stable : volatile)[key] = value;
    return { stable, volatile };
  };
  /** The state that the machine is in, if it is known to be in one. */
  let held: State | undefined;
  const enter = (state: State): void => {
    if (held !== state) machine.restore(state);
    held = state;
  };
  return {
    self,
    stateOf: (state) => copy(split(state)),
    tried(before, message, time, earlier) {
      enter(before);
      const step = (each: Message) =>
        machine.step({ ...time, event: { type: 'message', message: each } });
      let from = before;
      if (earlier !== undefined) {
        step(earlier);
        from = machine.snapshot();
        held = from;
      }
      let output: Output<LogShape> | undefined;
      try {
        output = step(message);
      } catch {
        // Whoever throws has stopped: that is its effect.
      }
      const after = split(live as Replica<LogShape>);
      const changes = [
        ...changesIn('stores', from.stable, after.stable),
        ...changesIn('keeps', from.volatile, after.volatile),
      ];
      if (changes.length > 0 || output === undefined) held = undefined;
      return { output, changes };
    },
    outcome(before, message, time) {
      held = undefined;
      machine.restore(before);
      const output = machine.step({ ...time, event: { type: 'message', message } });
      return { output, state: machine.snapshot() };
    },
  };
}

/** `protocol`, of which `seen` is shown the live state at every message. */
function shown(
  protocol: Protocol<LogShape>,
  seen: (state: Replica<LogShape>) => void,
): Protocol<LogShape> {
  const on = Object.fromEntries(
    Object.keys(protocol.on).map((kind) => [
      kind,
      (state: Replica<LogShape>, message: Message, ctx: Context<LogShape>): void => {
        seen(state);
        (protocol.on as Record<string, Handler>)[kind]?.(state, message, ctx);
      },
    ]),
  );
  return { ...protocol, on };
}

/** What a step did, in words that can be compared: see {@link Reaction.effects}. */
function effectsOf({ output, changes }: Tried): readonly string[] {
  if (output === undefined) return ['throws'];
  const effects = new Set(changes);
  for (const { message } of output.early) effects.add(`says ${message.kind}`);
  for (const { message } of output.sends) effects.add(`says ${message.kind}`);
  if (output.decisions.length > 0) effects.add('decides');
  if (output.reads.length > 0) effects.add('reads');
  if (output.fetches.length > 0) effects.add('fetches');
  return [...effects].sort();
}

function changesIn(verb: string, before: object, after: object): readonly string[] {
  return differences(before, after).map((key) => `${verb} ${key}`);
}

const differences = (one: object, other: object): readonly string[] =>
  Object.entries(other)
    .filter(([key, value]) => !alike(value, one[key as keyof typeof one]))
    .map(([key]) => key);

/** One attacker, with what it has overheard. */
function attackerOf(protocol: Protocol<LogShape>, laboratory: Laboratory) {
  const random = decisions({ seed: 'attacked' });
  const { messages, members } = protocol;
  const n = members.length;
  const wants = laboratory.wants ?? (() => true);
  const reached = new Map<string, number>();
  const met = new Map<string, number>();
  const heard = new Map<string, Message[]>();

  /** Whole messages that were true once, or for somebody else. */
  function* replayed({ kind }: Message, self: number): Iterable<Spoilt> {
    for (const [key, list] of heard) {
      const [at, of] = key.split(' ');
      const message = list[random.below(list.length)];
      if (of === kind && message !== undefined)
        yield { path: '', how: at === `${self}` ? 'an earlier one' : 'to another', message };
    }
  }

  function overhear(message: Message, self: number): void {
    const key = `${self} ${message.kind}`;
    const list = heard.get(key) ?? [];
    heard.set(key, list);
    if (list.length < 64) list.push(message);
    else list[random.below(64)] = message;
  }

  function meet(
    bench: Bench,
    replicaState: Replica<LogShape>,
    honest: Message,
    { now, clock }: Context<LogShape>,
  ): void {
    const { self } = bench;
    const { kind } = honest;
    const time = { now, clock };
    if (laboratory.attacks?.(honest) === false) return overhear(honest, self);
    const count = (reached.get(kind) ?? 0) + 1;
    reached.set(kind, count);
    // What happens all the time brings nothing new.
    if (count > 150 && random.below(16) > 0) return overhear(honest, self);
    const state = bench.stateOf(replicaState);
    const right = effectsOf(bench.tried(state, honest, time));
    const situation = `${kind}: ${right.join()}`;
    const before = met.get(situation) ?? 0;
    met.set(situation, before + 1);
    if (before < laboratory.perSituation) {
      const tell = (what: string, tried: Tried, sent: Message): void =>
        laboratory.reacted({
          attack: `${kind} ${what}`,
          effects: effectsOf(tried),
          right,
          isLikeHonest: () =>
            alike(bench.outcome(state, honest, time), bench.outcome(state, sent, time), 'seals'),
          self,
          before: state,
          honest,
          sent,
        });
      for (const { path, how, message } of spoilings(honest, { n, messages, random })) {
        const sent = message as Message;
        const what = `${path} ${how}`;
        if (!wants(`${kind} ${what}`)) continue;
        tell(what, bench.tried(state, sent, time), sent);
        const second = members.find((each) => each !== self && each !== honest.from);
        if (protocol.f < 2 || path === 'from' || second === undefined) continue;
        const other = { ...sent, from: second };
        tell(`${what}, by two`, bench.tried(state, other, time, sent), other);
      }
      for (const { how, message } of replayed(honest, self)) {
        if (!wants(`${kind} ${how}`)) continue;
        const sent = message as Message;
        tell(how, bench.tried(state, sent, time), sent);
      }
      if (wants(`${kind} twice`)) tell('twice', bench.tried(state, honest, time, honest), honest);
    }
    overhear(honest, self);
  }

  return {
    meet,
    /** A replica that starts again has heard nothing: what came before may be new to it. */
    forget(self: number): void {
      for (const key of heard.keys()) if (key.startsWith(`${self} `)) heard.delete(key);
    },
  };
}
