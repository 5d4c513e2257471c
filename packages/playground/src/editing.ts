/** What can be changed in a run by hand: each change is an edit of the settings, never of a run. */
import { type Edit, type Settings, scenarioOf, type Traitors } from '@quorumlab/harness/link';
import { type EventView, nameOf, sendOf, type TraceModel } from '@quorumlab/trace-view';
import type { State } from './state.ts';

/** Something that can be done now. */
export interface Act {
  /** What it is called by keys. */
  readonly name: string;
  /** What people read, which is the name of the branch too. */
  readonly title: string;
  readonly settings: Settings;
}

/** What is held: a side, the moment, and the node or the copy of a message that it is about. */
export interface Held {
  readonly side: 0 | 1;
  readonly model: TraceModel;
  /** Microseconds. */
  readonly now: number;
  readonly event: EventView | undefined;
}

/** How long "later" is, in microseconds. */
const later = 20_000;

/** What is held, or else what happened last; nothing if no run is shown. */
export function heldIn({ selection, timeline, drawn }: State): Held | undefined {
  const { side: held, event, count } = selection.value;
  const last = timeline.value[count - 1];
  const side = (held ?? last?.side ?? 0) as 0 | 1;
  const model = drawn.value[side]?.model;
  if (model === undefined) return undefined;
  return { side, model, now: last?.t ?? 0, event: model.events[event ?? last?.event ?? -1] };
}

const withEdit = (settings: Settings, side: 0 | 1, edit: Edit): Settings => {
  const [left, right] = settings.edits;
  const edits: Settings['edits'] = side === 0 ? [[...left, edit], right] : [left, [...right, edit]];
  return { ...settings, edits };
};

/** Settings without one of their edits. */
export function withoutEdit(settings: Settings, side: 0 | 1, place: number): Settings {
  const rest = (list: readonly Edit[]): readonly Edit[] => list.filter((_, i) => i !== place);
  const [left, right] = settings.edits;
  return { ...settings, edits: side === 0 ? [rest(left), right] : [left, rest(right)] };
}

/** Everything that can be done to a node at a moment. */
export function actsOnNode(settings: Settings, held: Held, node: number): readonly Act[] {
  const { side, model, now } = held;
  const name = nameOf(model, node);
  const at = now + 1;
  const edit = (type: 'crash' | 'restart' | 'timeout'): Settings =>
    withEdit(settings, side, { type, at, node });
  const isDown =
    model.events.findLast(
      ({ k, n, t }) => n === node && t <= now && (k === 'crash' || k === 'restart'),
    )?.k === 'crash';
  return [
    traitorAct(settings, side, node, name),
    isDown
      ? { name: 'crash', title: `restart ${name}`, settings: edit('restart') }
      : { name: 'crash', title: `crash ${name}`, settings: edit('crash') },
    { name: 'timeout', title: `time out ${name} now`, settings: edit('timeout') },
  ];
}

/** Makes a node a traitor, or honest again. One that lies needs a lie: the usual one if none is. */
function traitorAct(settings: Settings, side: 0 | 1, node: number, name: string): Act {
  const { by } = scenarioOf(settings, side);
  const lies = by.includes(node);
  const liars = lies ? by.filter((id) => id !== node) : [...by, node].sort((a, b) => a - b);
  const [left, right] = settings.by;
  const traitors: readonly [Traitors, Traitors] = side === 0 ? [liars, right] : [left, liars];
  const attack = settings.attack === 'none' && !lies ? 'equivocating-leader' : settings.attack;
  return {
    name: 'traitor',
    title: lies ? `make ${name} honest` : `make ${name} a traitor`,
    settings: { ...settings, by: traitors, attack },
  };
}

/** Everything that can be done to the copy of a message that an event is about; or nothing. */
export function actsOnMessage(
  settings: Settings,
  { side, model, now, event }: Held,
): readonly Act[] {
  const send = event === undefined ? undefined : sendOf(model, event);
  const { to } = send ?? {};
  if (send === undefined || to === undefined || send.n === to) return [];
  const copy = {
    from: send.n,
    to,
    nth: model.events.filter(
      ({ k, n, i, to: whom }) => k === 'send' && n === send.n && whom === to && i < send.i,
    ).length,
  };
  const what = `${send.message?.kind ?? 'message'} ${nameOf(model, send.n)} → ${nameOf(model, to)}`;
  const arrival =
    model.events.find(({ k, cause }) => k === 'deliver' && cause === send.i)?.t ?? now;
  const after = Math.max(0, now - send.t) + 1;
  const act = (name: string, title: string, edit: Edit): Act => ({
    ...{ name, title: `${title} ${what}` },
    settings: withEdit(settings, side, edit),
  });
  return [
    act('drop', 'drop', { ...copy, does: 'drop' }),
    act('delay', 'delay by 20 ms', { ...copy, does: 'move', after: arrival - send.t + later }),
    act('now', 'deliver now', { ...copy, does: 'move', after }),
    act('twice', 'deliver twice', { ...copy, does: 'twice', after }),
  ];
}

/** Splits the group: those that are named from all others; nobody named heals every split. */
export function splitAct(settings: Settings, held: Held, apart: readonly number[]): Act {
  const at = held.now + 1;
  if (apart.length === 0)
    return {
      name: 'split',
      title: 'heal',
      settings: withEdit(settings, held.side, { type: 'heal', at }),
    };
  const rest = held.model.seats
    .filter(({ kind, index }) => kind === 'replica' && !apart.includes(index))
    .map(({ index }) => index);
  const names = apart.map((id) => nameOf(held.model, id)).join(' ');
  return {
    name: 'split',
    title: `split off ${names}`,
    settings: withEdit(settings, held.side, { type: 'split', at, groups: [rest, apart] }),
  };
}

/** Does what a key is for, to what is held, if that is possible where one is. */
export function act(state: State, name: string): void {
  const { route, settings } = state.place.value;
  const held = route === 'play' ? heldIn(state) : undefined;
  if (held === undefined) return;
  const node = held.event?.n ?? -1;
  const isReplica = held.model.seats[node]?.kind === 'replica';
  const all = [
    ...(isReplica ? actsOnNode(settings, held, node) : []),
    ...actsOnMessage(settings, held),
  ];
  const found = all.find((each) => each.name === name);
  if (found !== undefined) state.edit(found.title, found.settings);
}
