/** The two ends of the worker. It is the page's own script: one file is all there is. */

import { type Answer, isLast, type Question } from './ask.ts';
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
  return asking((question) => {
    // What somebody writes is a script of this one worker, which holds nothing and reaches nobody.
    if (question.ask === 'own') return url(parts.first, parts.rest(), scriptOf(question.script));
    if (isFirst(question)) return (small ??= url(parts.first));
    return (whole ??= url(parts.first, parts.rest()));
  });
}

/** Asks workers that run the script at the address that a question is given. */
export function asking(addressFor: (question: Question) => string): Ask {
  return (question, hear) => {
    const isOwn = question.ask === 'own';
    const address = addressFor(question);
    const worker = new Worker(address);
    const tooLong = isOwn ? setTimeout(() => stop(endless), patienceMs) : undefined;
    const end = (): void => {
      clearTimeout(tooLong);
      worker.terminate();
      if (isOwn) URL.revokeObjectURL(address);
    };
    const stop = (why: string): void => {
      end();
      hear({ says: 'cannot', why });
    };
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      // Whatever is not a part of a cell is all that it has to say.
      if (isLast(data)) end();
      hear(data);
    };
    worker.onerror = ({ message }) =>
      stop(isOwn ? `Your script cannot be read: ${message}.` : `internal error: ${message}`);
    worker.postMessage(question);
    return end;
  };
}

/** How long a script of somebody's own may take. */
const patienceMs = 10_000;
const endless =
  `Your script did not come to an end within ${patienceMs / 1000} seconds, and was stopped: look ` +
  'for a loop without an end.';

/** The worker's name for what somebody has written. */
const scriptOf = (script: string): string => `globalThis.quorumlabLie = (\n${script}\n);`;
