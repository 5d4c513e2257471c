/** A run in which everything is counted, for as long as somebody wants to count. */
import type { Observer } from '@quorumlab/checker';
import { ms, type PrincipalId } from '@quorumlab/core';
import {
  type DiskModel,
  decisions,
  type InputSource,
  type ScheduledInput,
  simulate,
  uniformNetwork,
} from '@quorumlab/sim';
import type { Keyring } from '@quorumlab/wire';
import {
  copyOf,
  countingNotary,
  type Meter,
  metered,
  type Notary,
  signatureBytes,
  signingNotary,
  startMeter,
} from './meter.ts';
import type { AnyShape, Prepared } from './prepare.ts';
import { leaderOf } from './run.ts';
import { ScenarioError } from './scenario.ts';
import { workloadOf } from './workload.ts';

/**
 * One-way delay of every message, in microseconds: far below every timeout, so that heartbeats
 * hardly ever fall among the commits that are counted.
 */
export const oneWay = 10;

const network = uniformNetwork('unit', { delay: { type: 'constant', delay: oneWay } });

/** Everything counted so far, at one instant. */
export interface Count {
  readonly at: number;
  readonly positions: number;
  /** Per seat: replicas, then the client. */
  readonly meters: readonly Meter[];
}

/** A run that goes on for as long as somebody wants to count. */
export interface MeteredRun {
  /** Until so many more requests have been answered. */
  answer(more: number): void;
  /** As `answer`, and says whether they have been: it throws nothing. */
  answers(more: number): boolean;
  /** Until what is under way has arrived, without any timeout. */
  settle(): void;
  crashLeader(): void;
  count(): Count;
  /** Microseconds from asking to the answer, and to the first decision: one per commit. */
  readonly latencies: readonly number[];
  readonly decisions: readonly number[];
}

/** Nothing is committed for so long: something is wrong. */
const patience = ms(60_000);

/**
 * Begins such a run; `real`: with signatures that are computed, and not only counted; `disk`: of
 * the replicas, which takes no time unless told.
 */
export function meteredRun(prepared: Prepared, real: boolean, disk?: DiskModel): MeteredRun {
  const client = clientOf(prepared);
  const bytes = signatureBytes(prepared);
  const notaries: Notary[] = prepared.seats.map(({ principal }, seat) =>
    real && bytes > 0
      ? signingNotary(realKeyring(prepared, seat, principal))
      : countingNotary(prepared, principal, bytes),
  );
  const meters = prepared.seats.map(startMeter);
  const simulation = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: (seat) => ({
      sign: (message) => (notaries[seat] as Notary).sign(message),
      // Checked by the metered machines, once per recipient and not once per message.
      check: () => true,
      checkEvidence: () => true,
      // biome-ignore lint/correctness/useYield: nothing is checked here.
      *checkInSteps() {
        return undefined;
      },
    }),
    seats: prepared.seats.map(({ principal, make }, seat) => ({
      principal,
      ...(disk === undefined || seat >= prepared.scenario.n ? {} : { disk }),
      make: (stable, host) =>
        metered(prepared, make(stable, host), notaries[seat] as Notary, meters[seat] as Meter),
    })),
    members: prepared.protocol.members,
    network,
    inputs: client.source,
    observer: client.observer,
    seed: prepared.scenario.seed,
    limits: {},
  });
  const answers = (more: number): boolean => {
    const wanted = client.latencies.length + more;
    const end = simulation.now + patience;
    while (client.latencies.length < wanted && simulation.now < end) if (!simulation.step()) break;
    return client.latencies.length >= wanted;
  };
  return {
    answers,
    answer(more) {
      if (answers(more)) return;
      throw new ScenarioError(
        'QL116',
        `${prepared.protocol.name} n=${prepared.scenario.n} committed nothing within 60 s, so ` +
          'there is nothing to measure; try quorumlab run to see what it does.',
      );
    },
    settle: () => void simulation.runUntil(simulation.now + settling),
    crashLeader() {
      const leader = leaderOf(simulation, prepared.scenario.n);
      simulation.inject({ type: 'crash', at: simulation.now, seat: leader });
    },
    count: () => ({
      at: simulation.now,
      positions: client.positions(),
      meters: meters.map(copyOf),
    }),
    latencies: client.latencies,
    decisions: client.decisions,
  };
}

/** Long enough for everything that follows from a message without a timeout. */
const settling = 20 * oneWay;

function realKeyring(
  prepared: Prepared,
  seat: number,
  principal: PrincipalId,
): Keyring<AnyShape['Message']> {
  const keyring = prepared.keyring(seat, principal);
  if (!('counters' in keyring)) throw new TypeError('this keyring does not count what it does');
  // Scenarios with real keys have the wire package's keyrings, which count.
  return keyring as Keyring<AnyShape['Message']>;
}

/** One client that asks for the next write as soon as it has the answer to the one before. */
interface MeasuredClient {
  readonly source: InputSource<AnyShape>;
  readonly observer: Observer;
  readonly latencies: number[];
  readonly decisions: number[];
  /** Positions that any replica has decided. */
  positions(): number;
}

function clientOf(prepared: Prepared): MeasuredClient {
  const { scenario, firstClientSeat: seat, protocol } = prepared;
  // What a full log would refuse is not asked for.
  const most = protocol.length ?? scenario.count;
  const workload = workloadOf(scenario, decisions({ seed: scenario.seed }));
  const decided = new Set<number>();
  const latencies: number[] = [];
  const firstDecisions: number[] = [];
  let id = 0;
  let asked = ms(1);
  let isDecided = false;
  const ask = (at: number): ScheduledInput<AnyShape> | undefined => {
    const operation = workload.next(0);
    if (operation === undefined) return undefined;
    asked = at;
    isDecided = false;
    return {
      at,
      seat,
      event: { type: 'submit', id: id++, operation: operation.bytes, readOnly: operation.readOnly },
    };
  };
  return {
    source: {
      next: () => (id === 0 ? ask(asked) : undefined),
      answered(at, _seat, { result }) {
        if (result === undefined) return undefined;
        latencies.push(at - asked);
        return most > latencies.length ? ask(at) : undefined;
      },
    },
    observer: {
      decided(at, _seat, { slot, commands }) {
        if (decided.has(slot)) return;
        decided.add(slot);
        if (commands.length === 0 || isDecided) return;
        isDecided = true;
        firstDecisions.push(at - asked);
      },
      violation: undefined,
    },
    latencies,
    decisions: firstDecisions,
    positions: () => decided.size,
  };
}
