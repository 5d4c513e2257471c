/** What the first part of the page can run by itself. */
import type { Answer, Question } from './ask.ts';
import { ranOf } from './ran.ts';

/** The protocols of the first screen. All others come behind it, and all wrong variants. */
export const firstProtocols: readonly string[] = ['raft', 'pbft'];

/** What these need only where they are told something, by package: it comes behind them too. */
export const laterModules: Readonly<Record<string, readonly string[]>> = {
  pbft: ['view-change', 'decision', 'recovery', 'vows', 'report', 'guards'].map(
    (each) => `mac-${each}`,
  ),
  // Of protocols that order no more than what conflicts.
  checker: ['relative-order'],
  harness: ['trusted-counters', 'weak-reads'],
};

/** Whether a question needs nothing of what comes behind. */
export const isFirst = (question: Question): question is Question & { readonly ask: 'run' } =>
  question.ask === 'run' &&
  firstProtocols.includes(question.scenario.protocol) &&
  question.scenario.mutant === undefined &&
  question.scenario.reads === undefined &&
  Object.keys(question.scenario.options ?? {}).length === 0;

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

/** Errors of packages whose sentences are for whoever chose what is run. */
const teaching = /^(Scenario|Trace|Options|Quorum|Configuration|Validator)Error$/;

/** What was thrown, as a sentence. Anything but a wrong input is a bug of ours, and told as one. */
export function cannot(error: unknown): Answer {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  // The lines behind the first are about flags of the command line.
  const [sentence = ''] = message.split('\n');
  if (teaching.test(name)) return { says: 'cannot', why: sentence };
  return { says: 'cannot', why: `internal error: ${message}` };
}
