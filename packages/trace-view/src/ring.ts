/** The group at one moment: who leads, who lies, what is under way. */
import { h, type JSX } from 'preact';
import { placeLabels } from './labels.ts';
import type { EventView, TraceModel } from './model.ts';
import { classes, type ViewProps } from './views.ts';

/** A replica as it stands. */
interface Standing {
  readonly role: string;
  readonly leads: boolean;
  readonly down: boolean;
  readonly value: string;
}

const size = 300;
const radius = 104;

/** Replicas on a circle, and the messages that are between them at the cursor. */
export function Ring({ model, at, selected, onSelect }: ViewProps): JSX.Element {
  const replicas = model.seats.filter(({ kind }) => kind !== 'client');
  const places = replicas.map((_, i) => placeOf(i, replicas.length));
  const standings = standingsOf(model, at);
  const flying = underWay(model, at);
  const labels = placeLabels(
    flying.map(({ send, end }) => {
      const [one, two] = [places[send.n], places[end.n]] as [Place, Place];
      const middle = [0.5, 0.65, 0.35].map((part) => ({
        x: one.x + (two.x - one.x) * part,
        y: one.y + (two.y - one.y) * part,
        anchor: 'middle' as const,
      }));
      const { kind = '', values = '' } = send.message ?? {};
      const text = values === '' ? kind : `${kind} ${values}`;
      return { event: send.i, text, role: 'other', rank: 1, places: middle, room: 120 };
    }),
    places.map(({ x, y }) => ({ x: x - 24, y: y - 24, width: 48, height: 48 })),
    size,
  );
  const told = replicas.map(({ name }, i) => `${name}: ${standings[i]?.role ?? ''}`).join(', ');
  return h(
    'svg',
    {
      class: 'ring',
      role: 'img',
      'aria-label': `The group now. ${told}. ${flying.length} messages under way.`,
      viewBox: `0 0 ${size} ${size}`,
      width: size,
      height: size,
    },
    h('circle', { class: 'orbit', cx: size / 2, cy: size / 2, r: radius }),
    flying.map(({ send, end, part }) => {
      const [one, two] = [places[send.n], places[end.n]] as [Place, Place];
      const [x, y] = [one.x + (two.x - one.x) * part, one.y + (two.y - one.y) * part];
      return h(
        'g',
        {
          class: classes('flight', selected === send.i && 'chosen'),
          onClick: () => onSelect(send.i),
        },
        h('line', { class: 'reach', x1: one.x, y1: one.y, x2: two.x, y2: two.y }),
        h('line', { class: 'way', x1: one.x, y1: one.y, x2: two.x, y2: two.y }),
        h('circle', { cx: x, cy: y, r: 4 }),
      );
    }),
    labels.map(({ box, text }) => h('text', { class: 'label', x: box.x + 2, y: box.y + 10 }, text)),
    replicas.map(({ name, liar }, i) => {
      const { x, y } = places[i] as Place;
      const { role, leads, down, value } = standings[i] as Standing;
      return h(
        'g',
        {
          class: classes('node', liar && 'liar', leads && 'leads', down && 'down'),
          transform: `translate(${x} ${y})`,
        },
        leads &&
          h('rect', { class: 'crown', x: -26, y: -24, width: 52, height: 48, rx: liar ? 2 : 24 }),
        h('rect', { x: -22, y: -20, width: 44, height: 40, rx: liar ? 0 : 20 }),
        h('text', { y: -2, 'text-anchor': 'middle' }, `${liar ? '⚠' : ''}${name}`),
        h('text', { y: 11, 'text-anchor': 'middle', class: 'value' }, value),
        h('text', { y: 36, 'text-anchor': 'middle', class: 'role' }, down ? 'down' : role),
      );
    }),
  );
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** The first stands on top. */
function placeOf(i: number, of: number): Place {
  const angle = (2 * Math.PI * i) / of - Math.PI / 2;
  return { x: size / 2 + radius * Math.cos(angle), y: size / 2 + radius * Math.sin(angle) };
}

/** What each replica was when the last event before the cursor had happened. */
function standingsOf({ seats, events, commits }: TraceModel, at: number): readonly Standing[] {
  const replicas = seats.filter(({ kind }) => kind !== 'client');
  const standings: Standing[] = replicas.map(() => ({
    ...{ role: '', leads: false, down: false, value: '' },
  }));
  for (const { k, n, details } of events.slice(0, at + 1)) {
    const before = standings[n];
    if (before === undefined) continue;
    if (k === 'crash' || k === 'restart') standings[n] = { ...before, down: k === 'crash' };
    if (k === 'state')
      standings[n] = { ...before, role: String(details.role), leads: details.leader === n };
  }
  for (const { event, seat, value } of commits) {
    const before = standings[seat];
    if (event <= at && before !== undefined && value !== 'nothing')
      standings[seat] = { ...before, value: value.length > 7 ? `${value.slice(0, 6)}…` : value };
  }
  return standings;
}

interface Flight {
  readonly send: EventView;
  readonly end: EventView;
  /** How much of the way is behind it. */
  readonly part: number;
}

/** Messages between replicas that were sent and have not arrived. */
function underWay({ events, seats }: TraceModel, at: number): readonly Flight[] {
  const now = events[at]?.t ?? 0;
  return events.slice(0, at + 1).flatMap((send): Flight[] => {
    if (send.k !== 'send' && send.k !== 'dup') return [];
    const arrival = send.effects.map((i) => events[i]).find((each) => each?.k === 'deliver');
    if (arrival === undefined || arrival.i <= at || arrival.n === send.n) return [];
    if ([send.n, arrival.n].some((seat) => seats[seat]?.kind === 'client')) return [];
    const part = (now - send.t) / Math.max(1, arrival.t - send.t);
    return [{ send, end: arrival, part: Math.max(0.15, Math.min(0.85, part)) }];
  });
}
