import { testSwarm } from './suite.ts';

testSwarm('multi-paxos');
