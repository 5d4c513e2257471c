/** Shards in the simulator, and what is known of a run of them that no client can know. */
import { agreement, type ListTransaction, type Observer } from '@quorumlab/checker';
import { type Acted, brokenBound, overlap } from '@quorumlab/clocks';
import {
  firstClient,
  type Interval,
  type MessagesField,
  ms,
  type PrincipalId,
  type Protocol,
  type Random,
  range,
  toUtf8,
} from '@quorumlab/core';
import { type LogShape, serviced } from '@quorumlab/log';
import { moveRange, type Range, type Router, router, setBorder } from '@quorumlab/shards';
import { decisions, lan, type Simulation, type SimulationOptions, simulate } from '@quorumlab/sim';
import { type EvidenceSource, idealAuthority, idealKeyring } from '@quorumlab/wire';
import { appending, type Noted, reading, type Work } from './clients.ts';
import type { Deed } from './deeds.ts';
import {
  earlier,
  inexact,
  notStrict,
  outOfOrder,
  type ShardViolation,
  staleRead,
} from './judge.ts';
import { type ShardReached, sightings } from './reached.ts';
import type { AnyShape, MakeParty } from './seats.ts';
import { type KeeperReading, usualPace, type WorldOptions } from './world-options.ts';
import { type Ears, seatsOf } from './world-seats.ts';

/** Groups, keepers and clients that run. */
export interface World {
  readonly simulation: Simulation<AnyShape>;
  /** For whoever draws what happens to it: not the simulator's own chance. */
  readonly random: Random;
  /** The seat of a member, a keeper or a client. */
  member(group: number, member: number): number;
  keeper(group: number, place: number): number;
  client(place: number): number;
  /** Has a client append an element of its own to some keys, and read others. */
  append(at: number, client: number, appends: readonly string[], reads?: readonly string[]): void;
  /** Has a client read at a timestamp, or at its clock. */
  read(at: number, client: number, keys: readonly string[], timestamp?: number): void;
  move(at: number, client: number, first: string, from: number, to: number): void;
  /** Has two ranges meet at a key, or no longer, where the client believes that the key is. */
  border(at: number, client: number, kind: 'split' | 'merge', border: string): void;
  /** Any of these, or a fault. */
  do(deed: Deed): void;
  readonly history: readonly Noted[];
  /** What keepers said of their clocks, in order. */
  readonly readings: readonly KeeperReading[];
  /** How much began and has not ended, at clients that run. */
  open(): number;
  /** How many moves, splits and merges were asked for and have not ended. */
  openMoves(): number;
  /** Moves that have ended. */
  readonly moves: readonly (Range | undefined)[];
  /** Which rare situations it was in so far. */
  reached(): ShardReached;
  /** All that is wrong with the run; without `realTime` only what clocks cannot make wrong. */
  wrong(options?: { readonly realTime?: boolean }): readonly ShardViolation[];
  /** The first reading of a clock that its bound did not hold, in words. */
  brokenBound(): string | undefined;
}

/** Keys a to z; group g has the g-th part of them. */
const firstRanges = (groups: number): readonly Range[] =>
  range(groups).map((group) => {
    const border = (of: number): string => String.fromCharCode(97 + Math.floor((26 * of) / groups));
    return {
      from: group === 0 ? '' : border(group),
      to: group === groups - 1 ? null : border(group + 1),
      group,
      epoch: 1,
    };
  });

/** What the simulator is told to look at: each group's agreement, and the order of time. */
function watching(groups: number, n: number, history: readonly Noted[]): Observer {
  const agreements = range(groups).map(() => agreement());
  let judged = 0;
  let late: Observer['violation'];
  return {
    decided: (at, seat, decision) =>
      agreements[Math.floor(seat / n)]?.decided?.(at, seat, decision),
    get violation() {
      const forked = agreements
        .map(({ violation }) => violation)
        .find((each) => each !== undefined);
      for (; judged < history.length && late === undefined; judged++) {
        const ended = history[judged] as Noted;
        const sentence = earlier(history.slice(0, judged), ended);
        const at = ended.transaction.returnedAt as number;
        if (sentence !== undefined)
          late = { word: 'invalid', rule: 'external-consistency', sentence, at, seats: [] };
      }
      return forked ?? late;
    },
  };
}

/**
 * What seats are called: `A0` for a member of the first group, `kB1` for the second keeper of the
 * second, `c0` for a client.
 */
export function seatNames(options: Omit<WorldOptions, 'seed'>): readonly string[] {
  const { protocol, groups = 2, keepers = 2, clients = 3 } = options;
  const letters = range(groups).map(letterOf);
  return [
    ...letters.flatMap((letter) => protocol.members.map((member) => `${letter}${member}`)),
    ...letters.flatMap((letter) => range(keepers).map((place) => `k${letter}${place}`)),
    ...range(clients).map((place) => `c${place}`),
  ];
}

/** What people call a group. */
const letterOf = (group: number): string => String.fromCharCode(65 + group);

/** What there is to judge of a run. */
interface Seen {
  readonly history: readonly Noted[];
  readonly open: readonly ListTransaction[];
  readonly acts: readonly (readonly Acted[])[];
}

const found = (rule: string, sentence: string | undefined): readonly ShardViolation[] =>
  sentence === undefined ? [] : [{ rule, sentence }];

/** Whether a group disagrees with itself. */
const foundBy = ({ violation }: Observer): readonly ShardViolation[] =>
  found('agreement', violation?.word === 'forked' ? violation.sentence : undefined);

const violationsIn = (
  { history, open, acts }: Seen,
  realTime: boolean,
): readonly ShardViolation[] => [
  ...found('snapshot', inexact(history, open)),
  ...(realTime ? found('external-consistency', outOfOrder(history)) : []),
  ...(realTime ? found('stale-read', staleRead(history)) : []),
  ...found('serializability', notStrict(history, open, realTime)),
  ...(realTime ? found('leases', acts.map(overlap).find(Boolean)) : []),
];

/** All that is written down during a run. */
const emptyRecords = (groups: number) => ({
  tasks: [] as MakeParty[],
  history: [] as Noted[],
  readings: [] as KeeperReading[],
  moves: [] as (Range | undefined)[],
  acts: range(groups).map((): Acted[] => []),
  began: new Map<number, ListTransaction>(),
});

/** What all seats say, and sign it with. */
function signing(
  protocol: Protocol<LogShape>,
): Pick<SimulationOptions<AnyShape>, 'messages' | 'keyring'> {
  const { messages } = serviced(protocol) as unknown as {
    readonly messages: MessagesField<AnyShape['Message']>;
  };
  const authority = idealAuthority();
  const source = protocol as unknown as EvidenceSource;
  return {
    messages,
    keyring: (_seat, self) => idealKeyring({ authority, messages, protocol: source, self }),
  };
}

/** Makes a world. Its groups have chosen leaders, and its keepers leases, after about 600 ms. */
export function world(options: WorldOptions): World {
  const { protocol, seed, groups = 2, keepers = 2, clients = 3 } = options;
  const n = protocol.members.length;
  const all = range(groups);
  const { tasks, history, readings, moves, acts, began } = emptyRecords(groups);
  const seen = sightings();
  let broken: string | undefined;
  let element = 0;
  const ranges = firstRanges(groups);
  const routers = range(clients).map((): Router => router(ranges));
  const trueNow = (): number => simulation.now;
  const firstParty = groups * n;
  const seatOf = (principal: PrincipalId): number => firstParty + principal - firstClient;
  const watch = (principal: PrincipalId, interval: Interval): void => {
    const node = seatOf(principal);
    broken ??= brokenBound({ node, name: names[node] ?? '', interval, at: trueNow() });
  };
  const heard: Ears['heard'] = (group, principal, reading) =>
    void readings.push({ group, seat: seatOf(principal), at: trueNow(), ...reading });
  const names = seatNames(options);
  const observer = watching(groups, n, history);
  const simulation: Simulation<AnyShape> = simulate<AnyShape>({
    ...signing(protocol),
    seats: seatsOf(options, { ranges, tasks, acts, watch, heard, trueNow, seen }),
    network: options.network ?? lan,
    inputs: { next: () => undefined },
    seed,
    observer,
    stopAtViolation: false,
    limits: { until: options.until ?? ms(60_000) },
    decisions: options.decisions,
    record: options.record ?? false,
    ...(options.trace ? { trace: options.trace } : {}),
  });
  const client = (place: number): number => firstParty + groups * keepers + place;
  /** `what`: for people who read a trace. */
  const begin = (when: number, at: number, what: string, make: MakeParty): void => {
    const id = tasks.push(make) - 1;
    const event = { type: 'submit', id, operation: toUtf8(what), readOnly: false } as const;
    simulation.input({ at: when, seat: client(at), event });
  };
  /** What somebody does at a client, with all that it takes to write it down. */
  const work = (at: number): Work => ({
    pollEvery: (options.pace ?? usualPace).every,
    ...{ client: at, task: tasks.length, router: routers[at] as Router, groups: all },
    began: (task, before) => void began.set(task, before),
    ended(task, noted) {
      began.delete(task);
      if (noted === undefined) return;
      history.push(noted);
      const { isRead, isStrong, transaction } = noted;
      if (isRead && !isStrong && transaction.operations.length > 0)
        seen.see('read-at-timestamp', `${noted.task}`);
    },
    watch,
  });
  let changesAsked = 0;
  let changesEnded = 0;
  const made: World = {
    simulation,
    random: decisions({ seed: `world ${seed}` }),
    member: (group, member) => group * n + member,
    keeper: (group, place) => firstParty + group * keepers + place,
    client,
    history,
    readings,
    moves,
    open: () =>
      [...began.values()].filter(({ process }) => simulation.seat(client(process)).running).length,
    openMoves: () => changesAsked - changesEnded,
    append(when, at, appends, reads = []) {
      element += 1;
      const what = `T${tasks.length}: write ${appends.join(' ')}`;
      begin(when, at, what, appending(work(at), appends, reads, element));
    },
    read: (when, at, keys, timestamp) =>
      begin(
        when,
        at,
        `R${tasks.length}: read ${keys.join(' ')}`,
        reading(work(at), keys, timestamp),
      ),
    move(when, at, first, from, to) {
      changesAsked += 1;
      const onEnd = (moved: Range | undefined): void => {
        changesEnded += 1;
        moves.push(moved);
        if (moved !== undefined) seen.see('range-moved', `${moved.from}/${moved.epoch}`);
      };
      begin(when, at, 'a move of a range', () => moveRange({ first, from, to, onEnd }));
    },
    border(when, at, kind, border) {
      changesAsked += 1;
      const onEnd = (): void => void (changesEnded += 1);
      begin(when, at, `a ${kind} at ${border}`, () => {
        const group = (routers[at] as Router).groupOf(border) ?? 0;
        return setBorder({ kind, at: border, group, onEnd });
      });
    },
    reached: () => seen.reached(),
    do(deed) {
      if (deed.kind === 'fault') return simulation.inject(deed.fault);
      const { at, client: by } = deed;
      if (deed.kind === 'append') return made.append(at, by, deed.appends, deed.reads);
      if (deed.kind === 'read') return made.read(at, by, deed.keys, deed.timestamp);
      if (deed.kind !== 'move') return made.border(at, by, deed.kind, deed.border);
      return made.move(at, by, deed.first, deed.from, deed.to);
    },
    brokenBound: () => broken,
    wrong({ realTime = true } = {}) {
      const all = { history, acts, open: [...began.values()] };
      return [...foundBy(observer), ...violationsIn(all, realTime)];
    },
  };
  return made;
}
