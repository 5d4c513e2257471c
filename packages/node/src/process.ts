/** A process as each of its groups sees it. */
import type { PrincipalId, ReplicaId } from '@quorumlab/core';
import type { SharedLog } from '@quorumlab/disk';
import type { ClockBound } from './clock-bound.ts';
import type { Commons } from './commons.ts';
import type { HostLimits } from './host-limits.ts';
import type { FrameRefusal } from './intake.ts';
import type { Mesh } from './mesh-port.ts';
import type { PeerAccounts } from './peer-account.ts';
import type { Principal } from './principal.ts';
import type { RestMessage } from './rest.ts';

/** A group as its process sees it. */
export interface Hosted {
  /** What its frames begin with, as `addressFor` gives it. */
  readonly address: string;
  /** Its name, for errors and for the log. */
  readonly name: string;
  /** The network is there: it may speak. */
  start(mesh: Mesh): void;
  /** A frame for it, of a peer that is let in for it. */
  receive(from: PrincipalId, frame: Uint8Array): void;
  /** The link to a peer began or ended. */
  peer(id: PrincipalId, connected: boolean): void;
  /** A member of it lets it rest, or wakes it. */
  rest(from: PrincipalId, message: RestMessage): void;
  /** Called now and then: it may come to rest. */
  look(): void;
  /** It must not go on. */
  fail(error: Error): void;
  stop(): Promise<void>;
}

/** See the module's comment. */
export interface Process {
  readonly self: ReplicaId;
  readonly limits: HostLimits;
  readonly commons: Commons;
  readonly accounts: PeerAccounts;
  /** That of all its groups; absent: its only group has one of its own. */
  readonly log: SharedLog | undefined;
  /** Milliseconds without anything to do after which its groups rest; absent: they never do. */
  readonly quietMs: number | undefined;
  /** Absent before the process listens. */
  readonly mesh: Mesh | undefined;
  /** By how much the wall clock may be wrong. */
  clock(): ClockBound;
  /** Frames that were refused because they are for none of its groups, by reason. */
  strays(): Readonly<Record<FrameRefusal, number>>;
  /** Whom `group` is connected to now, by number. */
  connected(group: Hosted): readonly PrincipalId[];
  /** `group` stops because of `error`; if it is that of the log of all, they all do. */
  failed(group: Hosted, error: Error): void;
  /** Takes part in the process from now on. */
  join(group: Hosted): void;
  /** Does so no longer; ends the process too, if it was made for this group alone. */
  leave(group: Hosted): Promise<void>;
  /** Frames of `principal` are taken for `group`; it is let in if it is not yet. */
  admit(group: Hosted, principal: Principal): void;
  /** They are not any more; whom no other group knows is cut off. */
  drop(group: Hosted, id: PrincipalId, reason: string): void;
}
