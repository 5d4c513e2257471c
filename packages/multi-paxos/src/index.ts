/**
 * Multi-Paxos (Lamport 2001, Chandra et al. 2007): a replicated log for crash faults, n = 2f+1.
 *
 * @packageDocumentation
 */

export type { Ballot } from './ballots.ts';
export {
  type Change,
  type Configuration,
  ConfigurationError,
  encodeChange,
  type Quorums,
} from './configuration.ts';
export type {
  Accept,
  Accepted,
  CatchUp,
  Forward,
  Heartbeat,
  HeartbeatAck,
  Learn,
  MultiPaxosMessage,
  Nack,
  Prepare,
  Promised,
  Recall,
  Recalled,
  ReportPart,
  SlotVote,
  SnapshotOffer,
  Value,
  Vote,
} from './messages.ts';
export {
  type MultiPaxosOptions,
  majorities,
  multiPaxos,
} from './multi-paxos.ts';
export { paper } from './paper.ts';
export type { Rules } from './rules.ts';
export type { MultiPaxos, MultiPaxosStable, MultiPaxosVolatile } from './state.ts';
