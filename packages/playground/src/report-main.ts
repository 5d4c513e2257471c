/** The script that a report brings along: it shows a counterexample, and runs it again there. */
import { againOf } from './again.ts';
import type { Answer, Question } from './ask.ts';
import { answerRun, cannot } from './first.ts';
import { type Held, viewerOf } from './report-view.ts';
import { asking, serve } from './worker.ts';

/** What the worker of a report answers: everything that a report asks. */
function* answer(question: Question): Generator<Answer> {
  try {
    if (question.ask === 'run') yield answerRun(question);
    if (question.ask === 'again') yield againOf(question.trace);
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
