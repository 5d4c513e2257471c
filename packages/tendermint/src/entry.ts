/** What Tendermint tells laboratories of itself. */
import {
  drawBetween,
  drawOne,
  drawTimeout,
  type Entry,
  encodeValidatorStep,
  encodeValidators,
} from '@quorumlab/core';
import type { Options } from './group.ts';
import { exhibits, flaws, mutants } from './mutants.ts';
import { tendermint } from './protocol.ts';
import type { Tendermint } from './state.ts';

/** Tendermint by name, with its options and wrong variants. */
export const entry: Entry<Tendermint> = {
  title: 'Tendermint: a proposer each height, rounds with locks; survives f liars among 3f+1.',
  right: (size: Options) => tendermint(size),
  mutants,
  flaws,
  exhibits,
  options: {
    weights: {
      kind: 'text',
      meaning: 'what each validator weighs, in votes and turns: 1,1,1,2; 1 each unless told',
    },
    initialMembers: {
      kind: 'text',
      meaning: 'who votes at first, e.g. 0,1,2,3; the others listen until let in (default: all)',
    },
    operators: {
      kind: 'text',
      meaning: 'the numbers of the clients that may change the group (default: all clients)',
    },
    proposeTimeout: {
      kind: 'number',
      usual: '500ms',
      meaning: 'time that the first proposer of a height may take',
    },
    voteTimeout: {
      kind: 'number',
      usual: '250ms',
      meaning: 'time to wait for votes that agree; half of proposeTimeout unless told',
    },
    timeoutDelta: {
      kind: 'number',
      usual: '250ms',
      meaning: 'time that each round adds to both; half of proposeTimeout unless told',
    },
    accountable: {
      kind: 'boolean',
      usual: 'true',
      meaning: 'prevotes tell their valid rounds, which show who has forgotten a lock',
    },
    checkpointEvery: {
      kind: 'number',
      usual: '128',
      meaning: 'K: heights between two checkpoints',
    },
    window: {
      kind: 'number',
      usual: '256',
      meaning: 'heights that may follow a checkpoint; 2K unless told',
    },
    windowBytes: {
      kind: 'number',
      usual: '67108864',
      meaning: 'bytes of requests that may follow a checkpoint',
    },
    maxBatch: { kind: 'number', usual: '256', meaning: 'requests in one batch' },
  },
  small: { checkpointEvery: 2, window: 4 },
  drawn(random, network, { narrow }) {
    const checkpointEvery = drawOne(random, narrow ? [1, 2] : [1, 3, 10, 128]);
    const proposeTimeout = drawTimeout(random, network);
    return {
      proposeTimeout,
      voteTimeout: Math.floor(proposeTimeout / drawBetween(random, 1, 3)),
      accountable: random.below(4) > 0,
      checkpointEvery,
      window: checkpointEvery * drawBetween(random, 1, 3),
      maxBatch: drawOne(random, narrow ? [1, 2] : [1, 3, 256]),
    };
  },
  change: (members) => encodeValidators(members.map((member) => ({ member, weight: 1 }))),
  member: (server, becomes) => encodeValidatorStep({ server, becomes }),
  seat: (server, about) => encodeValidatorStep({ server, becomes: 'learner', about }),
  byHand: (quorum) => ({ quorum }),
};
