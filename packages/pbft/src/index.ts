/**
 * PBFT (Castro and Liskov, OSDI '99): a replicated log that survives f Byzantine of 3f+1 replicas.
 *
 * @packageDocumentation
 */

export type { Options as PbftOptions } from './group.ts';
export type {
  BatchBody,
  Checkpoint,
  Claim,
  Commit,
  Committed,
  FetchBatch,
  FetchProofs,
  Message as PbftMessage,
  NewView,
  Ordered,
  PrePrepare,
  Prepare,
  Proofs,
  Reached,
  Relay,
  StableCheckpoint,
  StatusReport,
  ViewChange,
} from './messages.ts';
export { paper } from './paper.ts';
export { pbft } from './protocol.ts';
export type {
  Order,
  Pbft,
  Prepared,
  Stable as PbftStable,
  Timer,
  Volatile as PbftVolatile,
} from './state.ts';
