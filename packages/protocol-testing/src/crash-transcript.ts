/**
 * What `transcript.ts` is for networks of liars, for groups that tolerate crashes: what each member
 * was told, and all that came of it. Commands are told by their texts, and every other value whole.
 */
import {
  type Event,
  type Outgoing,
  type Output,
  type Shape,
  type TimerChange,
  toHex,
  type Write,
} from '@quorumlab/core';
import { textOf } from './commands.ts';
import type { Step } from './crash-group.ts';
import type { Sheet } from './sheet.ts';

/** How a value of the protocol's own is told. Nothing: as plain data. */
export type Words = (value: object) => string | undefined;

const digestLength = 64;
/** Of a longer list the first and the last are told, and how many there are. */
const longList = 24;

const listInWords = (list: readonly string[]): string =>
  list.length > longList
    ? `[${list[0]}, …, ${list.at(-1)}: ${list.length} of them]`
    : `[${list.join(', ')}]`;

/** A value as text: equal texts, equal values, but for the rest of long digests. */
function inWords(value: unknown, words: Words): string {
  const tell = (each: unknown): string => inWords(each, words);
  if (typeof value === 'string' && value.length === digestLength) return `${value.slice(0, 8)}…`;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'object' || value === null) return value === null ? 'none' : `${value}`;
  if (value instanceof Uint8Array) return `bytes ${toHex(value)}`;
  if (value instanceof Map)
    return `{${[...value].map(([key, each]) => `${key}: ${tell(each)}`).join('; ')}}`;
  if (value instanceof Set) return `{${[...value].map(tell).join(' ')}}`;
  const own = words(value);
  if (own !== undefined) return own;
  if (Array.isArray(value)) return listInWords(value.map(tell));
  if ('kind' in value && value.kind === 'request') return textOf([value as never]);
  const { kind, ...parts } = value as Record<string, unknown>;
  const list = partsInWords(parts, words);
  return kind === undefined ? `(${list})` : `${kind} ${list}`.trimEnd();
}

const partsInWords = (parts: object, words: Words): string =>
  Object.entries(parts)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${inWords(value, words)}`)
    .join(', ');

function eventInWords<P extends Shape>(event: Event<P>, words: Words): string {
  const { type } = event;
  if (type === 'message') {
    const {
      from,
      signature: _,
      ...body
    } = event.message as P['Message'] & {
      from: number;
      signature: unknown;
    };
    return `hears from n${from}: ${inWords(body, words)}`;
  }
  if (type === 'timeout') return `has waited: ${event.timer}`;
  if (type === 'propose') return `is asked for ${inWords(event.command, words)}`;
  const { type: _, ...parts } = event;
  return `is told: ${[type, partsInWords(parts, words)].filter((each) => each !== '').join(', ')}`;
}

function writeInWords<P extends Shape>(write: Write<P>, words: Words): string {
  if (write.type === 'save') return partsInWords(write.registers, words);
  const table = String(write.table);
  return write.type === 'put'
    ? `${table} ${write.index}: ${inWords(write.row, words)}`
    : `${table} less those ${partsInWords(write.rows, words)}`;
}

/** What is said alike to several is written once. */
function sendsInWords<P extends Shape>(sends: readonly Outgoing<P>[], words: Words): string[] {
  const receivers = new Map<string, string[]>();
  for (const { to, message } of sends) {
    const text = inWords(message, words);
    const known = receivers.get(text) ?? [];
    receivers.set(text, [...known, to === 'all' ? 'all' : `n${to}`]);
  }
  return [...receivers].map(([text, to]) => `to ${to.join(', ')}: ${text}`);
}

function timerInWords<P extends Shape>(change: TimerChange<P>): string {
  if (change.type === 'clear') return `clears ${change.timer}`;
  const { timer, after } = change;
  return `sets ${timer} to ${typeof after === 'number' ? after : after.join(' to ')}`;
}

function outputInWords<P extends Shape>(output: Output<P>, words: Words): string[] {
  const { early, writes, sends, timers, decisions, reads, fetches, accusations, lines } = output;
  return [
    ...(lines.length > 0 ? [`lines ${lines.join(', ')}`] : []),
    ...sendsInWords(early, words).map((each) => `early ${each}`),
    ...writes.map((each) => `writes ${writeInWords(each, words)}`),
    ...timers.map(timerInWords),
    ...decisions.map((each) => `decides ${partsInWords(each, words)}`),
    ...reads.map((each) => `allows read ${each.id} up to ${each.upTo}`),
    ...fetches.map((each) => `fetches ${partsInWords(each, words)}`),
    ...accusations.map(({ first }) => `accuses n${first.from}`),
    ...sendsInWords(sends, words),
  ];
}

/** Writes down what the members of a group do; `words` tell the protocol's own values. */
export class CrashTranscript<P extends Shape> {
  readonly #sheet: Sheet;
  readonly #words: Words;
  readonly #statuses: Map<number, string> = new Map();
  #time = 0;

  constructor(sheet: Sheet, words: Words) {
    this.#sheet = sheet;
    this.#words = words;
  }

  /** Tells the reader what comes next, or why. */
  say(sentence: string): void {
    this.#sheet.write('', `# ${sentence}`);
  }

  /** Writes a step down. Not told: it is only taken notice of. */
  step({ id, now, event, isAdmitted, output, status }: Step<P>, isTold = true): void {
    const role = partsInWords(status, this.#words);
    const isNew = role !== this.#statuses.get(id);
    this.#statuses.set(id, role);
    if (!isTold) return;
    if (now !== this.#time) this.#sheet.write(`-- ${now} µs`);
    this.#time = now;
    const told = outputInWords(output, this.#words);
    if (!isAdmitted) told.unshift('of no use to it: its host need not ask');
    if (isNew) told.push(`is now ${role}`);
    const lines = (told.length === 0 ? ['nothing'] : told).map((each) => `  ${each}`);
    this.#sheet.write(`n${id} ${eventInWords(event, this.#words)}`, ...lines);
  }

  /** Writes down what a member knows: parts of its state, by their names. */
  knows(id: number, parts: object): void {
    this.#sheet.write(`n${id} knows ${partsInWords(parts, this.#words)}`);
  }
}
