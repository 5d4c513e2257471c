/** What a replica of a group with MACs remembers besides, off its disk. */
import type { Digest, ReplicaId, Signed } from '@quorumlab/core';
import type { MacNewView, MacViewChange } from './mac-messages.ts';

/** What a member acknowledged last of another's view-changes. */
export interface Acknowledged {
  readonly view: number;
  readonly digest: Digest;
}

/** A view-change on which a new view rests. */
export interface Shown {
  readonly digest: Digest;
  readonly viewChange: MacViewChange;
  /** Its sender said it here, so that this replica can vouch for it. */
  readonly isHeard: boolean;
}

/** A view-change that others vouch for. */
export interface Vouching {
  readonly digest: Digest;
  readonly viewChange: MacViewChange;
  readonly by: readonly ReplicaId[];
}

/** See the comment at the top. Everything by members holds at most one entry for each. */
export interface MacState {
  /** At the primary of a view to come: by whose view-change it is, who acknowledged what of it. */
  readonly acks: Map<ReplicaId, Map<ReplicaId, Acknowledged>>;
  /** The new-view that is waited for, or has begun: until another one comes. */
  newView: Signed<MacNewView> | null;
  /** The view-changes of {@link MacState.newView} that are here and authentic. */
  readonly shown: Map<ReplicaId, Shown>;
  /** Those for which too few vouch yet. */
  readonly vouching: Map<ReplicaId, Vouching>;
  /** By member, what it says it has executed that is not executed here: at most two windows. */
  readonly executed: Map<ReplicaId, Map<number, Digest>>;
}

/** Nothing. */
export const firstMacState = (): MacState => ({
  acks: new Map(),
  newView: null,
  shown: new Map(),
  vouching: new Map(),
  executed: new Map(),
});
