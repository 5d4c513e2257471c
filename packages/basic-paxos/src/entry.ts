/** What Basic Paxos tells laboratories of itself. */
import { drawOne, type Entry, ms, range, threshold } from '@quorumlab/core';
import { exhibits, flaws, mutants } from './mutants.ts';
import { basicPaxos } from './protocol.ts';
import type { BasicPaxos } from './state.ts';

/** Basic Paxos by name, with its options and wrong variants. */
export const entry: Entry<BasicPaxos> = {
  title: 'Basic Paxos: one decision by majorities; a log of one slot, survives crashes.',
  right: (options) => basicPaxos(options),
  mutants,
  flaws,
  exhibits,
  options: {
    retry: {
      kind: 'number',
      usual: '50ms',
      meaning: 'time of a first attempt; doubled after each vain one',
    },
    maxRetry: {
      kind: 'number',
      usual: '1s',
      meaning: 'time at which the doubling of retry ends',
    },
  },
  drawn: (random) => ({
    retry: ms(drawOne(random, [1, 5, 20, 50])),
    maxRetry: ms(drawOne(random, [400, 1000])),
  }),
  byHand(quorum, n) {
    const any = threshold(range(n), quorum);
    return { quorums: { phase1: any, phase2: any } };
  },
};
