/**
 * MinBFT (Veronese et al. 2013): a replicated log that survives f Byzantine of 2f+1 replicas, whose
 * hosts have trusted counters.
 *
 * @packageDocumentation
 */

export type { Options as MinBftOptions } from './group.ts';
export type {
  Anchor,
  BatchBody,
  Checkpoint,
  Commit,
  FetchBatch,
  Message as MinBftMessage,
  NewView,
  Numbered,
  Order,
  Prepare,
  Relay,
  ReqViewChange,
  Said,
  StableCheckpoint,
  StatusReport,
  ViewChange,
} from './messages.ts';
export { paper } from './paper.ts';
export { minbft } from './protocol.ts';
export type {
  Answered,
  Change,
  Heard,
  MinBft,
  Stable as MinBftStable,
  Stored,
  Timer,
  Volatile as MinBftVolatile,
  Vote,
  Vouched,
  Waiting,
} from './state.ts';
