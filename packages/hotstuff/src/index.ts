/**
 * The HotStuff family (Yin et al., PODC '19; HotStuff-2; Jolteon): a replicated log that survives f
 * Byzantine of 3f+1 replicas with a number of messages per block that is linear in n.
 *
 * @packageDocumentation
 */

export type { Node, Place, Point } from './blocks.ts';
export type { Options as HotStuffOptions } from './group.ts';
export type {
  Block,
  Blocks,
  Checkpoint,
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
