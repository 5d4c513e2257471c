/**
 * EPaxos* (Ryabinin, Gotsman and Sutra 2025): a replicated log without a leader, for crash faults,
 * n ≥ 2f+1.
 *
 * @packageDocumentation
 */

export type { Options as EpaxosOptions } from './group.ts';
export type {
  Accept,
  AcceptOk,
  Ask,
  Commit,
  Cut,
  InstanceId,
  Message as EpaxosMessage,
  Nack,
  PreAccept,
  PreAcceptOk,
  Progress,
  Recall,
  Recalled,
  Recover,
  RecoverOk,
  Row,
  Runs,
  SnapshotOffer,
  Validate,
  ValidateOk,
  Value,
  Waiting,
} from './messages.ts';
export { paper } from './paper.ts';
export { epaxos } from './protocol.ts';
export type { Rules } from './rules.ts';
export type {
  Epaxos,
  Stable as EpaxosStable,
  Volatile as EpaxosVolatile,
} from './state.ts';
