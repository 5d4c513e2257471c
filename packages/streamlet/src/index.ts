/**
 * Streamlet (Chan and Shi 2020): a replicated log that survives f Byzantine of 3f+1 replicas, in
 * the fewest rules.
 *
 * @packageDocumentation
 */

export type { Options as StreamletOptions } from './group.ts';
export type {
  Block,
  Checkpoint,
  ClockReport,
  Message as StreamletMessage,
  Notarization,
  Notarized,
  Proposal,
  Ref,
  Relay,
  StableCheckpoint,
  Vote,
} from './messages.ts';
export { paper } from './paper.ts';
export { streamlet } from './protocol.ts';
export type {
  Answered,
  Heard,
  Kept,
  Stable as StreamletStable,
  Streamlet,
  Taken,
  Timer,
  Volatile as StreamletVolatile,
  Waiting,
} from './state.ts';
