/** Where everything stands in the space-time picture: lanes side by side, time runs down. */
import { type Folded, folded, unfolded, type VoteGroup } from './fold.ts';
import { type Label, placeLabels, type Wish } from './labels.ts';
import { valuesIn } from './message.ts';
import { type EventView, sendOf, type TraceModel, twinsOf } from './model.ts';

/** What an arrow stands for; each role has a stroke of its own. */
export type ArrowRole = 'lie' | 'value' | 'client' | 'other';

/** A message from its sending to its arrival, or to where it was lost. */
export interface Arrow {
  readonly send: number;
  readonly end: number;
  readonly role: ArrowRole;
  readonly lost: boolean;
  readonly from: readonly [x: number, y: number];
  readonly to: readonly [x: number, y: number];
}

/** Something that happened at a node. */
export interface Mark {
  readonly event: number;
  readonly kind: 'commit' | 'accept' | 'state' | 'votes' | 'fault' | 'client' | 'other';
  readonly x: number;
  readonly y: number;
  readonly conflicts: boolean;
  /** What is voted for, if these are votes. */
  readonly votes?: VoteGroup;
}

/** A moment: its height, and how long nothing was shown before it. */
export interface Row {
  readonly t: number;
  readonly y: number;
  readonly gap: boolean;
}

/** The whole picture, in pixels. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** A column for each seat that is shown. */
  readonly lanes: readonly { readonly seat: number; readonly x: number }[];
  readonly rows: readonly Row[];
  readonly arrows: readonly Arrow[];
  readonly marks: readonly Mark[];
  readonly labels: readonly Label[];
  /** What is in it, in order: what can be stepped through. */
  readonly shown: readonly number[];
}

/** How far down a picture time has come at a moment; 0 before its first. */
export const heightOf = (rows: Layout['rows'], now: number): number =>
  rows.findLast(({ t }) => t <= now)?.y ?? 0;

/** Where the lanes begin, what is above them, and how far moments are apart. */
const left = 64;
const top = 0;
const rowHeight = 17;
const gapHeight = 16;
/** Microseconds without anything after which a gap is drawn. */
const longPause = 5000;

const kinds: Readonly<Partial<Record<EventView['k'], Mark['kind']>>> = {
  commit: 'commit',
  accept: 'accept',
  state: 'state',
  input: 'client',
  note: 'client',
  timer: 'other',
  crash: 'fault',
  restart: 'fault',
  skew: 'fault',
  corrupt: 'fault',
};

/** The picture of a run: without what changed nothing and votes as one, or all of it. */
export function layoutOf(model: TraceModel, everything = false): Layout {
  const what = everything ? unfolded(model) : folded(model);
  const lanes = lanesOf(model, what);
  const x = new Map(lanes.map(({ seat, x: at }) => [seat, at]));
  const found = marksOf(model, what).filter(({ seat }) => x.has(seat));
  const { rows, yOf } = rowsOf(model, what, found);
  const marks = stacked(model, found, x, yOf);
  const arrows = arrowsOf(model, what, x, yOf);
  const width = left + lanes.length * laneWidth(model);
  const height = (rows.at(-1)?.y ?? top) + 3 * rowHeight;
  const boxes = [
    ...marks.map(({ x: at, y }) => ({ x: at - 7, y: y - 7, width: 14, height: 14 })),
    ...rows.map(({ y }) => ({ x: 0, y: y - 6, width: left - 8, height: 12 })),
  ];
  const wishes = [...markWishes(model, marks, laneWidth(model)), ...arrowWishes(model, arrows)];
  const shown = [...new Set([...what.shown, ...what.votes.map(({ decisive }) => decisive)])];
  return {
    ...{ width, height, lanes, rows, arrows, marks },
    labels: placeLabels(wishes, boxes, width),
    shown: shown.sort((one, two) => one - two),
  };
}

/** How wide one lane is: four replicas fit into half of a usual screen, clients stand beyond. */
function laneWidth({ seats }: TraceModel): number {
  const replicas = seats.filter(({ kind }) => kind !== 'client').length;
  return Math.max(84, Math.min(120, Math.floor(390 / replicas)));
}

/** Replicas and their second copies; clients too, as long as they are few. */
function lanesOf(model: TraceModel, { shown }: Folded): Layout['lanes'] {
  const { seats } = model;
  const clients = seats.filter(({ kind }) => kind === 'client');
  const columns =
    clients.length <= 3 && shown.length > 0 ? seats : seats.filter(({ kind }) => kind !== 'client');
  const width = laneWidth(model);
  return columns.map(({ index }, i) => ({ seat: index, x: left + 20 + i * width }));
}

interface FoundMark {
  readonly event: number;
  readonly seat: number;
  readonly kind: Mark['kind'];
  readonly conflicts: boolean;
  readonly votes?: VoteGroup;
}

function marksOf({ events }: TraceModel, { shown, votes }: Folded): readonly FoundMark[] {
  const own = shown.flatMap((i): FoundMark[] => {
    const { k, n, conflicts, details } = events[i] as EventView;
    const kind = kinds[k];
    if (kind === undefined || (k === 'note' && 'fired' in details)) return [];
    return [{ event: i, seat: n, kind, conflicts }];
  });
  const groups = votes.map((group): FoundMark => {
    const { decisive, to } = group;
    return { event: decisive, seat: to, kind: 'votes', conflicts: false, votes: group };
  });
  return [...own, ...groups].sort((one, two) => one.event - two.event);
}

/** A row for each moment at which something is shown, as high as its fullest lane. */
function rowsOf(
  { events }: TraceModel,
  { shown }: Folded,
  marks: readonly FoundMark[],
): { readonly rows: readonly Row[]; readonly yOf: ReadonlyMap<number, number> } {
  const timeOf = (i: number): number => (events[i] as EventView).t;
  const most = new Map<number, number>();
  const perLane = new Map<string, number>();
  for (const { event, seat } of marks) {
    const key = `${timeOf(event)} ${seat}`;
    const count = (perLane.get(key) ?? 0) + 1;
    perLane.set(key, count);
    most.set(timeOf(event), Math.max(most.get(timeOf(event)) ?? 1, count));
  }
  const times = [...new Set([...shown.map(timeOf), ...most.keys()])].sort((one, two) => one - two);
  const yOf = new Map<number, number>();
  const rows: Row[] = [];
  let y = top + rowHeight;
  let before = times[0] ?? 0;
  for (const t of times) {
    const gap = t - before > longPause;
    if (gap) y += gapHeight;
    yOf.set(t, y);
    rows.push({ t, y, gap });
    y += rowHeight * (most.get(t) ?? 1);
    before = t;
  }
  return { rows, yOf };
}

/** Marks of one moment and node stand below each other. */
function stacked(
  { events }: TraceModel,
  found: readonly FoundMark[],
  x: ReadonlyMap<number, number>,
  yOf: ReadonlyMap<number, number>,
): readonly Mark[] {
  const used = new Map<string, number>();
  return found.map(({ seat, ...mark }) => {
    const { t } = events[mark.event] as EventView;
    const at = used.get(`${t} ${seat}`) ?? 0;
    used.set(`${t} ${seat}`, at + 1);
    return { ...mark, x: x.get(seat) ?? 0, y: (yOf.get(t) ?? 0) + at * rowHeight };
  });
}

function arrowsOf(
  model: TraceModel,
  { shown }: Folded,
  x: ReadonlyMap<number, number>,
  yOf: ReadonlyMap<number, number>,
): readonly Arrow[] {
  const { events, seats } = model;
  return shown.flatMap((i) => {
    const end = events[i] as EventView;
    if (end.k !== 'deliver' && end.k !== 'drop') return [];
    const send = sendOf(model, end);
    const [from, to] = [x.get(send?.n ?? -1), x.get(end.n)];
    if (send?.message === undefined || from === undefined || to === undefined || from === to)
      return [];
    const isClient = [send.n, end.n].some((seat) => seats[seat]?.kind === 'client');
    const isLie = twinsOf(model, send.message).length > 0;
    const usual: ArrowRole = send.message.values === '' ? 'other' : 'value';
    return [
      {
        ...{ send: send.i, end: i, lost: end.k === 'drop' },
        role: isClient ? 'client' : isLie ? 'lie' : usual,
        from: [from, yOf.get(send.t) ?? yOf.get(end.t) ?? 0],
        to: [to, yOf.get(end.t) ?? 0],
      },
    ];
  });
}

/** What marks want to say, first to their right and then to their left. */
function markWishes(model: TraceModel, marks: readonly Mark[], lane: number): readonly Wish[] {
  return marks.flatMap((mark): Wish[] => {
    const text = markText(model, mark);
    if (text === '') return [];
    const { event, kind, x, y } = mark;
    const places = [
      { x: x + 10, y, anchor: 'start' as const },
      { x: x - 10, y, anchor: 'end' as const },
    ];
    const rank = kind === 'commit' ? 0 : kind === 'votes' || kind === 'fault' ? 1 : 3;
    const tail = mark.votes === undefined ? {} : { tail: countText(model, mark.votes) };
    return [{ event, text, ...tail, role: kind, rank, places, room: lane - 18 }];
  });
}

function markText(
  { events, termWord, describe }: TraceModel,
  { event, kind, votes, conflicts }: Mark,
) {
  const { details, k } = events[event] as EventView;
  switch (kind) {
    case 'commit':
      return `${valuesIn(details.commands, describe) || 'nothing'}${conflicts ? ' ✗' : ''}`;
    case 'votes': {
      if (votes === undefined) return '';
      const { kind: word, values } = votes.message;
      // What is voted for comes first: the end is cut off where lanes are narrow.
      return values === '' ? word : `${values}: ${word}`;
    }
    case 'state':
      return details.leader === (events[event] as EventView).n && details.role !== 'client'
        ? `leads ${termWord} ${String(details.term)}`
        : '';
    case 'fault':
      return k;
    default:
      return '';
  }
}

/** ` 3/4`, and whether a liar is among them. */
const countText = ({ n }: TraceModel, { senders, lied }: VoteGroup): string =>
  ` ${senders.length}/${n}${lied ? ' ⚠' : ''}`;

/** What arrows want to say: one label for equal words to several, at six tenths of the way. */
function arrowWishes({ events }: TraceModel, arrows: readonly Arrow[]): readonly Wish[] {
  const said = new Set<string>();
  return arrows.flatMap((arrow): Wish[] => {
    const { send, role, from, to, end } = arrow;
    const { message, cause } = events[send] as EventView;
    if (message === undefined) return [];
    const key = `${cause} ${message.name}`;
    if (said.has(key)) return [];
    said.add(key);
    const places = [0.6, 0.45, 0.75, 0.3, 0.88].map((part) => ({
      x: from[0] + (to[0] - from[0]) * part,
      y: from[1] + (to[1] - from[1]) * part,
      anchor: 'middle' as const,
    }));
    const text = message.values === '' ? message.kind : `${message.kind} ${message.values}`;
    const rank = role === 'lie' ? 1 : role === 'value' ? 2 : role === 'client' ? 5 : 4;
    return [{ event: end, text, role, rank, places, room: 150 }];
  });
}
