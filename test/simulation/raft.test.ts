import { testSwarm } from './suite.ts';

testSwarm('raft');
