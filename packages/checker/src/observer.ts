import type { Applied, Instant, PrincipalId, Request, Slot } from '@quorumlab/core';
import type { Violation } from './verdict.ts';

/** What a checker hears of a decision; commands are the clients' requests. */
export interface ObservedDecision {
  readonly slot: Slot;
  readonly commands: readonly Request[];
}

/**
 * Watches a run, simulated or real. Seats are the machines of a run by index (twins are two seats);
 * traitors' seats are never shown to it. `at` is true time in microseconds.
 */
export interface Observer {
  /** An honest client said this request for the first time. */
  asked?(at: Instant, request: Request): void;
  /** An honest client believes these results of its request. */
  answered?(
    at: Instant,
    client: PrincipalId,
    sequence: number,
    results: readonly Uint8Array[],
  ): void;
  /**
   * An honest client begins an operation, named by `id` among its own. Nothing of it has happened
   * before; it may never return.
   */
  invoked?(at: Instant, client: PrincipalId, id: number, operation: Uint8Array): void;
  /** The operation returned to its client. An error is no return: it may still take effect. */
  returned?(at: Instant, client: PrincipalId, id: number, result: Uint8Array): void;
  /** The operation was refused: its client believes that it had no effect and never will. */
  failed?(at: Instant, client: PrincipalId, id: number): void;
  /** An honest client believes that its request was refused, has not run and never will. */
  refused?(at: Instant, client: PrincipalId, sequence: number): void;
  /** Nobody waits for this request any longer: its client gave it up, or has stopped. */
  abandoned?(at: Instant, client: PrincipalId, sequence: number): void;
  /** A protocol decided a slot; again after a restart. */
  decided?(at: Instant, seat: number, decision: ObservedDecision): void;
  /** A state machine ran a request. */
  applied?(at: Instant, seat: number, applied: Applied): void;
  /** A seat's state was replaced by a snapshot up to and including `slot`. */
  installed?(at: Instant, seat: number, slot: Slot): void;
  /** A seat starts (again) with what its disk kept. */
  started?(at: Instant, seat: number): void;
  /** A seat stopped for good or for now. */
  stopped?(at: Instant, seat: number): void;
  /** From now on the network is whole and every seat that will ever run is running. */
  healed?(at: Instant): void;
  /** The run is over. */
  end?(at: Instant): void;
  /** The first thing that was wrong. */
  readonly violation: Violation | undefined;
}

/** The part of an observer that is called again and again. */
type Hook = Exclude<keyof Observer, 'violation'>;

/** One observer of many: the first violation of any of them counts. */
export function observers(...list: readonly Observer[]): Observer {
  // Who does not listen is not asked: this is the hot path of a simulation.
  const listening = (hook: Hook): readonly Observer[] =>
    list.filter((each) => each[hook] !== undefined);
  const deciding = listening('decided');
  const applying = listening('applied');
  const asking = listening('asked');
  const answering = listening('answered');
  const invoking = listening('invoked');
  const returning = listening('returned');
  return {
    asked(at, request) {
      for (const each of asking) each.asked?.(at, request);
    },
    answered(at, client, sequence, results) {
      for (const each of answering) each.answered?.(at, client, sequence, results);
    },
    invoked(at, client, id, operation) {
      for (const each of invoking) each.invoked?.(at, client, id, operation);
    },
    returned(at, client, id, result) {
      for (const each of returning) each.returned?.(at, client, id, result);
    },
    decided(at, seat, decision) {
      for (const each of deciding) each.decided?.(at, seat, decision);
    },
    applied(at, seat, applied) {
      for (const each of applying) each.applied?.(at, seat, applied);
    },
    failed: (at, client, id) => list.forEach((each) => void each.failed?.(at, client, id)),
    refused: (at, client, sequence) =>
      list.forEach((each) => void each.refused?.(at, client, sequence)),
    abandoned: (at, client, sequence) =>
      list.forEach((each) => void each.abandoned?.(at, client, sequence)),
    installed: (at, seat, slot) => list.forEach((each) => void each.installed?.(at, seat, slot)),
    started: (at, seat) => list.forEach((each) => void each.started?.(at, seat)),
    stopped: (at, seat) => list.forEach((each) => void each.stopped?.(at, seat)),
    healed: (at) => list.forEach((each) => void each.healed?.(at)),
    end: (at) => list.forEach((each) => void each.end?.(at)),
    get violation() {
      for (const each of list) if (each.violation !== undefined) return each.violation;
      return undefined;
    },
  };
}
