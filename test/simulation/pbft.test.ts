import { testSwarm } from './suite.ts';

testSwarm('pbft');
