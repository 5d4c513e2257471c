/**
 * The HotStuff family (Yin et al., PODC '19; HotStuff-2; Jolteon): a replicated log that survives f
 * Byzantine of 3f+1 replicas with a number of messages per block that is linear in n.
 *
 * @packageDocumentation
 */

export {
  encodeValidatorStep as encodeStep,
  encodeValidators,
  type Validator,
  ValidatorError,
  type ValidatorSet,
  type ValidatorStep as HotStuffStep,
} from '@quorumlab/core';
export type { Node, Place, Point } from './blocks.ts';
export type { Epoch, Options as HotStuffOptions, Voters } from './group.ts';
export type {
  Block,
  Blocks,
  Checkpoint,
  EpochChange,
  EpochChangeMessage,
  FetchBlocks,
  Link,
  Message as HotStuffMessage,
  NewView,
  Proposal,
  QuorumCertificate,
  Relay,
  StableCheckpoint,
  StatusReport,
  Timeout,
  TimeoutCertificate,
  Vote,
} from './messages.ts';
export { paper } from './paper.ts';
export { hotstuff } from './protocol.ts';
export { type RulesName, rulesNames } from './rules.ts';
export type {
  HotStuff,
  Row,
  Stable as HotStuffStable,
  Timer,
  Volatile as HotStuffVolatile,
  Waiting,
} from './state.ts';
