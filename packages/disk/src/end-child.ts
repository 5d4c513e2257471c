/** Appends for ever and says what was acknowledged; end.test.ts kills it. */
import { openLog } from './log.ts';
import { openSqliteLog } from './sqlite.ts';

const [backEnd, folder = ''] = process.argv.slice(2);
const open = backEnd === 'sqlite' ? openSqliteLog : openLog;
const log = await open(folder, { owner: 'end', replay: () => {}, segmentBytes: 4000 });
for (let i = 0; ; i++) {
  await log.append(new TextEncoder().encode(`${i}`));
  process.stdout.write(`${i}\n`);
}
