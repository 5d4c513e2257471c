/** Runs and traces as pages draw them. */
import { parseTrace, type Trace } from '@quorumlab/sim';
import { type DescribeOperation, modelOf, type TraceModel } from '@quorumlab/trace-view';
import type { Ran } from './ran.ts';

/** What comes with the rest of the page. */
export interface Words {
  /** How operations of a trace read. */
  wordsOf(trace: Trace): DescribeOperation;
}

/** A run with its model. */
export const seen = (
  ran: Ran,
  rest: Words | undefined,
): Pick<Ran, 'clocks'> & { readonly ran: Ran; readonly model: TraceModel } => ({
  ...{ ran, model: modelIn(ran.trace, rest) },
  ...clocksIn(ran),
});

/** The model of a trace; the words of shards come with the rest. */
export function modelIn(text: string, rest: Words | undefined): TraceModel {
  const trace = parseTrace(text);
  return modelOf(trace, rest?.wordsOf(trace));
}

/** The model of a run whose verdict is not to be seen yet. */
export const unseen = (ran: Ran, rest: Words | undefined, note: string) => ({
  ...{ model: modelIn(ran.trace, rest), note },
  ...clocksIn(ran),
});

const clocksIn = ({ clocks }: Ran): Pick<Ran, 'clocks'> => (clocks ? { clocks } : {});
