/**
 * Basic Paxos: one decision for crash faults, n = 2f+1. As a replicated log it has one slot.
 *
 * @packageDocumentation
 */

export type { Options as BasicPaxosOptions } from './group.ts';
export type {
  Accept,
  Accepted,
  Ask,
  Decided,
  Message as BasicPaxosMessage,
  Nack,
  Prepare,
  Promise1b,
  Value,
  Vote,
} from './messages.ts';
export { paper } from './paper.ts';
export { basicPaxos } from './protocol.ts';
export type {
  BasicPaxos,
  Stable as BasicPaxosStable,
  Volatile as BasicPaxosVolatile,
} from './state.ts';
