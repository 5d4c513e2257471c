/**
 * Multi-Paxos (Lamport 2001, Chandra et al. 2007): a replicated log for crash faults, n = 2f+1.
 *
 * @packageDocumentation
 */

export {
  type Change,
  type Configuration,
  ConfigurationError,
  encodeChange,
  encodeStep,
  type Quorums,
  type Step,
} from './configuration.ts';
export { majorities, type Options as MultiPaxosOptions } from './group.ts';
export type {
  Accept,
  Accepted,
  CatchUp,
  Forward,
  Heartbeat,
  HeartbeatAck,
  Learn,
  Message as MultiPaxosMessage,
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
export { paper } from './paper.ts';
export { multiPaxos } from './protocol.ts';
export type { Rules } from './rules.ts';
export type {
  MultiPaxos,
  Stable as MultiPaxosStable,
  Volatile as MultiPaxosVolatile,
} from './state.ts';
