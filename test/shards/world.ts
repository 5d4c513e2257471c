/** Runs of shards in the simulator, and what has to hold of each. */
import { agreement, type ListTransaction, type Observer } from '@quorumlab/checker';
import { type Acted, brokenBound, overlap } from '@quorumlab/clocks';
import {
  firstClient,
  fromUtf8,
  type Interval,
  type MessagesField,
  ms,
  type Protocol,
  type Random,
  range,
  toUtf8,
} from '@quorumlab/core';
import { type LogShape, serviced } from '@quorumlab/log';
import {
  keeper,
  moveRange,
  type Range,
  type Router,
  router,
  type ShardRules,
  type Step,
  shard,
  shardRules,
  snapshotRead,
  type TransactionEnd,
  transaction,
  type Values,
} from '@quorumlab/shards';
import {
  type ClockModel,
  decisions,
  type Fault,
  lan,
  type NetworkModel,
  type Seat,
  type Simulation,
  simulate,
} from '@quorumlab/sim';
import { type EvidenceSource, idealAuthority, idealKeyring } from '@quorumlab/wire';
import { inexact, type Noted, notStrict, outOfOrder } from './judge.ts';
import { type AnyShape, type MakeParty, memberSeat, partySeat, principalOf } from './seats.ts';

export const epsilon = ms(4);

export interface WorldOptions {
  readonly protocol: Protocol<LogShape>;
  readonly seed: number;
  readonly rules?: ShardRules;
  readonly groups?: number;
  readonly keepers?: number;
  readonly clients?: number;
  readonly network?: NetworkModel;
  /** Of each keeper and client, by its place. */
  readonly clock?: (place: number) => ClockModel;
  readonly until?: number;
}

export interface World {
  readonly simulation: Simulation<AnyShape>;
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
  /** Runs another party at a client. */
  begin(at: number, client: number, party: MakeParty): void;
  readonly history: readonly Noted[];
  /** How much began and has not ended, at clients that run. */
  open(): number;
  /** Moves that have ended. */
  readonly moves: readonly (Range | undefined)[];
  /** What is wrong with the run, in words; nothing: all holds. */
  wrong(options?: { readonly realTime?: boolean }): string | undefined;
  /** The first reading of a clock that its bound did not hold, in words. */
  brokenBound(): string | undefined;
}

const text = (value: Uint8Array | null | undefined): number[] =>
  value ? JSON.parse(fromUtf8(value)) : [];
const bytesOf = (list: readonly number[]): Uint8Array => toUtf8(JSON.stringify(list));

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

/** The keeper of a group, with somebody who looks at its clock. */
const keeping =
  (group: number, rules: ShardRules, { acts, watch }: Ears): MakeParty =>
  (host) => {
    let readAt = 0;
    const inner = keeper({
      self: host.self,
      group,
      every: ms(4),
      lease,
      idle: ms(100),
      rules,
      onTick: ({ lease: held }) =>
        void acts[group]?.push({ lease: held, from: readAt, to: readAt }),
    });
    return {
      step(input) {
        const output = inner.step(input);
        if (output.asks.some(({ operation }) => operation.kind === 'tick')) {
          readAt = host.trueNow();
          watch(host.self - firstClient, input.clock);
        }
        return output;
      },
    };
  };

/** What the seats of a world tell it, and what is run at them. */
interface Ears {
  readonly ranges: readonly Range[];
  readonly tasks: readonly MakeParty[];
  readonly acts: readonly Acted[][];
  watch(node: number, interval: Interval): void;
  trueNow(): number;
}

const lease = ms(300);

/** The members of all groups, then their keepers, then clients. */
function seatsOf(options: WorldOptions, ears: Ears): readonly Seat<AnyShape>[] {
  const { protocol, rules = shardRules, groups = 2, keepers = 2, clients = 3 } = options;
  const { ranges, tasks, trueNow } = ears;
  const all = range(groups);
  const times = { lease, patience: ms(400), keep: ms(60_000) };
  const clock = (place: number): ClockModel => options.clock?.(place) ?? { epsilon };
  const keepersOf = (group: number): readonly number[] =>
    range(keepers).map((place) => firstClient + group * keepers + place);
  const seats: Seat<AnyShape>[] = [];
  for (const group of all)
    for (const member of protocol.members) {
      const machine = () =>
        shard({
          group,
          ranges: [ranges[group] as Range],
          keepers: keepersOf(group),
          ...times,
          rules,
        });
      seats.push({
        principal: principalOf(group, member),
        make: (stable) => memberSeat(protocol, group, member, machine, stable),
      });
    }
  const party = (principal: number, first: readonly MakeParty[], place: number): void =>
    void seats.push({
      principal,
      clock: clock(place),
      make: () => partySeat(protocol, all, { self: principal, trueNow }, first, tasks),
    });
  for (const group of all)
    for (const [place, principal] of keepersOf(group).entries())
      party(principal, [keeping(group, rules, ears)], group * keepers + place);
  for (const place of range(clients))
    party(firstClient + groups * keepers + place, [], groups * keepers + place);
  return seats;
}

export function world(options: WorldOptions): World {
  const { protocol, seed, groups = 2, keepers = 2, clients = 3 } = options;
  const n = protocol.members.length;
  const all = range(groups);
  const tasks: MakeParty[] = [];
  const history: Noted[] = [];
  const moves: (Range | undefined)[] = [];
  const acts = all.map((): Acted[] => []);
  const began = new Map<number, ListTransaction>();
  let broken: string | undefined;
  let element = 0;
  const ranges = firstRanges(groups);
  const routers = range(clients).map((): Router => router(ranges));
  const { messages } = serviced(protocol) as unknown as {
    readonly messages: MessagesField<AnyShape['Message']>;
  };
  const authority = idealAuthority();
  const source = protocol as unknown as EvidenceSource;
  const trueNow = (): number => simulation.now;
  const watch = (node: number, interval: Interval): void => {
    broken ??= brokenBound({ node, interval, at: trueNow() });
  };

  const seats = seatsOf(options, { ranges, tasks, acts, watch, trueNow });
  const agreements = all.map(() => agreement());
  const observer: Observer = {
    decided: (at, seat, decision) =>
      agreements[Math.floor(seat / n)]?.decided?.(at, seat, decision),
    get violation() {
      return agreements.map(({ violation }) => violation).find((each) => each !== undefined);
    },
  };
  const simulation: Simulation<AnyShape> = simulate<AnyShape>({
    messages,
    keyring: (_seat, self) => idealKeyring({ authority, messages, protocol: source, self }),
    seats,
    network: options.network ?? lan,
    inputs: { next: () => undefined },
    seed,
    observer,
    limits: { until: options.until ?? ms(60_000) },
  });

  const firstParty = groups * n;
  const at = {
    member: (group: number, member: number) => group * n + member,
    keeper: (group: number, place: number) => firstParty + group * keepers + place,
    client: (place: number) => firstParty + groups * keepers + place,
  };
  const begin = (when: number, client: number, make: MakeParty): void => {
    tasks.push(make);
    const event = {
      type: 'submit',
      id: tasks.length - 1,
      operation: new Uint8Array(),
      readOnly: false,
    } as const;
    simulation.input({ at: when, seat: at.client(client), event });
  };
  const note = (
    task: number,
    ended: ListTransaction,
    timestamp: number | undefined,
    isRead: boolean,
  ) => {
    began.delete(task);
    history.push({ transaction: ended, at: timestamp, isRead });
  };

  const self: World = {
    simulation,
    random: decisions({ seed: `world ${seed}` }),
    ...at,
    begin,
    history,
    moves,
    open: () =>
      [...began.values()].filter(({ process }) => simulation.seat(at.client(process)).running)
        .length,
    append(when, client, appends, reads = []) {
      const task = tasks.length;
      const value = ++element;
      begin(when, client, (host) => {
        const keys = [...new Set([...appends, ...reads])];
        const before: ListTransaction = {
          process: client,
          invokedAt: host.trueNow(),
          returnedAt: undefined,
          outcome: 'unknown',
          operations: appends.map((key) => ({ kind: 'append', key, value })),
        };
        began.set(task, before);
        // One half takes all locks at once, the other half only once it has read.
        const isEarly = task % 2 === 0;
        const body = (values: Values, writable: ReadonlySet<string>): Step => {
          const isRead = keys.every((key) => values.has(key));
          if (!isRead) return { reads: keys, writes: isEarly ? appends : [] };
          if (!appends.every((key) => writable.has(key))) return { reads: [], writes: appends };
          return {
            write: appends.map((key) => ({
              key,
              value: bytesOf([...text(values.get(key)), value]),
            })),
          };
        };
        return transaction({
          client: host.self,
          first: task * 1000,
          attempts: 1000,
          router: routers[client] as Router,
          groups: all,
          body,
          onEnd(end: TransactionEnd) {
            const returnedAt = host.trueNow();
            if (end.kind === 'unknown') return;
            if (end.kind === 'aborted')
              return note(task, { ...before, returnedAt, outcome: 'aborted' }, undefined, false);
            const seen = keys.map((key) => ({
              ...{ kind: 'read', key, values: text(end.values.get(key)) },
            })) as ListTransaction['operations'];
            const operations = [...seen, ...before.operations];
            note(task, { ...before, returnedAt, outcome: 'committed', operations }, end.at, false);
          },
          pollEvery: ms(4),
        });
      });
    },
    read(when, client, keys, timestamp) {
      const task = tasks.length;
      begin(when, client, (host) => {
        const invokedAt = host.trueNow();
        const before: ListTransaction = {
          ...{ process: client, invokedAt, returnedAt: undefined, outcome: 'unknown' },
          operations: [],
        };
        began.set(task, before);
        const inner = snapshotRead({
          router: routers[client] as Router,
          groups: all,
          keys,
          ...(timestamp === undefined ? {} : { at: timestamp }),
          pollEvery: ms(4),
          onEnd(end) {
            const operations =
              end.kind === 'read'
                ? keys.map((key) => ({
                    ...{ kind: 'read' as const, key, values: text(end.values.get(key)) },
                  }))
                : [];
            const returnedAt = host.trueNow();
            note(task, { ...before, returnedAt, outcome: 'committed', operations }, end.at, true);
          },
        });
        return {
          step(input) {
            if (input.event.type === 'start' && timestamp === undefined)
              watch(groups * keepers + client, input.clock);
            return inner.step(input);
          },
        };
      });
    },
    move(when, client, first, from, to) {
      begin(when, client, () =>
        moveRange({ first, from, to, onEnd: (moved) => void moves.push(moved) }),
      );
    },
    brokenBound: () => broken,
    wrong({ realTime = true } = {}) {
      const open = [...began.values()];
      return (
        agreements.map(({ violation }) => violation?.sentence).find((each) => each !== undefined) ??
        notStrict(history, open, realTime) ??
        inexact(history, open) ??
        (realTime ? (outOfOrder(history) ?? acts.map(overlap).find(Boolean)) : undefined)
      );
    },
  };
  return self;
}

/** Faults that a correct system survives, and that are over at `end`. */
export function anyFaults(
  { random, member, keeper: keeperSeat }: World,
  groups: number,
  n: number,
  end: number,
): readonly Fault[] {
  const faults: Fault[] = [];
  const between = (low: number, high: number): number => low + random.below(high - low);
  for (const group of range(groups)) {
    for (let i = random.below(3); i > 0; i--) {
      const seat = member(group, random.below(n));
      const at = between(ms(300), end - ms(500));
      faults.push({ type: 'crash', at, seat });
      faults.push({ type: 'restart', at: Math.min(end, at + between(ms(50), ms(900))), seat });
    }
    if (random.below(2) === 0) {
      const at = between(ms(300), end - ms(500));
      const seat = keeperSeat(group, random.below(2));
      faults.push({ type: 'pause', at, seat });
      faults.push({ type: 'resume', at: Math.min(end, at + between(ms(20), ms(900))), seat });
    }
    if (random.below(2) === 0) {
      const cut = range(n).map((each) => member(group, each));
      const alone = cut.splice(random.below(n), 1);
      const from = random.below(2) === 0 ? alone : cut;
      const to = from === alone ? cut : alone;
      faults.push({ type: 'cut', at: between(ms(300), end - ms(200)), from, to });
    }
  }
  faults.push({ type: 'heal', at: end });
  return faults.sort((one, other) => one.at - other.at);
}
