/** Real clusters under durable load, beside what their disk, network and keys could do. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { protocolOf, readsOf } from '@quorumlab/harness';
import { benchCluster, benchDecision } from './cluster/cluster.ts';
import { flushLoop, tcpEchoes, tcpRoundTrip } from './limits.ts';
import { cpuRate, type Part, quantile, type Row, type Settings } from './measure.ts';

/** What disk, network and keys of this machine could do. */
export interface Bounds {
  /** Milliseconds of one write of about one record with fdatasync. */
  readonly flush: number;
  /** Records per second if 512 share a flush. */
  readonly records: number;
  /** Milliseconds of one round trip. */
  readonly roundTrip: number;
  /** Signatures a second of one core. */
  readonly signs: number;
  readonly verifies: number;
}

/** Measured now: loops that do nothing else. */
export async function bounds(): Promise<Bounds> {
  const root = mkdtempSync(join(tmpdir(), 'quorumlab-bench-'));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const own = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const theirs = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }));
  const bytes = new Uint8Array(150);
  const signature = sign(null, bytes, own);
  try {
    return {
      flush: flushLoop(root, 250, 300),
      records: (512 / flushLoop(root, 512 * 250, 100)) * 1000,
      roundTrip: await tcpRoundTrip(500),
      signs: cpuRate(0.1, () => void sign(null, bytes, own), 64),
      verifies: cpuRate(0.1, () => void verify(null, bytes, theirs, signature), 64),
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Aim {
  readonly rate?: number;
  readonly latency?: number;
}

/** A group to be measured. */
interface Group {
  readonly protocol: string;
  readonly n: number;
  readonly options?: Readonly<Record<string, number>>;
  /** What one reads of its options. */
  readonly more?: string;
  /** One unless told. */
  readonly clients?: number;
  /** Whether certificates are aggregates. */
  readonly aggregates?: boolean;
}

async function rowsOf(
  group: Group,
  outstanding: number,
  { quick }: Settings,
  bound: Bounds,
  aim: Aim = {},
): Promise<Row[]> {
  const { protocol, n, options, more = '', clients = 1, aggregates = false } = group;
  const seconds = quick ? 1 : 4;
  const found = await benchCluster({
    protocol,
    ...(options === undefined ? {} : { options }),
    ...{ n, clients, aggregates },
    outstanding,
    seconds,
    warmUpSeconds: quick ? 1 : 2,
  });
  const load = clients === 1 ? `${outstanding} outstanding` : `${clients} clients with one each`;
  const name = `${protocol} n=${n}${more}, ${load}`;
  // Every replica checks a client's signature once, or the channel's word costs nothing.
  const rate =
    outstanding === 1
      ? {
          name: 'one TCP round trip + one fdatasync',
          value: 1000 / (bound.flush + bound.roundTrip),
        }
      : found.signatures === 'ed25519'
        ? { name: 'bare verify loop, one core', value: bound.verifies }
        : { name: 'bare loop of 512 records a flush', value: bound.records };
  const least = {
    name: 'one TCP round trip + one fdatasync',
    value: bound.flush + bound.roundTrip,
  };
  const cpu = `${Math.round(found.cpuPerWrite.total)} us of CPU a write in all ${n + 1} processes`;
  const note = `${found.signatures}, ${cpu}; ${found.failed} failed`;
  const part = 'cluster';
  return [
    {
      part,
      name: `${name}: committed`,
      value: found.committedPerSecond,
      unit: 'writes/s',
      limit: rate,
      ...(aim.rate === undefined ? {} : { target: { value: aim.rate, better: 'more' as const } }),
      note,
    },
    {
      part,
      name: `${name}: latency p50`,
      value: found.p50,
      unit: 'ms',
      limit: least,
      ...(aim.latency === undefined
        ? {}
        : { target: { value: aim.latency, better: 'less' as const } }),
      note,
    },
    { part, name: `${name}: latency p99`, value: found.p99, unit: 'ms', limit: least, note },
  ];
}

/** What one group commits with 1, 64 (not with `--quick`) and 512 writes under way. */
const clusterPart =
  (group: Group, aims: { readonly one?: Aim; readonly many?: Aim } = {}): Part =>
  async (settings) => {
    const bound = await bounds();
    return [
      ...(await rowsOf(group, 1, settings, bound, aims.one)),
      ...(settings.quick ? [] : await rowsOf(group, 64, settings, bound)),
      ...(await rowsOf(group, 512, settings, bound, aims.many)),
    ];
  };

/** Processes of crash-fault protocols: what members say rests on the channel. */
export const raftCluster: Part = clusterPart(
  { protocol: 'raft', n: 3 },
  { one: { latency: 0.7 }, many: { rate: 30_000 } },
);
export const zabCluster: Part = clusterPart({ protocol: 'zab', n: 3 });
export const multiPaxosCluster: Part = clusterPart({ protocol: 'multi-paxos', n: 3 });
/** EPaxos: clients of all replicas. */
export const epaxosCluster: Part = clusterPart({ protocol: 'epaxos', n: 3 });
/** Phase 2 by any two of four, which a majority of four would not allow. */
export const flexiblePaxosCluster: Part = clusterPart({
  protocol: 'flexible-paxos',
  n: 4,
  options: { q1: 3, q2: 2 },
  more: ' q1=3 q2=2',
});

/** Processes of Byzantine protocols: every message is signed. */
export const pbftCluster: Part = clusterPart(
  { protocol: 'pbft', n: 4 },
  { many: { rate: 10_000 } },
);
export const hotstuffCluster: Part = clusterPart({ protocol: 'hotstuff', n: 4 });
export const tendermintCluster: Part = clusterPart({ protocol: 'tendermint', n: 4 });
export const streamletCluster: Part = clusterPart({ protocol: 'streamlet', n: 4 });

/** MinBFT: trusted counters, kept by the processes that sign. */
export const minbftCluster: Part = clusterPart({ protocol: 'minbft', n: 3 });
export const minbftClusterOfFour: Part = clusterPart({ protocol: 'minbft', n: 4 });

/** Certificates as BLS12-381 aggregates, in groups so small that lists are cheaper. */
const aggregated = { more: ', certificates as aggregates', aggregates: true };
export const pbftAggregates: Part = clusterPart({ protocol: 'pbft', n: 4, ...aggregated });
export const hotstuffAggregates: Part = clusterPart({ protocol: 'hotstuff', n: 4, ...aggregated });

/** Many clients with one write under way each: none of them has two to put into one request. */
const clientsPart =
  (protocol: string, n: number): Part =>
  async (settings) => {
    const bound = await bounds();
    const rows: Row[] = [];
    for (const clients of settings.quick ? [64] : [64, 512])
      rows.push(...(await rowsOf({ protocol, n, clients }, clients, settings, bound)));
    return rows;
  };

export const raftClients: Part = clientsPart('raft', 3);
export const pbftClients: Part = clientsPart('pbft', 4);

/** Its log has one position: the one decision of groups that have just started. */
export const basicPaxosCluster: Part = async ({ quick }) => {
  const bound = await bounds();
  const times: number[] = [];
  for (let i = 0; i < (quick ? 1 : 5); i++)
    times.push(await benchDecision({ protocol: 'basic-paxos', n: 3 }));
  return [
    {
      part: 'cluster',
      name: 'basic-paxos n=3, its only decision: p50',
      value: quantile(times, 0.5),
      unit: 'ms',
      limit: {
        name: 'one TCP round trip + one fdatasync',
        value: bound.flush + bound.roundTrip,
      },
      note: `of ${times.length} groups that had just started, so no code was warm`,
    },
  ];
};

/** Reads of a group, by what they promise, beside a connection that only sends back. */
const readsPart =
  (protocol: string): Part =>
  async ({ quick }) => {
    const rows: Row[] = [];
    for (const reads of readsOf(protocolOf(protocol)))
      for (const outstanding of [1, 512]) {
        // Clients of `stale` differ from those of `local` only in whom they ask.
        if (reads === 'stale' && outstanding === 1) continue;
        const limit = await tcpEchoes(outstanding, quick ? 0.3 : 1);
        const found = await benchCluster({
          ...{ protocol, n: 3, reads, outstanding, seconds: quick ? 1 : 4 },
          warmUpSeconds: quick ? 1 : 2,
        });
        rows.push({
          part: 'reads',
          name: `${protocol} n=3, ${reads} reads, ${outstanding} outstanding`,
          value: found.committedPerSecond,
          unit: 'reads/s',
          limit: { name: `TCP round trips, ${outstanding} under way`, value: limit },
          note: `p50 ${found.p50} ms, p99 ${found.p99} ms; ${found.failed} failed`,
        });
      }
    return rows;
  };

export const raftReads: Part = readsPart('raft');
export const multiPaxosReads: Part = readsPart('multi-paxos');
export const zabReads: Part = readsPart('zab');
