import { testSwarm } from './suite.ts';

testSwarm('hotstuff');
