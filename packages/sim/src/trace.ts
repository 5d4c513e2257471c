/** Traces: what every view of a run reads. One JSON text per line, the same on every engine. */
import type { Violation } from '@quorumlab/checker';
import { type Instant, toHex } from '@quorumlab/core';

/** The name of the schema, in the first line of every trace. */
export const traceSchema = 'quorumlab.trace/1';

/** Where lines go, without their ends. */
export interface TraceSink {
  line(text: string): void;
}

/** What a simulation needs to write a trace. */
export interface TraceOptions {
  readonly sink: TraceSink;
  /** Name and version of what runs. */
  readonly engine: string;
  /** What the harness needs to run this again; opaque to the simulator, must be plain JSON. */
  readonly scenario: unknown;
  readonly protocolVersions: Readonly<Record<string, string>>;
  /** The verdicts of the footer, asked for at the end. The violation alone unless told. */
  readonly verdicts?: (violation: Violation | undefined) => readonly unknown[];
}

/** The first line. */
export interface TraceHeader {
  readonly schema: typeof traceSchema;
  readonly engine: string;
  readonly scenario: unknown;
  readonly protocolVersions: Readonly<Record<string, string>>;
}

/** What an event of a trace is. */
export type TraceKind =
  | 'input'
  | 'send'
  | 'deliver'
  | 'drop'
  | 'dup'
  | 'timer'
  | 'state'
  | 'accept'
  | 'commit'
  | 'apply'
  | 'crash'
  | 'restart'
  | 'split'
  | 'heal'
  | 'skew'
  | 'corrupt'
  | 'note'
  | 'violation';

/** One event. */
export interface TraceEvent {
  /** Its index: 0, 1, 2, … */
  readonly i: number;
  /** True time in microseconds. */
  readonly t: Instant;
  /** The seat; -1 is the world. */
  readonly n: number;
  readonly k: TraceKind;
  /** The event that made this one. */
  readonly c?: number;
  /** The message, by its name in the side table. */
  readonly m?: string;
  /** Small details. */
  readonly d?: unknown;
}

/** A row of the side table; stands before the first event that names it. */
export interface TraceMessage {
  readonly m: string;
  readonly from: number;
  readonly kind: string;
  /** The other parts, in the order of their names. */
  readonly body: unknown;
}

/** The last line. */
export interface TraceFooter {
  /** How many events there are. */
  readonly events: number;
  readonly digest: string;
  readonly verdicts: readonly unknown[];
}

/** A trace in memory: a sink to give to a simulation, and its text. */
export interface TraceBuffer extends TraceSink {
  readonly lines: readonly string[];
  /** All lines, each with its end: NDJSON. */
  text(): string;
}

/** A sink that keeps everything. */
export function traceBuffer(): TraceBuffer {
  const lines: string[] = [];
  return {
    lines,
    line: (text) => void lines.push(text),
    text: () => lines.map((line) => `${line}\n`).join(''),
  };
}

/**
 * Any plain value as JSON with its keys in order: byte strings as `0x` and hexadecimal, maps and
 * sets as lists, what is undefined left out.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(plain(value)) ?? 'null';
}

/** A value that `JSON.stringify` writes in one way only. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return `0x${toHex(value)}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return [...value].map(([key, each]) => [plain(key), plain(each)]);
  if (value instanceof Set) return [...value].map(plain);
  const fields = value as Readonly<Record<string, unknown>>;
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(fields).sort())
    if (fields[key] !== undefined) out[key] = plain(fields[key]);
  return out;
}

/** Writes a trace, line by line. */
export interface TraceWriter {
  /** Adds an event and answers its index; `cause` below 0 means none. */
  event(
    t: Instant,
    n: number,
    k: TraceKind,
    cause: number,
    message: string | undefined,
    details?: unknown,
  ): number;
  /** The name of a message in the side table; writes its row if this is the first time. */
  message(message: Readonly<Record<string, unknown>>): string;
  footer(digest: string, violation: Violation | undefined): void;
}

/** Opens a trace: writes its header. */
export function traceWriter(options: TraceOptions): TraceWriter {
  const { sink, engine, scenario, protocolVersions } = options;
  const header: TraceHeader = {
    schema: traceSchema,
    engine,
    scenario: plain(scenario),
    protocolVersions: plain(protocolVersions) as Readonly<Record<string, string>>,
  };
  sink.line(JSON.stringify(header));
  const names = new Map<string, string>();
  let events = 0;
  return {
    event(t, n, k, cause, m, details) {
      const event: TraceEvent = {
        i: events,
        t,
        n,
        k,
        ...(cause >= 0 ? { c: cause } : {}),
        ...(m === undefined ? {} : { m }),
        ...(details === undefined ? {} : { d: plain(details) }),
      };
      sink.line(JSON.stringify(event));
      return events++;
    },
    message(message) {
      // The signature is left out: two seals over one body are one row, and a row is what is read.
      const { kind, from, signature: _, ...body } = message;
      const rest = JSON.stringify({ from, kind, body: plain(body) }).slice(1);
      const known = names.get(rest);
      if (known !== undefined) return known;
      const name = `m${names.size}`;
      names.set(rest, name);
      sink.line(`{"m":"${name}",${rest}`);
      return name;
    },
    footer(digest, violation) {
      const verdicts =
        options.verdicts?.(violation) ?? (violation === undefined ? [] : [violation]);
      const footer: TraceFooter = { events, digest, verdicts: plain(verdicts) as unknown[] };
      sink.line(JSON.stringify(footer));
    },
  };
}
