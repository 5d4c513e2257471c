/** Agreement where only commands that interfere are ordered alike. */
import { type Instant, mix, type Request, type Slot, toUtf8 } from '@quorumlab/core';
import type { ObservedDecision, Observer } from './observer.ts';
import { type Describe, memory, plain } from './safety.ts';

/** Whether it matters which of two requests runs first: see `Context.interferes` of core. */
export type Interferes = (one: Request, other: Request) => boolean;

/**
 * What always interferes: requests of one client. For those who see only digests of what clients
 * asked for, and cannot ask the application.
 */
export const ofOneClient: Interferes = (one, other) => one.client === other.client;

/** A request at its place in the order of one seat. */
interface Placed {
  readonly request: Request;
  /** Tells it from all others, and from itself where it was decided before. */
  readonly name: string;
}

/** The order of one seat: what it has decided since the last slot where all have the same. */
interface Course {
  /** The slot that it decides next. */
  next: Slot;
  /** The slot before it, where all have the same. */
  since: Slot;
  placed: Placed[];
}

/** What the first seat that decided a request had decided before it. */
interface First {
  readonly seat: number;
  /** The names of all earlier requests that interfere with it, ascending. */
  readonly after: readonly string[];
  readonly request: Request;
  readonly name: string;
}

/** A slot where all have the same. */
interface Cut {
  readonly seat: number;
  readonly sum: number;
}

/**
 * Agreement where slots are each replica's own numbers: any two requests that interfere are decided
 * in one order by all honest replicas, before and after a restart. `interferes` must be symmetric.
 * At a slot without commands all have decided the same requests, under the same number of slots.
 */
export function relativeOrder(interferes: Interferes, describe: Describe = plain): Observer {
  const courses = new Map<number, Course>();
  /** By the slot where all had the same before them, and by name. */
  const firsts = new Map<Slot, Map<string, First>>();
  const cuts = new Map<Slot, Cut>();
  const found = memory();

  function differ(at: Instant, slot: Slot, seats: readonly number[], sentence: string): void {
    const who = [...new Set(seats)];
    found.note({ word: 'forked', rule: 'agreement', sentence, at, slot, seats: who });
  }

  function place(at: Instant, seat: number, slot: Slot, course: Course, request: Request): void {
    const plainName = nameOf(request);
    const times = course.placed.filter(({ name }) => name.startsWith(plainName)).length;
    const name = `${plainName}${times}`;
    const before = course.placed.filter((each) => interferes(each.request, request));
    const after = before.map((each) => each.name).sort();
    course.placed.push({ request, name });
    const known = firsts.get(course.since) ?? new Map<string, First>();
    firsts.set(course.since, known);
    const first = known.get(name);
    if (first === undefined) {
      known.set(name, { seat, after, request, name });
      return apart(at, seat, slot, course, { request, name });
    }
    const other =
      after.find((each) => !first.after.includes(each)) ??
      first.after.find((each) => !after.includes(each));
    if (other === undefined) return;
    const hasIt = after.includes(other);
    const what = known.get(other)?.request ?? request;
    const [early, late] = hasIt ? [seat, first.seat] : [first.seat, seat];
    const one = describe(what);
    const two = describe(request);
    const again = early === late ? ' after a restart' : '';
    const sentence = `n${early} committed ${one} before ${two}, n${late}${again} did not`;
    differ(at, slot, [first.seat, seat], sentence);
  }

  /**
   * Whoever has committed one of two that interfere without the other must come to the other later,
   * so no two seats may have one of them each.
   */
  function apart(
    at: Instant,
    seat: number,
    slot: Slot,
    course: Course,
    { request, name }: Placed,
  ): void {
    const own = new Set(course.placed.map((each) => each.name));
    for (const other of firsts.get(course.since)?.values() ?? []) {
      if (own.has(other.name) || !interferes(other.request, request)) continue;
      for (const [rival, theirs] of courses) {
        if (rival === seat || theirs.since !== course.since) continue;
        const names = theirs.placed.map((each) => each.name);
        if (!names.includes(other.name) || names.includes(name)) continue;
        const what = `n${rival} committed ${describe(other.request)} without ${describe(request)}`;
        differ(at, slot, [rival, seat], `${what}, n${seat} the other way round`);
      }
    }
  }

  function cutAt(at: Instant, seat: number, slot: Slot, course: Course): void {
    const sum = course.placed.reduce((all, { name }) => (all + hashOf(name)) >>> 0, 0);
    const cut = cuts.get(slot);
    if (cut === undefined) cuts.set(slot, { seat, sum });
    else if (cut.sum !== sum) {
      const sentence = `n${cut.seat} and n${seat} committed other requests before position ${slot}`;
      differ(at, slot, [cut.seat, seat], sentence);
    }
    course.since = slot;
    course.placed = [];
  }

  return {
    decided(at: Instant, seat: number, { slot, commands }: ObservedDecision) {
      const course = courses.get(seat) ?? { next: slot, since: slot - 1, placed: [] };
      courses.set(seat, course);
      // After a restart or a snapshot it goes on after a slot where all have the same.
      if (slot !== course.next) Object.assign(course, { next: slot, since: slot - 1, placed: [] });
      course.next = slot + 1;
      if (commands.length === 0) return cutAt(at, seat, slot, course);
      for (const request of commands) place(at, seat, slot, course, request);
    },
    started(_at, seat) {
      courses.delete(seat);
    },
    get violation() {
      return found.first;
    },
  };
}

/** What a request asks for, and whose it is. */
function nameOf({ client, sequence, operations, configuration }: Request): string {
  let hash = mix(0, operations.length);
  for (const each of [...operations, ...(configuration ? [configuration] : [])])
    for (const byte of each) hash = mix(hash, byte);
  return `${client}/${sequence}/${hash >>> 0}#`;
}

function hashOf(name: string): number {
  let hash = 0;
  for (const byte of toUtf8(name)) hash = mix(hash, byte);
  return hash >>> 0;
}
