import {
  type Digest,
  type Journal,
  type Machine,
  type ReplicaId,
  type Request,
  type Shape,
  type Slot,
  toUtf8,
} from '@quorumlab/core';

/** What a member's application holds, for the next snapshot. */
export interface State {
  readonly decided: readonly string[];
  readonly configuration: Uint8Array | undefined;
}

/** What a digest of `state` is taken of: only equal states have equal ones. */
export const textOf = ({ decided, configuration }: State): Uint8Array =>
  toUtf8(`${decided.join(' ')} ${configuration?.join() ?? ''}`);

/** Nothing decided yet. */
export const blank: State = { decided: [], configuration: undefined };

/** One member with all that a host has for it. */
export interface Seat<S extends Shape> {
  machine: Machine<S>;
  up: boolean;
  disk: S['Stable'];
  /** Its disk was lost, and the new one holds nothing yet that says so. */
  isBlank: boolean;
  state: State;
  /** The state that its disk has a snapshot of. */
  kept: State;
  journal: Journal<S>;
  timers: Map<S['Timer'], readonly [number, number]>;
  /** Reads that wait, and what they must not miss. */
  reads: Map<number, Slot>;
  wanted: { readonly slot: Slot; readonly digest: Digest } | undefined;
}

/** What is wrong with a read that these have answered from a state that misses something. */
export function lateRead(
  members: readonly ReplicaId[],
  upTo: Slot,
  least: Slot,
): { readonly word: 'stale-read'; readonly rule: string; readonly sentence: string } {
  const who = members.map((each) => `n${each}`).join(', ');
  const answers = members.length === 1 ? 'answers a read from its' : 'answer a read from one';
  const sentence =
    `${who} ${answers} state after position ${upTo}, ` +
    `although position ${least} was decided before the read was asked for`;
  return { word: 'stale-read', rule: 'linearizability', sentence };
}

/** What tells requests apart. */
export const keyOf = ({ client, sequence }: Request): string => `${client}/${sequence}`;

/** What a snapshot's event says of the group, if it was ever changed. */
export const about = ({ configuration }: State): { readonly configuration?: Uint8Array } =>
  configuration === undefined ? {} : { configuration };
