import type { Digest, Journal, Machine, Shape, Slot } from '@quorumlab/core';

/** What a member's application holds, for the next snapshot. */
export interface State {
  readonly decided: readonly string[];
  readonly configuration: Uint8Array | undefined;
}

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

/** What a snapshot's event says of the group, if it was ever changed. */
export const about = ({ configuration }: State): { readonly configuration?: Uint8Array } =>
  configuration === undefined ? {} : { configuration };
