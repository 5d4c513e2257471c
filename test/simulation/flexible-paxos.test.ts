import { testSwarm } from './suite.ts';

testSwarm('flexible-paxos');
