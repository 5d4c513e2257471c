import { testSwarm, testVariants } from './suite.ts';

testSwarm('pbft');

/** What is off unless told, in worlds of the same seeds. */
testVariants('pbft', { 'reads of all replicas': { readOnly: true } });
