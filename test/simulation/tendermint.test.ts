import { testSwarm } from './suite.ts';

testSwarm('tendermint');
