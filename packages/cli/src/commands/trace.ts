import { wordsOf } from '@quorumlab/harness/shards';
import { parseTrace, TraceError } from '@quorumlab/sim';
import type { Command } from 'commander';
import { usageError } from '../errors.ts';
import { readText, writeLines } from '../files.ts';
import { oneOf } from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, terminal } from '../io.ts';

interface ConvertFlags {
  readonly to: string;
  readonly output?: string;
  readonly everything?: boolean;
}

const formats = ['mermaid', 'plantuml', 'shiviz'] as const;

/** `quorumlab trace convert <trace>`: a trace as text that other tools draw. */
export function addTrace(program: Command): void {
  const trace = program.command('trace').description('traces for other tools');
  withExamples(
    trace.command('convert <trace>'),
    'quorumlab trace convert raft.trace.ndjson --to mermaid',
    'quorumlab trace convert raft.trace.ndjson --to shiviz --output raft.log',
  )
    .description(
      'a trace (a file, or - for stdin) as a sequence diagram for Mermaid or PlantUML, or as a ' +
        'log with vector clocks for ShiViz',
    )
    .requiredOption('--to <format>', 'mermaid, plantuml or shiviz (required)')
    .option('--output <file>', 'where it goes (default: standard output)')
    .option('--everything', 'messages that changed nothing too; a log for ShiViz always has them')
    .action(async (file: string, flags: ConvertFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      if (io.json)
        throw usageError('QL100', 'a trace is JSON already, and this is not; leave out --json.');
      const to = oneOf('--to', flags.to, formats);
      const { mermaidOf, modelOf, plantUmlOf, shiVizOf } = await import('@quorumlab/trace-view');
      const given = parsed(readText(file));
      const model = modelOf(given, wordsOf(given));
      const options = { everything: flags.everything ?? false };
      const text = {
        mermaid: () => mermaidOf(model, options),
        plantuml: () => plantUmlOf(model, options),
        shiviz: () => shiVizOf(model),
      }[to]();
      if (flags.output === undefined) io.raw(text.trimEnd());
      else writeLines(flags.output, [text.trimEnd()]);
    });
}

function parsed(text: string): ReturnType<typeof parseTrace> {
  try {
    return parseTrace(text);
  } catch (error) {
    if (error instanceof TraceError)
      throw usageError('QL128', `this is not a trace: ${error.message}; name another file.`);
    throw error;
  }
}
