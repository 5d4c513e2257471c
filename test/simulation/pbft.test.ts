import { ms } from '@quorumlab/core';
import { testSwarm, testVariants } from './suite.ts';

testSwarm('pbft');

/** What is off unless told, in worlds of the same seeds. */
testVariants('pbft', {
  'reads of all replicas': { readOnly: true },
  'tentative execution': { tentative: true },
  'tentative execution, and reads of all replicas': { tentative: true, readOnly: true },
  'MACs instead of signatures': { authentication: 'mac' },
  'primaries that are compared': { fair: true, reign: ms(200) },
});
