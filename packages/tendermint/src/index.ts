/**
 * Tendermint (Buchman, Kwon and Milosevic 2018): a replicated log that survives f Byzantine of 3f+1
 * replicas, with another proposer at every height.
 *
 * @packageDocumentation
 */

export {
  encodeValidatorStep as encodeStep,
  encodeValidators,
  type Validator,
  ValidatorError,
  type ValidatorSet,
  type ValidatorStep as TendermintStep,
} from '@quorumlab/core';
export type { Options as TendermintOptions } from './group.ts';
export type {
  BatchBody,
  Block,
  Checkpoint,
  Commit,
  Decided,
  Decision,
  FetchBatch,
  Message as TendermintMessage,
  Polka,
  PolkaMessage,
  Precommit,
  Prevote,
  Proposal,
  Relay,
  StableCheckpoint,
  StatusReport,
} from './messages.ts';
export { paper } from './paper.ts';
export { tendermint } from './protocol.ts';
export type {
  Answered,
  Early,
  Heard,
  Lock,
  Proposed,
  Said,
  Stable as TendermintStable,
  Step,
  Tendermint,
  Timer,
  Volatile as TendermintVolatile,
  Waiting,
} from './state.ts';
