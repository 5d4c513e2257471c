/** What a folded view shows: no talk that changed nothing, and equal votes as one. */
import { canonicalJson } from '@quorumlab/sim';
import type { MessageView } from './message.ts';
import { type EventView, sendOf, type TraceModel } from './model.ts';

/** Equal words of several senders to one receiver: votes for the same. */
export interface VoteGroup {
  readonly to: number;
  readonly message: MessageView;
  /** Deliveries, the first of each sender, in their order. */
  readonly deliveries: readonly number[];
  readonly senders: readonly number[];
  /** The delivery after which something changed, or the last. */
  readonly decisive: number;
  readonly lied: boolean;
}

/** What is shown. */
export interface Folded {
  readonly votes: readonly VoteGroup[];
  /** Events to show, by index; deliveries and sends of votes are not among them. */
  readonly shown: readonly number[];
}

/** All of a run: every event, nothing as one. */
export const unfolded = ({ events }: TraceModel): Folded => ({
  votes: [],
  shown: events.filter(({ k }) => k !== 'apply').map(({ i }) => i),
});

/** A run without what changed nothing. */
export function folded(model: TraceModel): Folded {
  const votes = voteGroups(model);
  const inVotes = new Set(votes.flatMap(({ all }) => all));
  const shown = model.events.filter(({ i, k, tells, n, to, message, effects }) => {
    if (k === 'apply' || inVotes.has(i)) return false;
    if (k === 'send' || k === 'dup')
      // What a vote is made of is shown as the vote; what one says to oneself is no arrow.
      return (
        n !== to && !effects.every((each) => inVotes.has(each)) && (tells || lies(model, message))
      );
    if (k === 'deliver' || k === 'drop') {
      const send = sendOf(model, model.events[i] as EventView);
      return send?.n !== n && (tells || send?.tells === true || lies(model, message));
    }
    return tells && k !== 'timer';
  });
  return {
    votes: votes.filter(({ tells }) => tells).map(({ all: _, tells: __, ...group }) => group),
    shown: shown.map(({ i }) => i),
  };
}

/** What a liar says to others of a value is worth showing even if nobody believes it. */
const lies = ({ seats }: TraceModel, message: MessageView | undefined): boolean =>
  message !== undefined && message.values !== '' && seats[message.from]?.liar === true;

type Found = VoteGroup & { readonly all: readonly number[]; readonly tells: boolean };

function voteGroups(model: TraceModel): readonly Found[] {
  const groups = new Map<string, EventView[]>();
  for (const event of model.events) {
    const { k, n, message } = event;
    if (k !== 'deliver' || message === undefined) continue;
    const key = `${n} ${message.kind} ${canonicalJson(message.body)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return [...groups.values()].flatMap((all) => {
    const first = new Map<number, EventView>();
    for (const event of all) {
      const from = event.message?.from ?? -1;
      if (!first.has(from)) first.set(from, event);
    }
    if (first.size < 2) return [];
    return [groupOf(model, all, first)];
  });
}

function groupOf(
  { seats }: TraceModel,
  all: readonly EventView[],
  first: ReadonlyMap<number, EventView>,
): Found {
  const [one] = all as [EventView];
  const message = one.message as MessageView;
  const deliveries = [...first.values()].map(({ i }) => i);
  // The last delivery that changed something is the one that made it a quorum.
  const decisive = [...first.values()].findLast(({ tells }) => tells)?.i;
  return {
    to: one.n,
    message,
    deliveries,
    senders: [...first.keys()],
    decisive: decisive ?? (deliveries.at(-1) as number),
    lied: [...first.keys()].some((id) => seats[id]?.liar === true),
    all: all.map(({ i }) => i),
    tells: decisive !== undefined || message.values !== '',
  };
}
