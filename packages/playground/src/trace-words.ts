/** What is said of a trace that somebody opens. */
import type { Answer } from './ask.ts';

/** What running a trace again has shown. */
export function noteOf(answer: Answer): string {
  if (answer.says === 'cannot') return `It is shown as it stands, not run again: ${answer.why}`;
  if (answer.says === 'meanwhile') return `Running it again … ${answer.what}`;
  if (answer.says !== 'again') return '';
  return answer.differs === undefined
    ? `✓ Run again in this page: every line is the same, digest ${answer.ran.digest}.`
    : `✗ Run again in this page: it differs first at ${answer.differs}. Either the file was ` +
        'edited, or this is a bug of determinism: please report it.';
}

/** What a text is instead of a trace, and what to do. */
export function noTrace(text: string, why: string): string {
  if (text.trim() === '')
    return 'This file is empty, damaged or too large to be opened here; make it anew with --trace.';
  if (text.trimStart().startsWith('<'))
    return 'This page holds no trace; open a report that has counterexamples, or a trace.';
  if (text.includes('"quorumlab.result/1"'))
    return 'This is a result and no trace; open the trace file that it names.';
  return `This is no trace: ${why}. Make one with quorumlab run and --trace, and open that file.`;
}
