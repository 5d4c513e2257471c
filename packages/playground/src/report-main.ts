/** The script that a report brings along: it shows a counterexample, and runs it again there. */
import { againOf } from './again.ts';
import type { Answer, Question, Tell } from './ask.ts';
import { asking } from './asking.ts';
import { answerRun, cannot } from './first.ts';
import { type Held, viewerOf } from './report-view.ts';
import { serve } from './worker.ts';

/** What the worker of a report answers: everything that a report asks. */
function* answer(question: Question, tell: Tell): Generator<Answer> {
  const beat = (): void => tell({ says: 'alive', isWhole: false });
  try {
    if (question.ask === 'run') yield answerRun(question, beat);
    if (question.ask === 'again') yield againOf(question.trace, beat);
  } catch (error) {
    yield cannot(error);
  }
}

// The same script is the worker, where there is no document.
if (typeof document === 'undefined')
  serve(globalThis as unknown as Parameters<typeof serve>[0], async () => ({ answer }));
else {
  const { src } = document.currentScript as HTMLScriptElement;
  const { quorumlabStyle } = globalThis as { readonly quorumlabStyle?: string };
  const style = document.createElement('style');
  style.textContent = quorumlabStyle ?? '';
  document.head.append(style);
  const show = viewerOf(asking(() => src));
  Object.assign(globalThis, {
    quorumlabShow: (place: Element, held: Held, again: boolean) => show(place, held, again),
  });
}
