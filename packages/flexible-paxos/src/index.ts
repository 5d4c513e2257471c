/**
 * Flexible Paxos (Howard et al. 2016): Multi-Paxos with any two quorum systems that meet.
 *
 * @packageDocumentation
 */

export {
  type FlexiblePaxos,
  type FlexiblePaxosStable,
  flexiblePaxos,
} from './flexible-paxos.ts';
export type { FlexiblePaxosOptions } from './options.ts';
export { paper } from './paper.ts';
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
