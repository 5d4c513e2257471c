import type { ClockBound } from '@quorumlab/node';
import type { NodeState } from './node-state.ts';
import type { RemoteFault } from './remote-fault.ts';
import type { AccusedRow, NodeMembership, UseReport } from './reports.ts';

/** One node of a cluster. */
export interface StatusRow {
  readonly node: number;
  /** Whether it answers. Of one that does not, only state, pid, traitor and note are known. */
  readonly up: boolean;
  /** Why it does not, in one word. */
  readonly state: NodeState;
  /** Why nothing was heard of a node on another machine. */
  readonly fault?: RemoteFault;
  /** Whether it runs on another machine, as far as is known here. */
  readonly remote: boolean;
  readonly pid?: number;
  /** What it is to its group; absent: who is in the group never changes, or it does not answer. */
  readonly membership?: NodeMembership;
  /** Whose votes count, by its log; absent: everybody's. */
  readonly voters?: readonly number[];
  readonly role?: string;
  readonly term?: number;
  readonly leader?: number;
  /** Slots that were committed: the last one and all before it. */
  readonly committed?: number;
  /** Slots that have run. */
  readonly applied?: number;
  /** Rolling hash of all that has run. */
  readonly digest?: string;
  readonly peers?: number;
  /** By how much its wall clock may be wrong, and who says so; of nodes on this machine. */
  readonly clock?: ClockBound;
  readonly lastCommitMilliseconds?: number;
  /** Frames and connections of others that it refused, where a node elsewhere has said so. */
  readonly refused?: number;
  /** Who takes what of it, of nodes on this machine. */
  readonly use?: UseReport;
  /** Slots that another honest node has committed and this one has not; absent: none. */
  readonly lag?: number;
  /** How long ago the others got on without it, if it lags and both are known. */
  readonly lagMilliseconds?: number;
  /** Members of which this node has a proof that they broke their word; absent: none. */
  readonly accused?: readonly AccusedRow[];
  /** Whether it has ever been told to lie. */
  readonly traitor: boolean;
  /** For people: what is special about it. */
  readonly note: string;
}
