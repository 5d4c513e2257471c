/** A run as text that other tools draw: sequence diagrams, and logs with vector clocks. */
import { folded, unfolded } from './fold.ts';
import { type EventView, nameOf, sendOf, type TraceModel } from './model.ts';
import { messageText, sentenceOf, timeText } from './words.ts';

/** What is told. */
export interface SequenceOptions {
  /** Every message, those that changed nothing too. */
  readonly everything?: boolean;
}

/** What a line of a diagram says: a message, or something that happened at one seat. */
interface Step {
  readonly event: EventView;
  readonly from?: number;
  readonly lost?: boolean;
  readonly text: string;
}

/** The steps of a run in their order; votes stand one by one, since every arrow has its line. */
function stepsOf(model: TraceModel, { everything = false }: SequenceOptions): readonly Step[] {
  const { shown, votes } = everything ? unfolded(model) : folded(model);
  const all = new Set([...shown, ...votes.flatMap(({ deliveries }) => deliveries)]);
  return [...all]
    .sort((one, two) => one - two)
    .flatMap((i): Step[] => {
      const event = model.events[i] as EventView;
      const { k, message, n } = event;
      if (k === 'send' || k === 'dup' || k === 'apply' || k === 'timer') return [];
      if (message === undefined)
        return [{ event, text: `${event.conflicts ? '✗ ' : ''}${sentenceOf(model, event)}` }];
      const from = sendOf(model, event)?.n ?? message.from;
      if (from === n) return [];
      return [{ event, from, lost: k === 'drop', text: messageText(message) }];
    });
}

/** Seats by names that every tool takes: `n0′` has a sign that some do not. */
const seatId = (seat: number): string => `s${seat}`;

/** Text of one line. */
const oneLine = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced.
  text.toWellFormed().replace(/[\0-\x1f\x7f\s]+/g, ' ');

/** What Mermaid reads as its own is written by its number. */
const mermaidText = (text: string): string =>
  oneLine(text).replace(/[#;:<>{}"%&\\[\]()]/g, (sign) => `#${sign.charCodeAt(0)};`);

/** A sequence diagram for https://mermaid.js.org. */
export function mermaidOf(model: TraceModel, options: SequenceOptions = {}): string {
  const lines = [
    'sequenceDiagram',
    ...model.seats.map(
      ({ index, liar }) =>
        `  participant ${seatId(index)} as ${mermaidText(nameOf(model, index))}${liar ? ' ⚠' : ''}`,
    ),
    ...stepsOf(model, options).map(({ event: { n, t }, from, lost, text }) => {
      const words = `${mermaidText(text)} (${timeText(t)})`;
      if (from !== undefined)
        return `  ${seatId(from)}${lost ? '-x' : '->>'}${seatId(n)}: ${words}`;
      return `  Note over ${overOf(model, n)}: ${words}`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}

/** What happens to the world stands over all lanes. */
function overOf({ seats }: TraceModel, seat: number): string {
  if (seat >= 0) return seatId(seat);
  const last = seats.at(-1)?.index ?? 0;
  return last === 0 ? seatId(0) : `${seatId(0)},${seatId(last)}`;
}

/** What PlantUML reads as its own, or as a command of its preprocessor, loses its meaning. */
const plantText = (text: string): string =>
  oneLine(text).replace(/[\\<>~*_"/!'%&[\]{}|-]/g, (sign) => `<U+${hex(sign)}>`);

const hex = (sign: string): string =>
  sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');

/** A sequence diagram for https://plantuml.com. */
export function plantUmlOf(model: TraceModel, options: SequenceOptions = {}): string {
  const lines = [
    '@startuml',
    ...model.seats.map(
      ({ index, liar }) =>
        `participant "${plantText(nameOf(model, index))}${liar ? ' ⚠' : ''}" as ${seatId(index)}`,
    ),
    ...stepsOf(model, options).map(({ event: { n, t }, from, lost, text }) => {
      const words = `${plantText(text)} (${timeText(t)})`;
      if (from !== undefined) return `${seatId(from)} ->${lost ? 'x' : ''} ${seatId(n)} : ${words}`;
      return `note over ${overOf(model, n).replace(',', ', ')} : ${words}`;
    }),
    '@enduml',
  ];
  return `${lines.join('\n')}\n`;
}

/** The expression with which ShiViz reads {@link shiVizOf}. */
const shiVizExpression = '(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)';

/**
 * A log with vector clocks for https://bestchai.bitbucket.io/shiviz: its first line is the
 * expression to read it with, then two lines an event. It has every event of every seat; what the
 * network lost has a send and no receipt.
 */
export function shiVizOf(model: TraceModel): string {
  const clocks = new Map<number, ReadonlyMap<string, number>>();
  const sent = new Map<number, ReadonlyMap<string, number>>();
  const lines = [shiVizExpression, ''];
  for (const event of model.events) {
    const { i, n, k, t } = event;
    if (n < 0 || k === 'drop' || k === 'dup' || k === 'apply') continue;
    const own = nameOf(model, n);
    const clock = new Map(clocks.get(n));
    const send = k === 'deliver' ? sendOf(model, event) : undefined;
    for (const [name, count] of (send && sent.get(send.i)) ?? [])
      clock.set(name, Math.max(count, clock.get(name) ?? 0));
    clock.set(own, (clock.get(own) ?? 0) + 1);
    clocks.set(n, clock);
    if (k === 'send') sent.set(i, clock);
    lines.push(`${own} ${JSON.stringify(Object.fromEntries(clock))}`);
    lines.push(`${timeText(t)}: ${oneLine(sentenceOf(model, event))}`);
  }
  return `${lines.join('\n')}\n`;
}
