/** Reading traces back, and finding where two of them part. */
import {
  type TraceEvent,
  type TraceFooter,
  type TraceHeader,
  type TraceMessage,
  traceSchema,
} from './trace.ts';

/** A text that is not a trace, or a damaged one. Names the line, from 1. */
export class TraceError extends Error {
  override readonly name: string = 'TraceError';
  readonly line: number;

  constructor(line: number, what: string) {
    super(`line ${line} of the trace: ${what}`);
    this.line = line;
  }
}

/** A trace that was read. */
export interface Trace {
  readonly header: TraceHeader;
  readonly messages: ReadonlyMap<string, TraceMessage>;
  readonly events: readonly TraceEvent[];
  /** Missing if the run was cut off. */
  readonly footer: TraceFooter | undefined;
}

/** The first place at which two traces differ. */
export interface TraceDifference {
  /** Number of the line, from 1. */
  readonly line: number;
  /** The event's index if the line is one, in the first trace or else in the second. */
  readonly event: number | undefined;
  /** The lines; nothing where a trace has ended. */
  readonly first: string | undefined;
  readonly second: string | undefined;
}

type Parsed = Readonly<Record<string, unknown>>;

function parseLine(text: string, line: number): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TraceError(line, 'this is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TraceError(line, 'this is not an object');
  return value as Parsed;
}

const linesOf = (text: string): string[] => {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
};

function readEvent(value: Parsed, line: number, index: number): TraceEvent {
  if (value.i !== index)
    throw new TraceError(
      line,
      `event ${index} is expected here and not ${JSON.stringify(value.i)}`,
    );
  if (!(Number.isSafeInteger(value.t) && Number.isSafeInteger(value.n)))
    throw new TraceError(line, 'an event needs an integer time t and an integer seat n');
  if (typeof value.k !== 'string') throw new TraceError(line, 'an event needs a kind k');
  if (value.c !== undefined && !(Number.isSafeInteger(value.c) && (value.c as number) < index))
    throw new TraceError(line, 'the cause c must be an earlier event');
  return value as unknown as TraceEvent;
}

/** Reads a trace. Throws {@link TraceError} at the first line that is not what the schema says. */
export function parseTrace(text: string): Trace {
  const lines = linesOf(text);
  const header = parseLine(lines[0] ?? '', 1);
  if (header.schema !== traceSchema)
    throw new TraceError(1, `the schema is ${JSON.stringify(header.schema)}, not ${traceSchema}`);
  const messages = new Map<string, TraceMessage>();
  const events: TraceEvent[] = [];
  let footer: TraceFooter | undefined;
  for (let at = 1; at < lines.length; at++) {
    const value = parseLine(lines[at] as string, at + 1);
    if (footer !== undefined) throw new TraceError(at + 1, 'there is a line after the footer');
    if ('i' in value) {
      const event = readEvent(value, at + 1, events.length);
      if (event.m !== undefined && !messages.has(event.m))
        throw new TraceError(at + 1, `message ${event.m} is not in the side table`);
      events.push(event);
    } else if (typeof value.m === 'string' && typeof value.kind === 'string') {
      messages.set(value.m, value as unknown as TraceMessage);
    } else if (typeof value.digest === 'string' && Array.isArray(value.verdicts)) {
      if (value.events !== events.length)
        throw new TraceError(at + 1, `${events.length} events were read, not ${value.events}`);
      footer = value as unknown as TraceFooter;
    } else throw new TraceError(at + 1, 'this is no event, message or footer');
  }
  return { header: header as unknown as TraceHeader, messages, events, footer };
}

/** Where two traces part, byte by byte; nothing if they are equal. */
export function compareTraces(first: string, second: string): TraceDifference | undefined {
  const one = linesOf(first);
  const two = linesOf(second);
  const length = Math.max(one.length, two.length);
  for (let at = 0; at < length; at++) {
    if (one[at] === two[at]) continue;
    return {
      line: at + 1,
      event: eventOf(one[at]) ?? eventOf(two[at]),
      first: one[at],
      second: two[at],
    };
  }
  return undefined;
}

function eventOf(line: string | undefined): number | undefined {
  const found = line === undefined ? null : /^\{"i":(\d+),/.exec(line);
  return found ? Number(found[1]) : undefined;
}
