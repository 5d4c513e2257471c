/** Rare situations: which there are, and how often a run really was in each. */
import type { Observer } from '@quorumlab/checker';
import { idle, type Output, type ReplicaId, type Status } from '@quorumlab/core';
import { snapshotBy } from '@quorumlab/log';
import type { Watcher } from '@quorumlab/sim';
import type { AnyShape, Prepared } from './prepare.ts';
import type { ProtocolEntry } from './protocol-entry.ts';

/** The rare situations that runs are searched for, with what each is. */
export const situations = {
  'crash-before-write': 'crashed when a step was done and nothing of it was on the disk',
  'crash-after-write': 'crashed when a step was on the disk and nothing of it was said',
  'crash-between-messages': 'crashed when only a part of a step was said, or nothing',
  'leader-cut-off': 'the leader crashed in one of these places',
  'disk-lost-by-leader': 'a replica lost its disk while it led',
  'disk-lost-while-fetching': 'a replica lost its disk while it fetched a snapshot',
  'recovered-without-disk': 'a replica that lost its disk has run all that ran before that',
  'crash-while-recovering': 'a replica that lost its disk crashed before that',
  'leader-changed-while-recovering': 'another replica began to lead before that',
  'snapshot-installed': 'a replica took over a snapshot of another one',
  'snapshot-installed-late': 'a replica took one over after it had missed three or more',
  'snapshot-outdated': 'the snapshot that was fetched was too old before it was there',
  'crash-while-fetching': 'a replica crashed while it fetched a snapshot',
  'group-changed': 'the group was changed',
  'group-change-refused': 'a change of the group was refused',
  'leader-changed-in-group-change': 'another replica began to lead while one was under way',
  'read-in-group-change': 'a read was under way while the group was changed',
  'read-in-leader-change': 'a read was under way while another replica began to lead',
  'lead-handed-over': 'the lead went to whom somebody had asked to have it',
  'lead-not-handed-over': 'somebody asked that another one lead, in vain',
  'read-at-follower': 'a replica that did not lead answered a linearizable read',
  'session-closed': 'a request was refused because its session was closed',
  'session-taken': 'a request was refused because its session is of another process',
  'request-too-old': 'a request was refused because its answer is forgotten',
} as const;

/** The name of one of the {@link situations}. */
export type Situation = keyof typeof situations;

/** How often each was reached; those that were not are left out. */
export type Reached = Readonly<Partial<Record<Situation, number>>>;

/** The sum of two counts. */
export function addReached(one: Reached, two: Reached): Reached {
  const sum: Partial<Record<Situation, number>> = { ...one };
  for (const name of situationNames)
    if (two[name] !== undefined) sum[name] = (sum[name] ?? 0) + two[name];
  return sum;
}

/** All {@link situations}, in their order. */
export const situationNames: readonly Situation[] = Object.keys(situations) as Situation[];

/** Which of them random worlds of a protocol are to reach: all that it has the parts for. */
export function reachable({
  claims,
  create,
  change,
  transfer,
  options,
}: ProtocolEntry): readonly Situation[] {
  const protocol = create({ n: claims.replicas(1), f: 1 });
  const changes = change !== undefined;
  const grows = protocol.length === undefined;
  const needs: Partial<Record<Situation, boolean>> = {
    'disk-lost-while-fetching': grows,
    'snapshot-installed': grows,
    'snapshot-installed-late': grows,
    // In the crash model the log keeps what comes after a snapshot until it is fetched.
    'snapshot-outdated': grows && claims.faults === 'byzantine',
    'crash-while-fetching': grows,
    'group-changed': changes,
    'group-change-refused': changes,
    'leader-changed-in-group-change': changes,
    'read-in-group-change': changes,
    'lead-handed-over': transfer !== undefined,
    'lead-not-handed-over': transfer !== undefined,
    'read-at-follower': Object.hasOwn(options, 'followerReads'),
    'session-closed': grows,
    'session-taken': grows,
    // There clients ask one replica, so hardly any copy comes late.
    'request-too-old': grows && claims.faults === 'byzantine',
  };
  return situationNames.filter((name) => needs[name] ?? true);
}

/** Counts while a run is under way. */
export interface Reaching {
  readonly observer: Observer;
  readonly watcher: Watcher<AnyShape>;
  /** A client had an answer to a read, or to a change of the group. */
  asked(what: 'read' | 'change', began: number, ended: number): void;
  reached(): Reached;
}

/** What is known of a replica. */
interface Known {
  leads: boolean;
  /** The last slot that it has run. */
  applied: number;
  /** What it fetches. */
  fetching: { readonly root: string; readonly slot: number } | undefined;
  /** It has lost its disk, and has not run this slot yet. */
  recovering: number | undefined;
  /** As it was when it stopped. */
  stopped: Pick<Known, 'leads' | 'fetching'>;
}

type Interval = readonly [began: number, ended: number];

/** So many snapshots were taken while whoever installs one late was away. */
const late = 3;

const refusals: Readonly<Record<string, Situation>> = {
  'session-expired': 'session-closed',
  'session-taken': 'session-taken',
  'too-old': 'request-too-old',
};

/** Counts what honest replicas go through; `statusOf` tells what one of them believes. */
export function reaching(
  { scenario, seats, changes, protocol }: Prepared,
  statusOf: (seat: ReplicaId) => Status | undefined,
): Reaching {
  const counts: Partial<Record<Situation, number>> = {};
  const reach = (name: Situation, times = 1): void => {
    if (times > 0) counts[name] = (counts[name] ?? 0) + times;
  };
  const known = Array.from({ length: scenario.n }, (): Known => {
    const fresh = { leads: false, fetching: undefined };
    return { ...fresh, applied: -1, recovering: undefined, stopped: fresh };
  });
  const isWatched = (seat: number): boolean => seat < scenario.n && seats[seat]?.traitor !== true;
  const losses = new Set(
    scenario.faults.flatMap((fault) =>
      fault.type === 'restart' && fault.disk === 'lost' ? [`${fault.at} ${fault.node}`] : [],
    ),
  );
  const transfers = new Set(
    changes.flatMap(({ event }, i) =>
      event.type === 'submit' && scenario.changes?.[i]?.leader !== undefined
        ? [event.operation.join()]
        : [],
    ),
  );
  const taken = new Set<number>();
  const judged = new Set<number>();
  const asked: Record<'read' | 'change', Interval[]> = { read: [], change: [] };
  const elections: number[] = [];
  let highest = -1;
  let most = -1;

  function advance(replica: Known, slot: number): void {
    replica.applied = slot;
    most = Math.max(most, slot);
    if (replica.fetching !== undefined && replica.fetching.slot <= slot)
      replica.fetching = undefined;
    if (replica.recovering === undefined || slot < replica.recovering) return;
    replica.recovering = undefined;
    reach('recovered-without-disk');
  }

  function lead(at: number, seat: number, replica: Known): void {
    const { leader, term = 0 } = statusOf(seat) ?? {};
    replica.leads = leader === seat;
    if (!replica.leads || term <= highest) return;
    if (highest >= 0) {
      elections.push(at);
      if (known.some(({ recovering }) => recovering !== undefined))
        reach('leader-changed-while-recovering');
    }
    highest = term;
  }

  const readsAnywhere = protocol.client.readsAnywhere === true;

  function lookAtMessages(replica: Known, { sends }: Output<AnyShape>): void {
    for (const { message } of sends) {
      if (readsAnywhere && !replica.leads && message.kind === 'query-reply')
        reach('read-at-follower');
      if (message.kind === 'refusal' && 'reason' in message) {
        const name = refusals[message.reason];
        if (name !== undefined) reach(name);
      }
      if (message.kind !== 'snapshot-request' || !('root' in message)) continue;
      const { root, slot } = message;
      if (replica.fetching !== undefined && replica.fetching.root !== root)
        reach('snapshot-outdated');
      replica.fetching = { root, slot };
    }
  }

  function lookAtSnapshot(replica: Known, output: Output<AnyShape>): void {
    const snapshot = snapshotBy(output);
    if (snapshot === undefined) return;
    if (snapshot.origin !== 'installed') return void taken.add(snapshot.slot);
    reach('snapshot-installed');
    const missed = [...taken].filter((slot) => slot > replica.applied && slot <= snapshot.slot);
    if (missed.length >= late) reach('snapshot-installed-late');
  }

  function lookAtGroup({ decisions }: Output<AnyShape>): void {
    for (const { slot, commands, configured } of decisions) {
      if (configured === undefined || judged.has(slot)) continue;
      judged.add(slot);
      const isDone = configured.refusal === undefined;
      const [command] = commands as readonly { readonly configuration?: Uint8Array }[];
      if (transfers.has(command?.configuration?.join() ?? ''))
        reach(isDone ? 'lead-handed-over' : 'lead-not-handed-over');
      else reach(isDone ? 'group-changed' : 'group-change-refused');
    }
  }

  return {
    observer: {
      violation: undefined,
      started(at, seat) {
        const replica = known[seat];
        if (replica === undefined || !losses.has(`${at} ${seat}`)) return;
        if (replica.stopped.leads) reach('disk-lost-by-leader');
        if (replica.stopped.fetching !== undefined) reach('disk-lost-while-fetching');
        replica.applied = -1;
        replica.recovering = Math.max(0, most);
      },
      stopped(_at, seat) {
        const replica = known[seat];
        if (replica === undefined) return;
        const { leads, fetching, recovering } = replica;
        if (fetching !== undefined) reach('crash-while-fetching');
        if (recovering !== undefined) reach('crash-while-recovering');
        replica.stopped = { leads, fetching };
        replica.leads = false;
        replica.fetching = undefined;
      },
      applied(_at, seat, { slot }) {
        const replica = known[seat];
        if (replica !== undefined) advance(replica, slot);
      },
      installed(_at, seat, slot) {
        const replica = known[seat];
        if (replica !== undefined) advance(replica, slot);
      },
    },
    watcher: {
      stepped(at, seat, output) {
        const replica = known[seat];
        if (replica === undefined || output === idle() || !isWatched(seat)) return;
        lookAtMessages(replica, output);
        lookAtSnapshot(replica, output);
        lookAtGroup(output);
        lead(at, seat, replica);
      },
      cutOff(_at, seat, where) {
        if (!isWatched(seat)) return;
        reach(where === 'before-message' ? 'crash-between-messages' : `crash-${where}`);
        if (known[seat]?.leads) reach('leader-cut-off');
      },
    },
    asked: (what, began, ended) => void asked[what].push([began, ended]),
    reached() {
      const { read, change } = asked;
      const holds = ([began, ended]: Interval): boolean =>
        elections.some((at) => at > began && at < ended);
      const meets = ([began, ended]: Interval): boolean =>
        change.some(([from, to]) => began < to && from < ended);
      reach('leader-changed-in-group-change', change.filter(holds).length);
      reach('read-in-leader-change', read.filter(holds).length);
      reach('read-in-group-change', read.filter(meets).length);
      return { ...counts };
    },
  };
}
