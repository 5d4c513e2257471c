/** The two ends of the worker. It is the page's own script: one file is all there is. */

import type { Answer, Question } from './ask.ts';
import { answerRun, isFirst } from './first.ts';

/** What a worker has in place of a page. */
interface WorkerScope {
  onmessage: ((event: { readonly data: Question }) => void) | null;
  postMessage(answer: Answer): void;
}

/** What answers every question. */
export interface Answers {
  answer(question: Question): Iterable<Answer>;
}

/** Makes this thread answer questions; `rest` brings what the first part of the page has not. */
export function serve(scope: WorkerScope, rest: () => Promise<Answers>): void {
  scope.onmessage = ({ data }) => {
    if (isFirst(data)) scope.postMessage(answerRun(data));
    else
      void rest().then(({ answer }) => {
        for (const each of answer(data)) scope.postMessage(each);
      });
  };
}

/** Asks a question; `hear` gets every answer. Returns how to stop, which may be called twice. */
export type Ask = (question: Question, hear: (answer: Answer) => void) => () => void;

/**
 * Asks workers, a new one for each question, so that each can be stopped. They run the texts that
 * `parts` are: the first, and behind it the rest if the question needs it.
 */
export function workers(parts: { readonly first: string; readonly rest: () => string }): Ask {
  const url = (...scripts: readonly string[]): string =>
    URL.createObjectURL(new Blob([scripts.join('\n')], { type: 'text/javascript' }));
  let small: string | undefined;
  let whole: string | undefined;
  return (question, hear) => {
    if (isFirst(question)) small ??= url(parts.first);
    else whole ??= url(parts.first, parts.rest());
    const worker = new Worker((isFirst(question) ? small : whole) ?? '');
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      // Whatever is not a part of a cell is all that it has to say.
      if (data.says !== 'cell' || data.isWhole) worker.terminate();
      hear(data);
    };
    worker.onerror = ({ message }) => hear({ says: 'cannot', why: `internal error: ${message}` });
    worker.postMessage(question);
    return () => worker.terminate();
  };
}
