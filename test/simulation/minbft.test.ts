import { testSwarm } from './suite.ts';

testSwarm('minbft');
