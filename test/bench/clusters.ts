/** Real clusters under durable load, beside what their disk, network and keys could do. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchCluster } from './cluster/cluster.ts';
import { flushLoop, tcpRoundTrip } from './limits.ts';
import { cpuRate, type Part, type Row, type Settings } from './measure.ts';

interface Bounds {
  /** Milliseconds of one write of about one record with fdatasync. */
  readonly flush: number;
  /** Records per second if 512 share a flush. */
  readonly records: number;
  /** Milliseconds of one round trip. */
  readonly roundTrip: number;
  readonly verifies: number;
}

async function bounds(): Promise<Bounds> {
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

async function rowsOf(
  protocol: 'raft' | 'pbft',
  outstanding: number,
  { quick }: Settings,
  aim: Aim,
): Promise<Row[]> {
  const n = protocol === 'raft' ? 3 : 4;
  const seconds = quick ? 1 : 4;
  const bound = await bounds();
  const found = await benchCluster({
    protocol,
    n,
    outstanding,
    seconds,
    warmUpSeconds: quick ? 1 : 2,
  });
  const name = `${protocol} n=${n}, ${outstanding} outstanding`;
  // Every replica checks a client's signature once, or the channel's word costs nothing.
  const rate =
    outstanding === 1
      ? {
          name: 'one TCP round trip + one fdatasync',
          value: 1000 / (bound.flush + bound.roundTrip),
        }
      : protocol === 'pbft'
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

/** Three processes of Raft: what members say rests on the channel. */
export const raftCluster: Part = async (settings) => [
  ...(await rowsOf('raft', 1, settings, { latency: 0.7 })),
  ...(settings.quick ? [] : await rowsOf('raft', 64, settings, {})),
  ...(await rowsOf('raft', 512, settings, { rate: 30_000 })),
];

/** Four processes of PBFT: every message is signed. */
export const pbftCluster: Part = async (settings) => [
  ...(await rowsOf('pbft', 1, settings, {})),
  ...(settings.quick ? [] : await rowsOf('pbft', 64, settings, {})),
  ...(await rowsOf('pbft', 512, settings, { rate: 10_000 })),
];
