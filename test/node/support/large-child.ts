/** One replica of a group with a large state, in a process of its own: see `large.ts`. */
import { readFileSync } from 'node:fs';
import { keyValueStore } from '@quorumlab/log';
import { type ClusterIdentity, createLogger, startNode } from '@quorumlab/node';
import { seedOf } from '../../../packages/node/test-support/cluster.ts';
import { largeProtocol, type Report, type Start } from './large.ts';

const { name, n, self, folder, cluster, rejoin } = JSON.parse(
  process.argv[2] ?? '{}',
  // Keys travel as text.
  (key, value) => (key === 'publicKey' ? Uint8Array.from(Buffer.from(value, 'hex')) : value),
) as Start & { readonly cluster: ClusterIdentity };

let longest = 0;
let used = process.threadCpuUsage();
/** Between two looks nothing but other callbacks ran, each of them alone: no pause is longer. */
setInterval(() => {
  const now = process.threadCpuUsage();
  longest = Math.max(longest, (now.user - used.user + (now.system - used.system)) / 1000);
  used = now;
}, 1);

/** A line of /proc/self/status, in MiB. */
const memory = (line: string): number => {
  const found = new RegExp(`${line}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Math.round(Number(found?.[1] ?? 0) / 1024);
};

const began = performance.now();
const node = await startNode({
  protocol: largeProtocol(name, n),
  self,
  cluster,
  folder,
  ...(rejoin ? { rejoin } : {}),
  secretKey: seedOf(self),
  stateMachine: keyValueStore,
  logger: createLogger({ level: 'silent' }),
});
const started = performance.now() - began;
let failure = '';
void node.failed.then((error) => {
  failure = `${error.name}: ${error.message}`;
});
process.on('message', () => {
  const { term, leader, applied, state, peers } = node.status();
  const report: Report = {
    term,
    leader: leader ?? -1,
    applied,
    state,
    peers: peers.length,
    failure,
    started: Math.round(started),
    longest: Math.round(longest),
    memory: memory('VmRSS'),
    mostMemory: memory('VmHWM'),
  };
  longest = 0;
  process.send?.(report);
});
process.on('disconnect', () => process.exit());
process.send?.('up');
