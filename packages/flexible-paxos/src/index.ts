/**
 * Flexible Paxos (Howard et al. 2016): Multi-Paxos with any two quorum systems that meet.
 *
 * @packageDocumentation
 */

export type { Options as FlexiblePaxosOptions } from './group.ts';
export { paper } from './paper.ts';
export { flexiblePaxos } from './protocol.ts';
export {
  encodeQuorumChange,
  type Grid,
  parseQuorums,
  phasesOf,
  type Quorums,
  quorumText,
  type Simple,
  type Tolerance,
  toleranceOf,
  type Weights,
} from './quorums.ts';
export type { FlexiblePaxos, Stable as FlexiblePaxosStable } from './state.ts';
