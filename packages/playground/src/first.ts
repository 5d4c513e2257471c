/** What the first part of the page can run by itself. */
import { ScenarioError } from '@quorumlab/harness';
import { TraceError } from '@quorumlab/sim';
import type { Answer, Question } from './ask.ts';
import { ranOf } from './ran.ts';

/** The protocols of the first screen. All others come behind it, and all wrong variants. */
export const firstProtocols: readonly string[] = ['raft', 'pbft'];

/** Whether a question needs nothing of what comes behind. */
export const isFirst = (question: Question): question is Question & { readonly ask: 'run' } =>
  question.ask === 'run' &&
  firstProtocols.includes(question.scenario.protocol) &&
  question.scenario.mutant === undefined;

/** Runs one scenario. */
export function answerRun(
  { scenario }: Question & { readonly ask: 'run' },
  beat: () => void,
): Answer {
  try {
    return { says: 'ran', ran: ranOf(scenario, beat) };
  } catch (error) {
    return cannot(error);
  }
}

/** What was thrown, as a sentence. Anything but a wrong input is a bug of ours, and told as one. */
export function cannot(error: unknown): Answer {
  const isWrong = error instanceof ScenarioError || error instanceof TraceError;
  const why = error instanceof Error ? error.message : String(error);
  // The lines behind the first are about flags of the command line.
  return { says: 'cannot', why: isWrong ? (why.split('\n')[0] ?? '') : `internal error: ${why}` };
}
