/** What PBFT tells laboratories of itself. */
import {
  drawBetween,
  drawOne,
  drawTimeout,
  type Entry,
  encodeValidatorStep,
  encodeValidators,
} from '@quorumlab/core';
import { exhibits, flaws, mutants } from './mutants.ts';
import { pbft } from './protocol.ts';
import type { Pbft } from './state.ts';

/** PBFT by name, with its options and wrong variants. */
export const entry: Entry<Pbft> = {
  title: 'PBFT: three phases and certificates; survives f liars among 3f+1.',
  right: (size) => pbft(size),
  mutants,
  flaws,
  exhibits,
  options: {
    initialMembers: {
      kind: 'text',
      meaning: 'who votes at first, e.g. 0,1,2,3; the others listen until let in (default: all)',
    },
    operators: {
      kind: 'text',
      meaning: 'the numbers of the clients that may change the group (default: all clients)',
    },
    requestTimeout: {
      kind: 'number',
      usual: '1s',
      meaning: 'time a request may wait before the primary is changed',
    },
    checkpointEvery: {
      kind: 'number',
      usual: '128',
      meaning: 'K: batches between two checkpoints',
    },
    window: {
      kind: 'number',
      usual: '256',
      meaning: 'L: batches logged above a checkpoint; 2K unless told',
    },
    windowBytes: {
      kind: 'number',
      usual: '67108864',
      meaning: 'bytes of requests logged above a checkpoint',
    },
    maxBatch: { kind: 'number', usual: '256', meaning: 'requests in one batch' },
    maxOutstanding: {
      kind: 'number',
      usual: '2',
      meaning: 'batches that are ordered and not yet executed',
    },
    fair: {
      kind: 'boolean',
      usual: 'false',
      meaning: 'a primary is replaced if it lets one request wait far longer than others',
    },
    reign: {
      kind: 'number',
      usual: '0',
      meaning: 'time after which a primary is replaced in any case; 0: never',
    },
    authentication: {
      kind: ['signatures', 'mac'],
      usual: 'signatures',
      meaning: 'how replicas show who they are: to everybody, or to the receiver alone',
    },
    readOnly: {
      kind: 'boolean',
      usual: 'false',
      meaning: 'reads are asked of all replicas, and take no place in the log',
    },
    tentative: {
      kind: 'boolean',
      usual: 'false',
      meaning: 'clients are answered once a quorum is prepared, one delay before it is committed',
    },
  },
  small: { checkpointEvery: 2, window: 4 },
  drawn(random, network, { narrow }) {
    const checkpointEvery = drawOne(random, narrow ? [1, 2] : [1, 3, 10, 128]);
    return {
      requestTimeout: drawTimeout(random, network),
      checkpointEvery,
      window: checkpointEvery * drawBetween(random, 1, 3),
      maxBatch: drawOne(random, narrow ? [1, 2] : [1, 3, 256]),
      maxOutstanding: drawBetween(random, 1, 3),
    };
  },
  change: (members) => encodeValidators(members.map((member) => ({ member, weight: 1 }))),
  member: (server, becomes) => encodeValidatorStep({ server, becomes }),
  seat: (server, about) => encodeValidatorStep({ server, becomes: 'learner', about }),
  byHand: (quorum) => ({ quorum }),
};
