/** What the attacker and its victim agree on. */
import type { Protocol } from '@quorumlab/core';
import { protocolOf, toleratedBy } from '@quorumlab/harness';
import type { LogShape } from '@quorumlab/log';
import type { ClusterIdentity, MeshLimits } from '@quorumlab/node';

/** The client whose key the attacker has. */
export const LIAR = 65_536;
/** The client that only wants its answers. */
export const HONEST = 65_537;

/** A principal as JSON. */
export interface PrincipalJson {
  readonly id: number;
  readonly publicKey: string;
  readonly address?: string;
}

/** What the victim is started with. */
export interface Start {
  readonly name: string;
  readonly n: number;
  /** The replicas that run in the victim; the attacker has the keys of all others. */
  readonly honest: readonly number[];
  readonly folder: string;
  readonly principals: readonly PrincipalJson[];
}

/** Attacker to victim. */
export interface Ask {
  /** Write something first, as an honest client. */
  readonly write: boolean;
  /** Say how much memory is in use. */
  readonly measure: boolean;
}

/** Victim to attacker. */
export type Report =
  | { readonly type: 'up' }
  | { readonly type: 'fatal'; readonly line: string }
  | {
      readonly type: 'report';
      /** Bytes in use after a collection, if it was asked for. */
      readonly held: number;
      /** Milliseconds of CPU since its start. */
      readonly cpu: number;
      readonly framesIn: number;
      readonly steps: number;
      readonly resets: number;
      readonly refused: number;
      /** Why replicas have stopped. */
      readonly stopped: readonly string[];
    };

/** Limits that forgive, so that as much as possible gets as deep as possible. */
export const tolerant: Partial<MeshLimits> = {
  banMs: 1,
  maxBanMs: 1,
  offencesBeforeReset: 1_000,
  connectionsPerMemberPerSecond: 100_000,
  connectionsPerMember: 100_000,
  strangersPerSecond: 100_000,
  redialMs: 30,
  maxRedialMs: 250,
};

/** The protocol and the cluster that both run. */
export function groupOf(
  name: string,
  n: number,
  principals: readonly PrincipalJson[],
): { readonly protocol: Protocol<LogShape>; readonly cluster: ClusterIdentity } {
  const entry = protocolOf(name);
  const all = principals.map((each) => ({
    ...each,
    publicKey: Uint8Array.from(Buffer.from(each.publicKey, 'hex')),
  }));
  return {
    protocol: entry.create({ n, f: toleratedBy(entry.claims, n) }),
    cluster: {
      cluster: 'fuzz',
      group: 'stack',
      epoch: 0,
      members: all.flatMap(({ address, ...one }) => (address ? [{ ...one, address }] : [])),
      clients: all.filter(({ address }) => address === undefined),
    },
  };
}
