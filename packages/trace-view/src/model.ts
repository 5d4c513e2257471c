/** A trace as views want it: every event with what caused it and what came of it. */
import type { Trace, TraceKind } from '@quorumlab/sim';
import {
  type DescribeOperation,
  type MessageView,
  messagesOf,
  numbersOf,
  valuesIn,
} from './message.ts';
import { type SceneView, sceneOf } from './seats.ts';

/** One event. */
export interface EventView {
  readonly i: number;
  /** Microseconds. */
  readonly t: number;
  /** The seat; -1 is the world. */
  readonly n: number;
  readonly k: TraceKind;
  readonly cause: number | undefined;
  readonly effects: readonly number[];
  readonly message: MessageView | undefined;
  /** Whom it was sent to. */
  readonly to: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  /** Whether something came of it: what changed nothing is left out of folded views. */
  readonly tells: boolean;
  /** Of an honest commit: another honest node committed something else there. */
  readonly conflicts: boolean;
}

/** A commit of one node at one position. */
export interface CommitView {
  readonly event: number;
  readonly seat: number;
  readonly slot: number;
  readonly value: string;
  readonly conflicts: boolean;
}

/** Everything that the views of one run read. */
export interface TraceModel extends SceneView {
  readonly events: readonly EventView[];
  readonly messages: ReadonlyMap<string, MessageView>;
  readonly commits: readonly CommitView[];
  /** The index of the violation, if there is one. */
  readonly violation: number | undefined;
  readonly engine: string;
  /** Of the run, as its footer says; nothing if the trace was cut off. */
  readonly digest: string | undefined;
}

/** Kinds that are worth showing by themselves; others are shown if such an event follows. */
const telling: ReadonlySet<TraceKind> = new Set<TraceKind>([
  'input',
  'state',
  'accept',
  'commit',
  'crash',
  'restart',
  'split',
  'heal',
  'skew',
  'corrupt',
  'violation',
]);

/**
 * The model of a trace that `parseTrace` has read. `describe` tells its operations in words: those
 * of the key-value store unless told; `wordsOf` of `@quorumlab/harness/shards` has those of shards.
 *
 * @example
 * ```ts
 * import { completeScenario, runScenario } from '@quorumlab/harness';
 * import { parseTrace, traceBuffer } from '@quorumlab/sim';
 * import { modelOf } from '@quorumlab/trace-view';
 *
 * const trace = traceBuffer();
 * runScenario(completeScenario({ protocol: 'raft', attack: 'equivocating-leader' }), { trace });
 * const { violation, commits } = modelOf(parseTrace(trace.text()));
 * console.log(violation, commits.filter(({ conflicts }) => conflicts).length);
 * ```
 */
export function modelOf(trace: Trace, describe?: DescribeOperation): TraceModel {
  const { events: rows, header, footer } = trace;
  const scene = sceneOf(trace, describe);
  const messages = messagesOf(trace.messages, scene.describe);
  const effects: number[][] = rows.map(() => []);
  for (const { i, c } of rows) if (c !== undefined) effects[c]?.push(i);
  const tells = rows.map(({ k, d }) => telling.has(k) || saysSomething(d));
  // Causes come first, so what tells something is known of all effects before their cause.
  for (let i = rows.length - 1; i >= 0; i--)
    if (effects[i]?.some((each) => tells[each])) tells[i] = true;
  const commits = commitsOf(trace, scene);
  const conflicting = new Set(commits.filter((each) => each.conflicts).map(({ event }) => event));
  const events = rows.map(({ i, t, n, k, c, m, d }): EventView => {
    const details = typeof d === 'object' && d !== null ? (d as EventView['details']) : {};
    return {
      ...{ i, t, n, k, details, cause: c, effects: effects[i] ?? [] },
      message: m === undefined ? undefined : messages.get(m),
      to: typeof details.to === 'number' ? details.to : k === 'deliver' ? n : undefined,
      tells: tells[i] === true,
      conflicts: conflicting.has(i),
    };
  });
  const violation = rows.find(({ k }) => k === 'violation')?.i;
  const { engine } = header;
  return { ...scene, events, messages, commits, violation, engine, digest: footer?.digest };
}

/** Notes that people want to read: an answer, an accusation, a node that is held. */
const saysSomething = (d: unknown): boolean =>
  typeof d === 'object' &&
  d !== null &&
  ['answer', 'accused', 'paused', 'hurried'].some((part) => part in d);

/** What every replica committed, and where honest ones differ. */
function commitsOf(
  { events }: Trace,
  { seats, total, describe }: SceneView,
): readonly CommitView[] {
  const all = events.flatMap(({ i, n, k, d }) => {
    if (k !== 'commit') return [];
    const { slot, commands } = d as { readonly slot: number; readonly commands: unknown };
    return [{ event: i, seat: n, slot, value: valuesIn(commands, describe) || 'nothing' }];
  });
  const honest = new Map<number, Set<string>>();
  for (const { seat, slot, value } of all)
    if (total && seats[seat]?.liar === false)
      honest.set(slot, (honest.get(slot) ?? new Set()).add(value));
  return all.map((each) => ({
    ...each,
    conflicts: seats[each.seat]?.liar === false && (honest.get(each.slot)?.size ?? 0) > 1,
  }));
}

/** What a seat is called. */
export const nameOf = ({ seats }: Pick<TraceModel, 'seats'>, seat: number): string =>
  seat < 0 ? 'the world' : (seats[seat]?.name ?? `seat ${seat}`);

/** The send of a delivery, a loss or a copy. */
export function sendOf({ events }: TraceModel, event: EventView): EventView | undefined {
  let at: EventView | undefined = event;
  while (at !== undefined && at.k !== 'send')
    at = at.cause === undefined || at.message !== event.message ? undefined : events[at.cause];
  return at?.message === event.message ? at : undefined;
}

/**
 * What a liar said besides: its other messages of this kind about the same numbers. Of honest
 * senders nothing.
 */
export function twinsOf(model: TraceModel, message: MessageView): readonly MessageView[] {
  if (!model.seats.some(({ index, liar }) => liar && index === message.from)) return [];
  const about = numbersOf(message.body);
  return [...model.messages.values()].filter(
    (each) =>
      each !== message &&
      each.from === message.from &&
      each.kind === message.kind &&
      numbersOf(each.body) === about,
  );
}
