/** Who takes part in a run, as its trace shows them. */
import { attacks, describeOperation, protocols, type Scenario } from '@quorumlab/harness';
import type { Trace, TraceEvent } from '@quorumlab/sim';
import type { DescribeOperation } from './message.ts';

/** A column of the picture: a replica, the second copy of a twin, or a client. */
export interface SeatView {
  readonly index: number;
  /** `n0`, `n0′` for a second copy, `c0` for a client, or what the trace calls it. */
  readonly name: string;
  readonly kind: 'replica' | 'twin' | 'client';
  /** Whether the scenario makes it lie. */
  readonly liar: boolean;
}

/** What views need of the scenario in a header, which anybody may have written. */
export interface SceneView {
  readonly protocol: string;
  readonly n: number;
  readonly seats: readonly SeatView[];
  /** What this protocol calls a leader's time in office. */
  readonly termWord: string;
  /** Whether all replicas decide the same under one number; else orders are each one's own. */
  readonly total: boolean;
  /** How operations of this run read. */
  readonly describe: DescribeOperation;
}

const whole = (value: unknown): value is number => Number.isSafeInteger(value);

/**
 * The seats of a trace whose operations `describe` tells. A scenario that lacks its parts is read
 * as far as the events show it.
 */
export function sceneOf(
  { header, events }: Trace,
  describe: DescribeOperation = describeOperation,
): SceneView {
  const scenario: Partial<Scenario> & { readonly seats?: unknown; readonly shards?: unknown } =
    typeof header.scenario === 'object' && header.scenario !== null ? header.scenario : {};
  const clients = new Set(events.filter(isClient).map(({ n }) => n));
  const count = events.reduce((most, { n }) => Math.max(most, n + 1), 0);
  const n = whole(scenario.n) ? scenario.n : count - clients.size;
  const by = Array.isArray(scenario.by) ? scenario.by.filter(whole) : [];
  const attack = attacks.find(({ name }) => name === scenario.attack);
  const liars = attack === undefined || attack.needs === 'byzantine' ? by : [];
  const seats: SeatView[] = [];
  let client = 0;
  for (let index = 0; index < Math.max(count, n); index++) {
    if (index < n)
      seats.push({ index, name: `n${index}`, kind: 'replica', liar: liars.includes(index) });
    else if (clients.has(index))
      seats.push({ index, name: `c${client++}`, kind: 'client', liar: false });
    else seats.push({ index, name: `n${by[index - n] ?? '?'}′`, kind: 'twin', liar: true });
  }
  const isOfShards = whole(scenario.shards);
  // Shards are several groups in one trace, whose seats have names of their own.
  const names = Array.isArray(scenario.seats) ? scenario.seats : [];
  const named = seats.map((seat) => ({ ...seat, name: nameIn(names[seat.index]) ?? seat.name }));
  const entry = protocols.find(({ name }) => name === scenario.protocol);
  return {
    protocol: typeof scenario.protocol === 'string' ? scenario.protocol : 'a protocol',
    n,
    seats: named,
    termWord: entry === undefined ? 'term' : termWordOf(entry),
    total: entry?.claims.order !== 'conflicts' && !isOfShards,
    describe,
  };
}

/** A name of a header, if it can be one. */
const nameIn = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w′]{1,8}$/.test(value) ? value : undefined;

const isClient = ({ k, d }: TraceEvent): boolean =>
  k === 'state' && (d as { readonly role?: unknown } | undefined)?.role === 'client';

/** The word is the same for groups of all sizes: one for one fault will do. */
function termWordOf({ claims, create }: (typeof protocols)[number]): string {
  return create({ n: claims.replicas(1), f: 1 }).termWord ?? 'term';
}
