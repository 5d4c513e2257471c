import type { OptionValues } from '@quorumlab/core';
import { completeScenario } from './defaults.ts';
import { type Meter, signatureBytes } from './meter.ts';
import { type Count, type MeteredRun, meteredRun, oneWay } from './metered-run.ts';
import { type Prepared, prepare } from './prepare.ts';
import type { ProtocolEntry } from './protocol-entry.ts';
import { protocolOf } from './protocols.ts';

/** What is to be measured. */
export interface CostOptions {
  readonly protocol: string;
  /** The smallest group for f unless told. */
  readonly n?: number;
  /** 1 unless told. */
  readonly f?: number;
  /** The protocol's own options. */
  readonly options?: OptionValues;
  /** A protocol that is not registered. */
  readonly entry?: ProtocolEntry;
  /** Commits before the count begins: the first leader has been elected by then. 10 unless told. */
  readonly warmUp?: number;
  /** Commits that are counted; 20 unless told. */
  readonly commits?: number;
  /**
   * Really computes signatures, where the protocol has any, instead of counting them by the same
   * rule. The numbers are the same. Slow.
   */
  readonly realSignatures?: boolean;
  /** Counts reads in place of writes: a commit is one of them. */
  readonly reads?: boolean;
  /** Crashes the leader afterwards and measures until the next commit. */
  readonly replacement?: boolean;
}

/** Work of some nodes, per commit. */
export interface Work {
  /** Copies sent to others. */
  readonly messages: number;
  /** Bytes of those: frames with signatures, as hosts send them. */
  readonly bytes: number;
  readonly signed: number;
  readonly verified: number;
  readonly syncs: number;
}

/** What one kind of message costs, per commit. */
export interface KindCost {
  readonly messages: number;
  readonly bytes: number;
}

/** What it takes to get on without the leader. */
export interface ReplacementCost {
  /** From the crash to the next commit; most of it is waiting for a timeout. */
  readonly milliseconds: number;
  readonly messages: number;
  readonly bytes: number;
}

/** What a protocol costs in the steady state. See {@link costOfProtocol}. */
export interface ProtocolCost {
  readonly protocol: string;
  readonly options?: OptionValues;
  readonly n: number;
  readonly f: number;
  /** How hosts prove who speaks: by signatures, or by the channel alone. */
  readonly signatures: 'ed25519' | 'channel';
  /** Commits counted: requests of one client, one after the other, of one operation each. */
  readonly commits: number;
  /**
   * Positions of the log (slots, blocks) decided meanwhile, empty ones too. HotStuff needs some
   * blocks on top of the one with the request; multiply by `commits / positions` for its cost per
   * block.
   */
  readonly positions: number;
  /** Whether this counts from the first message on, because the log has only one position. */
  readonly once: boolean;
  /** All nodes together, the client's request and the replies to it included. */
  readonly total: Work;
  /** The replicas among themselves and to the client, per replica: the mean. */
  readonly replica: Work;
  /** The replica that sends the most messages, and most bytes if there are several. */
  readonly busiest: Work;
  /** What the client does. */
  readonly client: Work;
  /** Per kind of message, in the order of their names. */
  readonly kinds: Readonly<Record<string, KindCost>>;
  /** One-way delays from the client's request to its answer: messages after one another. */
  readonly delaysToReply: number;
  /**
   * One-way delays from the request's arrival at a replica to the first replica's decision; 0 where
   * reads are counted, which may need none.
   */
  readonly delaysToDecision: number;
  /** Absent if it was not asked for, if there is one commit only, or if nobody leads thereafter. */
  readonly replacement?: ReplacementCost;
}

/**
 * Measures what one commit costs in an honest group, in the steady state: one client asks for one
 * write of 100 bytes after the other; every message takes the same time, steps and disks take none.
 * A commit is one such request, from the client's asking to its believing the answer. The numbers
 * are the difference of two counts, divided by the commits between them, so elections are not in
 * them; nor are checkpoints, unless `commits` is so large that there is one. With one request at a
 * time no batch has more than one: these are costs per batch.
 *
 * For formulas: `costOfProtocol({ protocol: 'pbft', n, f })` is exact, not an estimate. At
 * `kinds.prepare.messages` are the copies of `prepare` per commit, n of them sent to oneself left
 * out: (n-1)². `total.signed` and `total.verified` are what an ed25519 keyring would count, which
 * `realSignatures` proves.
 *
 * Throws a ScenarioError if the group is too small, or nothing is committed within 60 s.
 */
export function costOfProtocol(given: CostOptions): ProtocolCost {
  const { protocol, options, entry, realSignatures = false } = given;
  const { claims } = entry ?? protocolOf(protocol);
  const f = given.f ?? 1;
  const n = given.n ?? claims.replicas(f);
  const scenario = completeScenario({
    protocol,
    n,
    f,
    workload: given.reads ? 'c' : 'writes',
    count: 1_000_000,
    clients: 1,
    crypto: realSignatures ? 'ed25519' : 'ideal',
    ...(options ? { options } : {}),
  });
  const prepared = prepare(scenario, entry, false);
  const once = prepared.protocol.length === 1;
  const commits = once ? 1 : (given.commits ?? 20);
  const run = meteredRun(prepared, realSignatures);
  run.answer(once ? 0 : (given.warmUp ?? 10));
  const before = run.count();
  run.answer(commits);
  // The one commit of a short log has no next one that what is still under way could be part of.
  if (once) run.settle();
  const after = run.count();
  const { latencies, decisions } = run;
  return {
    protocol,
    ...(options ? { options } : {}),
    n,
    f,
    signatures: signatureBytes(prepared) > 0 ? 'ed25519' : 'channel',
    commits,
    positions: after.positions - before.positions,
    once,
    ...worksOf(prepared, before, after, commits),
    delaysToReply: delays(latencies.slice(-commits)),
    // The first delay is the request's own way to a replica.
    delaysToDecision: given.reads ? 0 : delays(decisions.slice(-commits)) - 1,
    ...(given.replacement && !once ? replacementOf(run) : {}),
  };
}

/** The mean in one-way delays. */
const delays = (times: readonly number[]): number => per(sum(times), times.length * oneWay);

const sum = (numbers: Iterable<number>): number =>
  [...numbers].reduce((all, each) => all + each, 0);

/** To a thousandth: whole numbers stay whole. */
const per = (total: number, count: number): number =>
  count === 0 ? 0 : Math.round((1000 * total) / count) / 1000;

/** The work between two counts. */
function worksOf(
  { scenario }: Prepared,
  before: Count,
  after: Count,
  commits: number,
): Pick<ProtocolCost, 'total' | 'replica' | 'busiest' | 'client' | 'kinds'> {
  const works = after.meters.map((meter, seat) => workOf(before.meters[seat] as Meter, meter));
  const replicas = works.slice(0, scenario.n);
  const [first, ...others] = replicas as [Work, ...Work[]];
  const busiest = others.reduce((most, each) => (isBusier(each, most) ? each : most), first);
  return {
    total: scaled(works.reduce(added), commits),
    replica: scaled(replicas.reduce(added), commits * scenario.n),
    busiest: scaled(busiest, commits),
    client: scaled(works[scenario.n] as Work, commits),
    kinds: kindsOf(before, after, commits),
  };
}

const isBusier = (one: Work, two: Work): boolean =>
  one.messages > two.messages || (one.messages === two.messages && one.bytes > two.bytes);

const workOf = (before: Meter, after: Meter): Work => ({
  messages: sum(after.messages.values()) - sum(before.messages.values()),
  bytes: sum(after.bytes.values()) - sum(before.bytes.values()),
  signed: after.signed - before.signed,
  verified: after.verified - before.verified,
  syncs: after.syncs - before.syncs,
});

const added = (one: Work, two: Work): Work => ({
  messages: one.messages + two.messages,
  bytes: one.bytes + two.bytes,
  signed: one.signed + two.signed,
  verified: one.verified + two.verified,
  syncs: one.syncs + two.syncs,
});

const scaled = (work: Work, count: number): Work => ({
  messages: per(work.messages, count),
  bytes: per(work.bytes, count),
  signed: per(work.signed, count),
  verified: per(work.verified, count),
  syncs: per(work.syncs, count),
});

function kindsOf(before: Count, after: Count, commits: number): Record<string, KindCost> {
  const of = (count: Count, what: 'messages' | 'bytes', kind: string): number =>
    sum(count.meters.map((meter) => meter[what].get(kind) ?? 0));
  const kinds = [...new Set(after.meters.flatMap(({ messages }) => [...messages.keys()]))].sort();
  const rows = kinds.map((kind): readonly [string, KindCost] => [
    kind,
    {
      messages: per(of(after, 'messages', kind) - of(before, 'messages', kind), commits),
      bytes: per(of(after, 'bytes', kind) - of(before, 'bytes', kind), commits),
    },
  ]);
  return Object.fromEntries(rows.filter(([, { messages }]) => messages > 0));
}

function replacementOf(run: MeteredRun): Pick<ProtocolCost, 'replacement'> {
  run.crashLeader();
  const before = run.count();
  if (!run.answers(1)) return {};
  const after = run.count();
  const works = after.meters.map((meter, seat) => workOf(before.meters[seat] as Meter, meter));
  const { messages, bytes } = works.reduce(added);
  const milliseconds = Math.round((after.at - before.at) / 1000);
  return { replacement: { milliseconds, messages, bytes } };
}
