/**
 * Basic Paxos: one decision for crash faults, n = 2f+1. As a replicated log it has one slot.
 *
 * @packageDocumentation
 */

export { type BasicPaxosOptions, basicPaxos } from './basic-paxos.ts';
export type {
  Accept,
  Accepted,
  Ask,
  BasicPaxosMessage,
  Decided,
  Nack,
  Prepare,
  Promise1b,
  Value,
  Vote,
} from './messages.ts';
export { paper } from './paper.ts';
export type { BasicPaxos, BasicPaxosStable, BasicPaxosVolatile } from './state.ts';
