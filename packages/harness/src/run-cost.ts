/**
 * What a whole run cost, in the units of `cost.ts`: there one commit alone is counted, between two
 * answers of an honest group, and here everything that happened. The figures of the two differ by
 * that and by nothing else; each says what it counts.
 */
import type { ProtocolEntry } from './protocol-entry.ts';
import { protocolOf } from './protocols.ts';
import type { RunResult } from './run.ts';

/** What a run cost: totals, and the same for each operation that was answered. */
export interface RunCost {
  readonly protocol: string;
  /** Elections, heartbeats, retries, lies and what clients say are in it. */
  readonly counts: 'whole run';
  readonly answered: number;
  /** Copies sent to others, by replicas and clients. */
  readonly messages: number;
  /**
   * Signatures that hosts make, one per statement however many get it. None where hosts trust the
   * channel's word, whatever keys the simulator lends such a protocol, so that lies can be proven.
   */
  readonly signatures: number;
  /** Batches that were made durable before anything of them was said. */
  readonly syncs: number;
  readonly messagesPerCommit: number;
  readonly signaturesPerCommit: number;
  readonly syncsPerCommit: number;
  readonly virtualMilliseconds: number;
}

/** Counts what a run cost, of a registered protocol or of `entry`. */
export function costOfRun(result: RunResult, entry?: ProtocolEntry): RunCost {
  const { scenario, answered, counters, now } = result;
  const { protocol, n, f } = scenario;
  const per = (sum: number): number =>
    answered === 0 ? 0 : Math.round((1000 * sum) / answered) / 1000;
  const size = { n, f, unsafe: true, ...(scenario.options ? { options: scenario.options } : {}) };
  const { client } = (entry ?? protocolOf(protocol)).create(size);
  const signatures = client.signed ? counters.signed : 0;
  return {
    protocol,
    counts: 'whole run',
    answered,
    messages: counters.sent,
    signatures,
    syncs: counters.syncs,
    messagesPerCommit: per(counters.sent),
    signaturesPerCommit: per(signatures),
    syncsPerCommit: per(counters.syncs),
    virtualMilliseconds: Math.round(now / 1000),
  };
}
