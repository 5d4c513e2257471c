import {
  type Input,
  idle,
  type Machine,
  type Outgoing,
  type Output,
  type PrincipalId,
  type Shape,
  type Write,
} from '@quorumlab/core';
import { type Behaviour, isReplica, listening, type Power, rewrite, wrapped } from './behaviour.ts';
import { fingerprint } from './fingerprint.ts';
import { always, type Moment, place, type Trigger } from './trigger.ts';

/** To whom a behaviour applies. */
export type Whom = (to: PrincipalId) => boolean;

const moment = <S extends Shape>(
  power: Power<S>,
  input: Input<S>,
  message: S['Message'],
): Moment => ({
  now: input.now,
  random: power.random,
  ...place(power.protocol, message),
});

/**
 * Says one thing to some and a contradictory thing, just as well signed, to the others: every
 * message with a vow that goes to one of `others` is replaced by the protocol's `conflict`.
 */
export const equivocate =
  <S extends Shape>(
    others: Whom,
    when: Trigger = always,
    kinds?: readonly string[],
  ): Behaviour<S> =>
  (honest, power) => {
    const known = listening<S>();
    // One lie per message, the same for all who are lied to.
    const lies = new WeakMap<S['Message'], S['Message']>();
    const lie = (message: S['Message']): S['Message'] => {
      const told = lies.get(message);
      if (told !== undefined) return told;
      const other = power.protocol.conflict?.(message, 0, known.commands) ?? message;
      lies.set(message, other);
      return other;
    };
    const liar = rewrite(honest, power.members, (to, message, input) => {
      const spare = to === honest.self || !isReplica(to) || !others(to);
      if (spare || (kinds !== undefined && !kinds.includes(message.kind))) return [{ to, message }];
      if (!when(moment(power, input, message))) return [{ to, message }];
      const other = lie(message);
      if (other !== message) power.fire('equivocate');
      return [{ to, message: other }];
    });
    return wrapped(liar, (input) => {
      known.note(input.event);
      return liar.step(input);
    });
  };

/** Keeps quiet towards some: says nothing to them at all while `when` holds. */
export const silentTo =
  <S extends Shape>(whom: Whom, when: Trigger = always): Behaviour<S> =>
  (honest, power) =>
    rewrite(honest, power.members, (to, message, input) => {
      if (to === honest.self || !whom(to) || !when(moment(power, input, message)))
        return [{ to, message }];
      power.fire('silence');
      return [];
    });

/** Drops single messages when `when` says so, to anyone but itself. */
export const drop = <S extends Shape>(when: Trigger): Behaviour<S> => silentTo(() => true, when);

/** Most messages that a delaying or replaying traitor holds. */
const heldCap = 4096;

/** Holds messages to some back for `by` microseconds, then sends them. */
export const delay =
  <S extends Shape>(by: number, whom: Whom = () => true, when: Trigger = always): Behaviour<S> =>
  (honest, power) => {
    const timer = 'adversary/delay' as S['Timer'];
    let held: { readonly due: number; readonly outgoing: Outgoing<S> }[] = [];
    const slow = rewrite(honest, power.members, (to, message, input) => {
      if (to === honest.self || !whom(to) || held.length >= heldCap) return [{ to, message }];
      if (!when(moment(power, input, message))) return [{ to, message }];
      power.fire('delay');
      held.push({ due: input.now + by, outgoing: { to, message } });
      return [];
    });
    return wrapped(slow, (input) => {
      if (input.event.type === 'timeout' && input.event.timer === timer) {
        const due = held.filter((each) => each.due <= input.now).map((each) => each.outgoing);
        held = held.filter((each) => each.due > input.now);
        return { ...idle<S>(), sends: due, timers: alarm(input.now) };
      }
      const output = slow.step(input);
      return held.length === 0
        ? output
        : { ...output, timers: [...output.timers, ...alarm(input.now)] };
    });

    function alarm(now: number): Output<S>['timers'] {
      const next = held[0];
      return next ? [{ type: 'set', timer, after: Math.max(0, next.due - now) }] : [];
    }
  };

/** Now and then repeats, to a random member, something that it said before. */
export const replay =
  <S extends Shape>(when: Trigger): Behaviour<S> =>
  (honest, power) => {
    const said: S['Message'][] = [];
    return wrapped(honest, (input) => {
      const output = honest.step(input);
      for (const { message } of [...output.early, ...output.sends]) {
        said.push(message);
        if (said.length > heldCap) said.shift();
      }
      if (said.length === 0) return output;
      const message = said[power.random.below(said.length)] as S['Message'];
      if (!when(moment(power, input, message))) return output;
      const to = power.members[power.random.below(power.members.length)] as PrincipalId;
      power.fire('replay');
      return { ...output, sends: [...output.sends, { to, message }] };
    });
  };

/**
 * Crashes before some steps and comes back, with its disk or with an empty one. Who comes back
 * empty and had nothing to forget has not misbehaved.
 */
export const restarts =
  <S extends Shape>(disk: 'kept' | 'lost', when: Trigger): Behaviour<S> =>
  (honest, power) => {
    let machine = honest;
    const unplaced = { view: undefined, slot: undefined, random: power.random };
    const step = (input: Input<S>): Output<S> => {
      if (input.event.type === 'start' || !when({ now: input.now, ...unplaced }))
        return machine.step(input);
      const before = machine.snapshot().stable;
      machine = power.make(disk === 'kept' ? before : undefined);
      const { stable } = machine.snapshot();
      const isSame = fingerprint(stable) === fingerprint(before);
      if (disk === 'kept' || !isSame) power.fire('restart');
      const emptied = isSame ? [] : writesOf<S>(stable);
      const started = machine.step({ ...input, event: { type: 'start' } });
      const output = joined(started, machine.step(input));
      return { ...output, writes: [...emptied, ...output.writes] };
    };
    return {
      self: honest.self,
      step,
      snapshot: () => machine.snapshot(),
      restore: (snapshot) => machine.restore(snapshot),
      fork: () => machine.fork(),
      status: () => machine.status(),
    };
  };

/** What makes any disk hold `stable`, whose tables are empty, and nothing else. */
const writesOf = <S extends Shape>(stable: S['Stable']): Write<S>[] =>
  Object.entries(stable as object).map(([name, value]) => {
    const key = name as keyof S['Stable'];
    if (value instanceof Map) return { type: 'drop', table: key, rows: { from: 0 } };
    return { type: 'save', registers: { [key]: value } as Partial<S['Stable']> };
  });

/** Tells clients something else than what their requests gave: `lie` of each result. */
export const misreport =
  <S extends Shape>(lie: (result: Uint8Array) => Uint8Array): Behaviour<S> =>
  (honest, power) =>
    rewrite(honest, power.members, (to, message) => {
      if (isReplica(to) || !hasResults(message)) return [{ to, message }];
      power.fire('wrong reply');
      return [{ to, message: { ...message, results: message.results.map(lie) } }];
    });

/** Whether this is a reply to a client: every protocol's replies are the service's. */
const hasResults = <M extends { readonly kind: string }>(
  message: M,
): message is M & { readonly results: readonly Uint8Array[] } =>
  (message.kind === 'reply' || message.kind === 'query-reply') &&
  'results' in message &&
  Array.isArray(message.results);

/** A hasty machine does not make delays shorter than this, in microseconds: it must not spin. */
const shortest = 1000;

/**
 * In a hurry until it leads for the first time: divides its own delays by `factor`, so that it
 * campaigns before the others do. Each time-out that did not make it leader halves its hurry: who
 * campaigns more often than a round takes interrupts itself. Not a lie by itself; it puts a traitor
 * into the leader's seat.
 */
export const hasty =
  <S extends Shape>(factor: number): Behaviour<S> =>
  (honest) => {
    let arrived = false;
    let hurry = factor;
    const less = (delay: number): number =>
      Math.max(Math.min(delay, shortest), Math.floor(delay / hurry));
    return wrapped(honest, (input) => {
      const output = honest.step(input);
      arrived ||= honest.status().leader === honest.self;
      if (arrived || output.timers.length === 0) return output;
      const timers = output.timers.map((change): (typeof output.timers)[number] => {
        if (change.type === 'clear') return change;
        const { after } = change;
        const sooner =
          typeof after === 'number' ? less(after) : ([less(after[0]), less(after[1])] as const);
        return { ...change, after: sooner };
      });
      // What it has just set still comes soon: a campaign may take two time-outs.
      if (input.event.type === 'timeout') hurry = Math.max(1, hurry / 2);
      return { ...output, timers };
    });
  };

/** `behave` from the first step on after which this machine takes itself for the leader. */
export const onceLeading =
  <S extends Shape>(behave: Behaviour<S>): Behaviour<S> =>
  (honest, power) => {
    let plain: Output<S> | undefined;
    let turned = false;
    // The wrapped machine steps once; the bad one is shown the same output through a stand-in.
    const standIn = wrapped(honest, () => plain as Output<S>);
    const bad: Machine<S> = behave(standIn, power);
    return wrapped(honest, (input) => {
      plain = honest.step(input);
      turned ||= honest.status().leader === honest.self;
      return turned ? bad.step(input) : plain;
    });
  };

function joined<S extends Shape>(...outputs: readonly Output<S>[]): Output<S> {
  return {
    early: outputs.flatMap((o) => o.early),
    writes: outputs.flatMap((o) => o.writes),
    sends: outputs.flatMap((o) => o.sends),
    timers: outputs.flatMap((o) => o.timers),
    decisions: outputs.flatMap((o) => o.decisions),
    tentative: outputs.flatMap((o) => o.tentative),
    reads: outputs.flatMap((o) => o.reads),
    fetches: outputs.flatMap((o) => o.fetches),
    accusations: outputs.flatMap((o) => o.accusations),
    lines: outputs.flatMap((o) => o.lines),
    applied: outputs.flatMap((o) => o.applied),
    answers: outputs.flatMap((o) => o.answers),
  };
}
