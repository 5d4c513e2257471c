import {
  type Anomaly,
  checkListAppend,
  HistoryError,
  type ListAppendVerdict,
  type ListTransaction,
  parseTransactions,
} from '@quorumlab/checker';
import { engine, quoted } from '@quorumlab/harness';
import type { Command } from 'commander';
import { exitCodes, usageError } from '../errors.ts';
import { readText } from '../files.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, type Io, terminal } from '../io.ts';

interface CheckFlags {
  readonly realTime: boolean;
}

/** `quorumlab check <history>`: whether transactions over lists were strictly serializable. */
export function addCheck(program: Command): void {
  withExamples(
    program.command('check <history>'),
    'quorumlab check transactions.ndjson',
    'quorumlab check transactions.ndjson --no-real-time --json',
  )
    .description(
      'judge a history of transactions that append to lists and read them: one JSON value a ' +
        'line, see packages/checker/README.md',
    )
    .option('--no-real-time', 'serializability only: what ended first need not come first')
    .action((file: string, { realTime }: CheckFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const history = historyIn(file);
      const found = judged(file, history, realTime);
      if (io.json)
        io.out(
          JSON.stringify({
            schema: 'quorumlab.check/1',
            engine,
            command: `quorumlab check ${quoted(file)}${realTime ? '' : ' --no-real-time'}`,
            transactions: history.length,
            ...found,
          }),
        );
      else say(io, history.length, found);
      process.exitCode = exitOf(found);
    });
}

function historyIn(file: string): readonly ListTransaction[] {
  return teaching(file, () => parseTransactions(readText(file)));
}

const judged = (
  file: string,
  history: readonly ListTransaction[],
  realTime: boolean,
): ListAppendVerdict => teaching(file, () => checkListAppend(history, { realTime }));

function teaching<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    throw usageError('QL128', `${file} is no history that can be judged: ${error.message}.`);
  }
}

const exitOf = ({ verdict }: ListAppendVerdict): number =>
  verdict === 'violated'
    ? exitCodes.unexpected
    : verdict === 'unknown'
      ? exitCodes.inconclusive
      : exitCodes.expected;

function say(io: Io, transactions: number, found: ListAppendVerdict): void {
  if (found.verdict === 'unknown')
    return io.out(`${io.paint('warn', `${io.sign('unknown')} unknown`)}: ${found.sentence}`);
  if (found.verdict !== 'violated') {
    const what = `${io.sign('ok')} ${found.verdict}`;
    return io.out(`${io.paint('good', what)}: ${transactions} transactions have such an order`);
  }
  io.out(io.paint('bad', `${io.sign('fail')} no order explains these transactions`));
  for (const anomaly of found.anomalies) sayAnomaly(io, anomaly);
}

function sayAnomaly(io: Io, { name, sentence, steps }: Anomaly): void {
  if (steps.length === 0) return io.out(`  ${name}: ${sentence}`);
  io.out(`  ${name}: ${sentence.slice(0, sentence.indexOf(': '))}`);
  for (const step of steps) io.out(`    ${step}`);
}
