/** The worker. It is the page's own script: one file is all there is. */
import type { Answer, Question, Tell } from './ask.ts';
import { answerRun, isFirst } from './first.ts';

/** What a worker has in place of a page. */
interface WorkerScope {
  onmessage: ((event: { readonly data: Question }) => void) | null;
  postMessage(answer: Answer): void;
}

/** What answers every question. */
export interface Answers {
  answer(question: Question, tell: Tell): Iterable<Answer>;
}

/** Makes this thread answer questions; `rest` brings what the first part of the page has not. */
export function serve(scope: WorkerScope, rest: () => Promise<Answers>): void {
  const tell = seldom((answer) => scope.postMessage(answer));
  scope.onmessage = ({ data }) => {
    if (isFirst(data))
      scope.postMessage(answerRun(data, () => tell({ says: 'alive', isWhole: false })));
    else
      void rest().then(({ answer }) => {
        for (const each of answer(data, tell)) scope.postMessage(each);
      });
  };
}

/** Milliseconds between two words about what is under way. */
const beatMs = 200;

/** Passes on what is told, but not more often than people read. */
function seldom(tell: Tell): Tell {
  let last = performance.now();
  return (answer) => {
    const now = performance.now();
    if (now - last < beatMs) return;
    last = now;
    tell(answer);
  };
}
