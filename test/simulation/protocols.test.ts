import { withoutFile } from '../support/own-file.ts';
import { testSwarm } from './suite.ts';

for (const { name } of withoutFile(import.meta.url)) testSwarm(name);
