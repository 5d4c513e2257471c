/** A process that takes the only client of a cluster, says whether it has it, and keeps it. */
import { once } from 'node:events';
import { connectCluster } from '../src/connect.ts';

const [folder = ''] = process.argv.slice(2);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
try {
  await connectCluster(folder, { client: 0 });
  process.stdout.write('holds\n');
  setInterval(() => undefined, 1000);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`);
}
