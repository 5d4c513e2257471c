/**
 * A tiny world for the tests of this package: machines, a network that loses, repeats and reorders
 * from a seed, disks that keep what was written, crashes. The simulator is a floor above.
 */
import {
  type Applied,
  type DigestOf,
  type Event,
  encode,
  type Field,
  type Machine,
  mix,
  type Output,
  type PrincipalId,
  type Random,
  type Shape,
  type Signature,
} from '@quorumlab/core';
import { ScriptedHost } from '@quorumlab/protocol-testing';

/** Tells any two values of a test apart; no defence against anybody who tries. */
export const digestOf: DigestOf = <T extends object>(field: Field<T>, value: T) => {
  const bytes = encode(field, value);
  const words = Array.from({ length: 8 }, (_, seed) => mix(seed, bytes.length) >>> 0);
  for (let i = 0; i < bytes.length; i++)
    words[i % 8] = mix(words[i % 8] as number, ((bytes[i] as number) << 8) | (i & 255)) >>> 0;
  let sum = 0;
  for (let round = 0; round < 16; round++)
    sum = words[round % 8] = mix(sum, words[round % 8] as number) >>> 0;
  return words.map((each) => each.toString(16).padStart(8, '0')).join('');
};

/** Mulberry32: one number in, the same sequence out. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return {
    below(limit) {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) % limit;
    },
  };
}

interface Happening {
  readonly at: number;
  readonly order: number;
  readonly to: PrincipalId;
  readonly event: Event<Shape>;
  readonly timer?: number;
}

export interface Weather {
  /** Per mille. */
  readonly loss?: number;
  readonly repeat?: number;
  readonly delay?: readonly [min: number, max: number];
}

/** Changes what a replica says: a liar. */
export type Liar = (output: Output<Shape>) => Output<Shape>;

export interface World {
  readonly applied: Map<PrincipalId, Applied[]>;
  readonly outputs: Map<PrincipalId, Output<Shape>[]>;
  readonly answers: Map<PrincipalId, Map<number, Uint8Array | string>>;
  now(): number;
  add(id: PrincipalId, make: (stable?: object) => unknown): void;
  tell(id: PrincipalId, event: object): void;
  crash(id: PrincipalId): void;
  restart(id: PrincipalId): void;
  lie(id: PrincipalId, liar: Liar): void;
  machine(id: PrincipalId): Machine<Shape>;
  /** What is on the disk of `id`. */
  stable(id: PrincipalId): Record<string, unknown>;
  /** Lets time pass until `until` holds or `limit` microseconds are over. Returns if it held. */
  run(limit: number, until?: () => boolean): boolean;
}

const noSignature = new Uint8Array() as Signature;

export function world(
  members: readonly PrincipalId[],
  random: Random,
  weather: Weather = {},
): World {
  const { loss = 0, repeat = 0, delay = [200, 2000] } = weather;
  const hosts = new Map<PrincipalId, ScriptedHost<Shape>>();
  const liars = new Map<PrincipalId, Liar>();
  const timers = new Map<string, number>();
  const lives = new Map<PrincipalId, number>();
  let queue: Happening[] = [];
  const clock = { now: 0 };
  let order = 0;
  const result: World = {
    applied: new Map(),
    outputs: new Map(),
    answers: new Map(),
    now: () => clock.now,
    add(id, make) {
      // The tests' machines have many shapes; the world treats them all alike.
      const machine = (stable?: object) => make(stable) as Machine<Shape>;
      const recipe = { make: machine, blank: () => machine().snapshot().stable };
      hosts.set(id, new ScriptedHost<Shape>(id, recipe, clock));
      result.applied.set(id, []);
      result.outputs.set(id, []);
      result.answers.set(id, new Map());
      result.restart(id);
    },
    tell: (id, event) => step(id, event as Event<Shape>),
    crash(id) {
      hosts.get(id)?.crash();
      for (const key of timers.keys()) if (key.startsWith(`${id} `)) timers.delete(key);
    },
    restart(id) {
      hosts.get(id)?.boot();
      const incarnation = lives.get(id) ?? 0;
      lives.set(id, incarnation + 1);
      step(id, { type: 'start', ...(incarnation === 0 ? {} : { incarnation }) });
    },
    lie: (id, liar) => void liars.set(id, liar),
    machine: (id) => hosts.get(id)?.machine as Machine<Shape>,
    stable: (id) => hosts.get(id)?.disk as Record<string, unknown>,
    run(limit, until = () => false) {
      const end = clock.now + limit;
      while (!until()) {
        queue.sort((a, b) => a.at - b.at || a.order - b.order);
        const next = queue[0];
        if (next === undefined || next.at > end) {
          clock.now = end;
          return until();
        }
        queue = queue.slice(1);
        clock.now = next.at;
        if (next.timer !== undefined && next.event.type === 'timeout') {
          const key = `${next.to} ${next.event.timer}`;
          if (timers.get(key) !== next.timer) continue;
          timers.delete(key);
        }
        step(next.to, next.event);
      }
      return true;
    },
  };

  function step(id: PrincipalId, event: Event<Shape>): void {
    const host = hosts.get(id);
    if (!host?.up) return;
    const honest = host.step(event);
    const output = liars.get(id)?.(honest) ?? honest;
    host.write(output.writes);
    result.outputs.get(id)?.push(output);
    result.applied.get(id)?.push(...output.applied);
    for (const answer of output.answers)
      result.answers.get(id)?.set(answer.id, answer.result ?? answer.error ?? '');
    for (const { to, message } of [...output.early, ...output.sends])
      for (const each of to === 'all' ? members : [to])
        send(each, each === id, {
          type: 'message',
          message: { ...message, from: id, signature: noSignature },
        });
    for (const change of output.timers) {
      const key = `${id} ${change.timer}`;
      if (change.type === 'clear') {
        timers.delete(key);
        continue;
      }
      const [least, most] =
        typeof change.after === 'number' ? [change.after, change.after] : change.after;
      const timer = order++;
      timers.set(key, timer);
      const at = clock.now + least + random.below(most - least + 1);
      queue.push({
        at,
        order: timer,
        to: id,
        event: { type: 'timeout', timer: change.timer },
        timer,
      });
    }
  }

  function send(to: PrincipalId, home: boolean, event: Event<Shape>): void {
    // What a machine says to itself never leaves it.
    if (!home && random.below(1000) < loss) return;
    const copies = random.below(1000) < repeat ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const at = clock.now + delay[0] + random.below(delay[1] - delay[0] + 1);
      queue.push({ at, order: order++, to, event });
    }
  }
  return result;
}
