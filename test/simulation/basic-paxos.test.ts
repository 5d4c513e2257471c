import { testSwarm } from './suite.ts';

testSwarm('basic-paxos');
