/** The two ends of the worker. It is the page's own script: one file is all there is. */
import { type Answer, answer, type Question } from './runs.ts';

/** What a worker has in place of a page. */
interface WorkerScope {
  onmessage: ((event: { readonly data: Question }) => void) | null;
  postMessage(answer: Answer): void;
}

/** Makes this thread answer questions. */
export function serve(scope: WorkerScope): void {
  scope.onmessage = ({ data }) => {
    for (const each of answer(data)) scope.postMessage(each);
  };
}

/** Asks a question; `hear` gets every answer. Returns how to stop, which may be called twice. */
export type Ask = (question: Question, hear: (answer: Answer) => void) => () => void;

/**
 * Asks workers that run `source`, a new one for each question, so that each can be stopped. Those
 * for lessons run `lessons` too.
 */
export function workers(source: string, lessons: () => string): Ask {
  const url = (script: string): string =>
    URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const plain = url(source);
  let teaching: string | undefined;
  return (question, hear) => {
    const teaches = question.ask === 'lesson' || question.ask === 'mark';
    if (teaches) teaching ??= url(`${lessons()}\n${source}`);
    const worker = new Worker(teaches && teaching !== undefined ? teaching : plain);
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
