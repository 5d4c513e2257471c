/** Walking through a trace at a terminal: what each key does, and what is on the screen. */

import { requestsIn } from '@quorumlab/harness';
import {
  type EventView,
  nameOf,
  sentenceOf,
  type TraceModel,
  timeText,
} from '@quorumlab/trace-view';
import type { Io } from './io.ts';
import { wrapped } from './wrap.ts';

/** Which events are walked through; what is absent is not asked. */
export interface StepFilter {
  readonly node?: number;
  readonly kind?: string;
  readonly slot?: number;
}

/** Where somebody stands in a trace. */
export interface Stepper {
  readonly model: TraceModel;
  /** The event that is shown. */
  readonly at: number;
  readonly filter: StepFilter;
  /** What is shown below the event. */
  readonly below: 'nothing' | 'message' | 'state' | 'keys';
  /** What is being typed behind `f`, as long as it is. */
  readonly typed?: string;
  /** Said once: what a key could not do. */
  readonly note?: string;
  readonly ended: boolean;
  /** Whether the playground is to show this moment. */
  readonly opens?: true;
}

/** The kinds of events and of messages in a trace: what a filter may name. */
const kindsIn = ({ events }: TraceModel): ReadonlySet<string> =>
  new Set(events.flatMap(({ k, message }) => (message === undefined ? [k] : [k, message.kind])));

/** Stands before the first event that the filter lets through. */
export const stepperOf = (model: TraceModel): Stepper => ({
  ...{ model, at: 0, filter: {}, below: 'nothing', ended: false },
});

function passes({ filter: { node, kind, slot } }: Stepper, event: EventView): boolean {
  const { n, k, to, details, message } = event;
  if (node !== undefined && n !== node && to !== node) return false;
  if (kind !== undefined && k !== kind && message?.kind !== kind) return false;
  return slot === undefined || details.slot === slot || message?.body.slot === slot;
}

const isViolation = ({ k, conflicts }: EventView): boolean => k === 'violation' || conflicts;

/** The nearest event in a direction that is looked for; nothing if there is none. */
function nearest(
  { model: { events }, at }: Stepper,
  step: 1 | -1,
  is: (event: EventView) => boolean,
): number | undefined {
  for (let i = at + step; i >= 0 && i < events.length; i += step)
    if (is(events[i] as EventView)) return i;
  return undefined;
}

/** What a key does, by the name that Node gives it. */
export function pressed(stepper: Stepper, key: string): Stepper {
  const { note: _, opens: __, ...plain } = stepper;
  if (plain.typed !== undefined) return typedInto(plain, plain.typed, key);
  const to = (step: 1 | -1, is: (event: EventView) => boolean, none: string): Stepper => {
    const found = nearest(plain, step, is);
    return found === undefined ? { ...plain, note: none } : { ...plain, at: found };
  };
  const passing = (event: EventView): boolean => passes(plain, event);
  const below = (what: Stepper['below']): Stepper => ({
    ...plain,
    below: plain.below === what ? 'nothing' : what,
  });
  switch (key) {
    case 'right':
    case 'down':
    case 'return':
    case 'space':
      return to(1, passing, 'this is the last event');
    case 'left':
    case 'up':
      return to(-1, passing, 'this is the first event');
    case 'home':
      return { ...plain, at: plain.model.events.findIndex(passing) };
    case 'end':
      return { ...plain, at: plain.model.events.findLastIndex(passing) };
    case 'v':
      return to(1, isViolation, 'no violation comes after this');
    case 'V':
      return to(-1, isViolation, 'no violation comes before this');
    case 'm':
    case 'i':
      return below('message');
    case 's':
      return below('state');
    case '?':
      return below('keys');
    case 'f':
      return { ...plain, typed: '' };
    case 'o':
    case 'w':
      return { ...plain, opens: true, note: 'opening the playground …' };
    case 'q':
    case 'escape':
    case 'ctrl+c':
    case 'ctrl+d':
      return { ...plain, ended: true };
    default:
      return { ...plain, note: '? shows the keys' };
  }
}

/** Typing a filter: `n1`, `commit`, `slot 3`, several of them, or nothing to take it away. */
function typedInto({ typed: _, ...stepper }: Stepper, text: string, key: string): Stepper {
  if (key === 'escape' || key === 'ctrl+c') return stepper;
  if (key === 'backspace') return { ...stepper, typed: text.slice(0, -1) };
  if (key !== 'return')
    return {
      ...stepper,
      typed: key === 'space' ? `${text} ` : key.length === 1 ? text + key : text,
    };
  const filter = filterOf(stepper.model, text);
  if (typeof filter === 'string') return { ...stepper, note: filter };
  const filtered = { ...stepper, filter };
  const { model, at } = filtered;
  if (passes(filtered, model.events[at] as EventView)) return filtered;
  const is = (event: EventView): boolean => passes(filtered, event);
  const found = nearest(filtered, 1, is) ?? nearest(filtered, -1, is);
  return found === undefined
    ? { ...stepper, note: `no event is of ${text.trim()}` }
    : { ...filtered, at: found };
}

/** The filter that words ask for, or the sentence what is wrong with them. */
function filterOf(model: TraceModel, text: string): StepFilter | string {
  const filter: { -readonly [K in keyof StepFilter]: StepFilter[K] } = {};
  const words = text.trim().split(/\s+/).filter(Boolean);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const seat = model.seats.find(({ name }) => name === word);
    if (seat !== undefined) filter.node = seat.index;
    else if (word === 'slot' && /^\d{1,9}$/.test(words[i + 1] ?? ''))
      filter.slot = Number(words[++i]);
    else if (kindsIn(model).has(word)) filter.kind = word;
    else return `a filter is a node, a kind or a slot, e.g. n1 commit slot 3; not "${word}"`;
  }
  return filter;
}

/** The event as a line: its index, its time, its sentence, and what made it. */
export function eventLine(io: Io, model: TraceModel, event: EventView): string {
  const { i, t, cause, conflicts } = event;
  const sign = isViolation(event) ? `${io.sign('fail')} ` : '';
  const why = cause === undefined ? '' : io.paint('dim', ` ← ${cause}`);
  const words = `${sign}${printable(sentenceOf(model, event))}`;
  const said = conflicts || isViolation(event) ? io.paint('bad', words) : words;
  return `[${i}] ${timeText(t)}  ${said}${why}`;
}

/** Text of a trace, which anybody may have written, moves no cursor. */
const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced.
  text.replace(/[\0-\x1f\x7f-\x9f]+/g, ' ');

const keysHelp = [
  '→ Enter  next      ←  back      Home End  first, last      q  leave',
  'v V      next, previous violation',
  'm        the message    s  the state of the nodes    ?  these keys',
  'o        this moment in the playground, in a browser',
  'f        only some: a node, a kind, a slot, e.g. n1 commit slot 3; nothing for all',
];

/** The screen: where one stands, the event, and what was asked for below it. */
export function screenOf(io: Io, stepper: Stepper): readonly string[] {
  const { model, at, filter, below, typed, note } = stepper;
  const event = model.events[at] as EventView;
  const node = filter.node === undefined ? [] : [nameOf(model, filter.node)];
  const slot = filter.slot === undefined ? [] : [`slot ${filter.slot}`];
  const only = [...node, ...(filter.kind === undefined ? [] : [filter.kind]), ...slot].join(' ');
  const head = `event ${at} of ${model.events.length - 1}${only === '' ? '' : ` · only ${only}`}`;
  const effects = event.effects.length === 0 ? [] : [`  leads to ${event.effects.join(', ')}`];
  const lines = [
    io.paint('dim', head),
    eventLine(io, model, event),
    ...effects,
    ...{ nothing: [], message: messageLines(event), state: stateLines(model, at), keys: keysHelp }[
      below
    ],
    ...(note === undefined ? [] : [io.paint('warn', note)]),
    typed === undefined
      ? io.paint(
          'dim',
          '→ next  ← back  v violation  m message  s state  f filter  o open  ? keys  q leave',
        )
      : `filter: ${typed}`,
  ];
  return lines.flatMap((line) => wrapped(io.plain(line), io.columns));
}

/** A message part by part; operations as people write them. */
function messageLines({ message }: EventView): readonly string[] {
  if (message === undefined) return ['  this event has no message'];
  const { kind, from, body, values, carried } = message;
  return [
    `  ${kind} signed by n${from}${values === '' ? '' : `, about ${printable(values)}`}`,
    ...Object.entries(body).map(([name, value]) => `    ${name}  ${printable(short(value))}`),
    ...carried.map(
      (each) => `    carries ${each.kind} of ${each.signers.map((id) => `n${id}`).join(' ')}`,
    ),
  ];
}

function short(value: unknown): string {
  const requests = requestsIn(value, 7).length;
  const text = requests > 0 ? `${requests} requests` : (JSON.stringify(value) ?? '');
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** What each seat was and had committed when the event happened. */
function stateLines(model: TraceModel, at: number): readonly string[] {
  return model.seats.map(({ index, name, liar }) => {
    const past = model.events.slice(0, at + 1).filter(({ n }) => n === index);
    const state = past.findLast(({ k }) => k === 'state');
    const down = past.findLast(({ k }) => k === 'crash' || k === 'restart')?.k === 'crash';
    const commits = model.commits.filter(({ seat, event }) => seat === index && event <= at);
    const log = commits.slice(-4).map(({ slot, value }) => `${slot}: ${printable(value)}`);
    const said = state === undefined ? 'nothing yet' : printable(sentenceOf(model, state));
    const more = log.length === 0 ? '' : `; has committed ${log.join(', ')}`;
    return `  ${name}${liar ? ' (a liar)' : ''}  ${down ? 'down' : said}${more}`;
  });
}
