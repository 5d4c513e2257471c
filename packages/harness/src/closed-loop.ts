/** Clients that ask for the next operation once they have the answer to the one before. */
import type { Observer } from '@quorumlab/checker';
import { ms } from '@quorumlab/core';
import { decisions, type InputSource, type ScheduledInput } from '@quorumlab/sim';
import type { AnyShape, Prepared } from './prepare.ts';
import type { Reaching } from './reached.ts';
import { isWeak } from './read-words.ts';
import { readsIn } from './reads.ts';
import { workloadOf } from './workload.ts';

/** Clients that ask for the next thing as soon as they have the answer to one before. */
export interface ClosedLoop {
  readonly source: InputSource<AnyShape>;
  finished(): boolean;
  answered(): number;
}

/** The clients of a scenario: as many operations under way as it says, never more. */
export function closedLoop(prepared: Prepared, check: Observer, counting?: Reaching): ClosedLoop {
  const { scenario, firstClientSeat, healedAt, changes } = prepared;
  const { clients, outstanding } = scenario;
  const weak = isWeak(readsIn(scenario));
  // There must be load while things go wrong: the last operation is asked for when all is healed.
  const lasts = healedAt < scenario.until ? healedAt : 0;
  // All clients ask at the same moments, so that they contend.
  const together = clients * outstanding;
  const pace = Math.floor((lasts * together) / Math.max(1, scenario.count));
  let asked: { at: number; seat: number; id: number; operation: Uint8Array }[] = [];
  /** Checkers hear of an operation when its time has come, and before anything that follows. */
  const tell = (now: number): void => {
    for (const { at, seat, id, operation } of asked)
      if (at <= now) check.invoked?.(at, seat, id, operation);
    asked = asked.filter(({ at }) => at > now);
  };
  // A stream of its own: what clients ask for must not depend on how the network delays it.
  const workload = workloadOf(scenario, decisions({ seed: `workload ${scenario.seed}` }));
  const reads = new Map<number, number>();
  let nextId = 0;
  let open = changes.length;
  let done = 0;
  let started = 0;
  let dry = false;
  const ask = (at: number, seat: number): ScheduledInput<AnyShape> | undefined => {
    const operation = workload.next(seat - firstClientSeat);
    if (operation === undefined) {
      dry = true;
      return undefined;
    }
    open++;
    const { bytes, readOnly } = operation;
    const id = nextId++;
    const then = Math.max(at, ms(1) + Math.floor(id / together) * pace);
    asked.push({ at: then, seat, id, operation: bytes });
    if (readOnly) reads.set(id, then);
    const local = readOnly && weak ? { local: true } : {};
    return { at: then, seat, event: { type: 'submit', id, operation: bytes, readOnly, ...local } };
  };
  return {
    source: {
      next() {
        if (started >= clients * outstanding) return undefined;
        const seat = firstClientSeat + (started % clients);
        const turn = Math.floor(started / clients);
        started++;
        return ask(ms(1) + turn, seat);
      },
      answered(at, seat, answer) {
        tell(at);
        const { id, result } = answer;
        const change = seat === changes[0]?.seat ? changes[id] : undefined;
        if (change !== undefined) {
          open--;
          return void counting?.asked('change', change.at, at);
        }
        const began = reads.get(id);
        if (began !== undefined) counting?.asked('read', began, at);
        if (result !== undefined) check.returned?.(at, seat, id, result);
        else if (answer.refused !== undefined) check.failed?.(at, seat, id);
        open--;
        done++;
        return ask(at, seat);
      },
    },
    finished: () => (dry || nextId >= scenario.count) && open === 0 && nextId > 0,
    answered: () => done,
  };
}
