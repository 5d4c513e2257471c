import { openLog, openSqliteLog } from './index.ts';

// A process of lock.test.ts: appends "0", "1", ... after what is there, and says what is durable.
const [backend, folder] = process.argv.slice(2);
const open = backend === 'sqlite' ? openSqliteLog : openLog;
let count = 0;
const log = await open(folder!, {
  owner: 'lock',
  replay: () => {
    count += 1;
  },
});
for (;;) {
  await log.append(new TextEncoder().encode(String(count)));
  process.stdout.write(`${count}\n`);
  count += 1;
  // Lets the pipe drain, so that a kill strikes at any point.
  await new Promise((resolve) => setImmediate(resolve));
}
