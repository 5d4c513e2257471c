/** `quorumlab lab`: tasks in code, marked by running what somebody has written. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { engine } from '@quorumlab/harness';
import { type Graded, type Lab, labOf, labs, type Solution } from '@quorumlab/lessons';
import type { Command } from 'commander';
import { exitCodes, usageError } from '../errors.ts';
import { readText, writeLines } from '../files.ts';
import { wholeNumber } from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, type Io, terminal } from '../io.ts';

/** The schema of what `--json` prints of labs. */
const schema = 'quorumlab.lab/1';

interface LabFlags {
  readonly start?: string;
  readonly seeds: string;
  readonly trace?: string;
}

/** `quorumlab lab [number] [file]`. */
export function addLab(program: Command): void {
  withExamples(
    program.command('lab [number] [file]'),
    'quorumlab lab',
    'quorumlab lab 1 --start liar.mjs',
    'quorumlab lab 1 liar.mjs',
  )
    .description('three tasks in code: a file of yours is run, and marked by what comes of it')
    .option('--start <file>', 'write the file to begin with (default: none)')
    .option('--seeds <count>', 'how many runs mark it', '200')
    .option('--trace <file>', 'write the trace of its smallest violation (default: none)')
    .action(
      async (
        number: string | undefined,
        file: string | undefined,
        flags: LabFlags,
        command: Command,
      ) => {
        const io = terminal(command.optsWithGlobals<GlobalFlags>());
        if (number === undefined) return sayLabs(io);
        const lab = labOf(number);
        if (flags.start !== undefined) {
          if (existsSync(flags.start))
            throw usageError('QL108', `${flags.start} is there already; choose another name.`);
          writeLines(flags.start, [lab.skeleton.trimEnd()]);
        }
        if (file === undefined) return sayTask(io, lab, flags.start);
        const seeds = wholeNumber('--seeds', flags.seeds, 1, 1_000_000);
        const graded = lab.grade(await solutionIn(file), readText(file), seeds);
        if (flags.trace !== undefined && graded.trace !== undefined)
          writeLines(flags.trace, [graded.trace.trimEnd()]);
        process.exitCode = sayGraded(io, lab, graded);
      },
    );
}

/** What a file exports. Throws an `Exit` (QL130) that says why it cannot be read. */
async function solutionIn(file: string): Promise<Solution> {
  if (!existsSync(file))
    throw usageError('QL130', `There is no file ${file}; make one with --start ${file}.`);
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as Solution;
  } catch (error) {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw usageError('QL130', `${file} cannot be run: ${why}; mend it and try again.`);
  }
}

function sayLabs(io: Io): void {
  const rows = labs.map(({ number, title, task }) => ({ number, title, task }));
  if (io.json) return io.out(JSON.stringify({ schema, engine, labs: rows }));
  for (const { number, title, task } of rows) {
    io.out(`${String(number).padStart(3)}  ${io.paint('strong', title)}`);
    io.out(`     ${task[0]}`);
  }
  io.out('');
  io.out('Begin with:  quorumlab lab 1 --start liar.mjs');
}

function sayTask(io: Io, { number, title, task, skeleton }: Lab, start?: string): void {
  if (io.json) {
    io.out(JSON.stringify({ schema, engine, number, title, task, skeleton, start }));
    return;
  }
  io.out(io.paint('strong', title));
  for (const each of task) io.out(each);
  io.out('');
  if (start === undefined) for (const line of skeleton.trimEnd().split('\n')) io.out(`  ${line}`);
  const file = start ?? `lab-${number}.mjs`;
  const where = start === undefined ? 'Write it in' : 'It is in';
  io.out(`${where} ${file}, then:  quorumlab lab ${number} ${file}`);
}

/** Says how a solution was marked. Returns the exit code. */
function sayGraded(io: Io, { number, title }: Lab, graded: Graded): number {
  const exit = graded.passed ? exitCodes.expected : exitCodes.unexpected;
  if (io.json) {
    const { trace: _, ...told } = graded;
    io.out(JSON.stringify({ schema, engine, number, title, ...told, exit }));
    return exit;
  }
  const sign = io.sign(graded.passed ? 'ok' : 'fail');
  io.out(`${io.paint(graded.passed ? 'good' : 'bad', sign)} ${title}`);
  for (const sentence of graded.sentences) io.out(`  ${sentence}`);
  return exit;
}
