/** What the HotStuff family tells laboratories of itself. */
import {
  drawBetween,
  drawOne,
  drawTimeout,
  type Entry,
  encodeValidatorStep,
  encodeValidators,
  ms,
} from '@quorumlab/core';
import type { Options } from './group.ts';
import { exhibits, flaws, mutants } from './mutants.ts';
import { hotstuff } from './protocol.ts';
import { rulesNames } from './rules.ts';
import type { HotStuff } from './state.ts';

/** The HotStuff family by name, with its options, rule sets and wrong variants. */
export const entry: Entry<HotStuff> = {
  title:
    'HotStuff: certificates through the leader, n messages a step; survives f liars among 3f+1.',
  right: (size: Options) => hotstuff(size),
  mutants,
  flaws,
  exhibits,
  options: {
    rules: {
      kind: rulesNames,
      usual: 'jolteon',
      meaning: 'which member of the family: how to vote, lock and commit',
    },
    leaders: {
      kind: ['sticky', 'round-robin', 'every-view'],
      usual: 'sticky',
      meaning: 'who leads: one for a reign, or another in every view (and votes go to all)',
    },
    initialMembers: {
      kind: 'text',
      meaning: 'who votes at first, e.g. 0,1,2,3; the others listen until let in (default: all)',
    },
    operators: {
      kind: 'text',
      meaning: 'the numbers of the clients that may change the group (default: all clients)',
    },
    reign: { kind: 'number', usual: '128', meaning: 'views of one sticky leader, 4 or more' },
    requestTimeout: {
      kind: 'number',
      usual: '1s',
      meaning: 'time a request may wait before the leader is changed',
    },
    delta: {
      kind: 'number',
      usual: '125ms',
      meaning: 'time that hotstuff-2 waits; an eighth of requestTimeout',
    },
    checkpointEvery: {
      kind: 'number',
      usual: '128',
      meaning: 'blocks between two checkpoints',
    },
    window: {
      kind: 'number',
      usual: '264',
      meaning: 'blocks after a checkpoint; 2 checkpointEvery + 8 unless told',
    },
    windowBytes: {
      kind: 'number',
      usual: '67108864',
      meaning: 'bytes of requests in blocks after a checkpoint',
    },
    maxBatch: { kind: 'number', usual: '256', meaning: 'requests in one block' },
  },
  small: { checkpointEvery: 2, window: 6 },
  drawn(random, network, { told, narrow }) {
    const checkpointEvery = drawOne(random, narrow ? [1, 2] : [1, 3, 10, 128]);
    // A new leader every view is for two-chains: three-chains would need more replicas. Where some
    // are silent most views fail, so it is for short timeouts if the end is to be waited for.
    const rotates =
      told.rules !== 'chained' && ['lan', 'lossy'].includes(network) && random.below(3) === 0;
    return {
      requestTimeout: rotates ? ms(15) : drawTimeout(random, network),
      checkpointEvery,
      window: checkpointEvery + drawBetween(random, 4, narrow ? 6 : 40),
      maxBatch: drawOne(random, narrow ? [1, 2] : [1, 3, 256]),
      ...(rotates ? { leaders: 'round-robin' } : { reign: drawOne(random, [8, 16, 128]) }),
    };
  },
  variants: 'rules',
  change: (members) => encodeValidators(members.map((member) => ({ member, weight: 1 }))),
  member: (server, becomes) => encodeValidatorStep({ server, becomes }),
  seat: (server, about) => encodeValidatorStep({ server, becomes: 'learner', about }),
  byHand: (quorum) => ({ quorum }),
};
