import { testSwarm } from './suite.ts';

testSwarm('streamlet');
