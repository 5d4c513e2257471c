/** How a page asks workers, and what it does when one is heard of no more. */
import { type Answer, isLast, type Question } from './ask.ts';
import { isFirst } from './first.ts';
import { silentMs, watchOver } from './watch.ts';

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

/**
 * Asks workers that run the script at the address that a question is given. Browsers end threads of
 * tabs that sleep, and tell nobody: what is heard of no more is begun again, where it had come to.
 */
export function asking(addressFor: (question: Question) => string): Ask {
  return (question, hear) => {
    const isOwn = question.ask === 'own';
    let left = question;
    let begun = 0;
    let drop = (): void => undefined;
    const end = (): void => {
      clearTimeout(tooLong);
      watch.end();
      drop();
      drop = () => undefined;
    };
    const cannot = (why: string): void => {
      end();
      hear({ says: 'cannot', why });
    };
    const begin = (): void => {
      drop();
      begun++;
      try {
        drop = ask(addressFor(left), left, { cannot, heard });
      } catch (error) {
        cannot(noThread(error));
      }
    };
    const heard = (answer: Answer): void => {
      watch.heard();
      left = leftOf(left, answer);
      // Whatever is not a part of an answer is all that there is to say.
      if (isLast(answer)) end();
      if (answer.says !== 'alive') hear(answer);
    };
    const meanwhile = (what: string): void => hear({ says: 'meanwhile', what, isWhole: false });
    const tooLong = isOwn ? setTimeout(() => cannot(endless), patienceMs) : undefined;
    const watch = watchOver({
      slept: (seconds) => meanwhile(sleptFor(seconds)),
      silent() {
        // A script of somebody's own has its own limit.
        if (isOwn) return;
        if (begun >= mostBegun) return cannot(endedAgain);
        begin();
        meanwhile(begunAgain);
      },
    });
    begin();
    return end;
  };
}

interface Ears {
  cannot(why: string): void;
  heard(answer: Answer): void;
}

/** Asks one worker; returns how to end it. */
function ask(address: string, question: Question, { cannot, heard }: Ears): () => void {
  const isOwn = question.ask === 'own';
  const worker = new Worker(address);
  worker.onmessage = ({ data }: MessageEvent<Answer>) => heard(data);
  worker.onerror = ({ message }) =>
    cannot(isOwn ? `Your script cannot be read: ${message}.` : `internal error: ${message}`);
  worker.postMessage(question);
  return () => {
    worker.terminate();
    if (isOwn) URL.revokeObjectURL(address);
  };
}

/** What of a question is left to be asked when so much of it has been answered. */
const leftOf = (question: Question, answer: Answer): Question =>
  question.ask === 'search' && answer.says === 'searched'
    ? { ...question, from: answer.runs }
    : question;

/** How long a script of somebody's own may take. */
const patienceMs = 10_000;
const endless =
  `Your script did not come to an end within ${patienceMs / 1000} seconds, and was stopped: look ` +
  'for a loop without an end.';

/** The worker's name for what somebody has written. */
const scriptOf = (script: string): string => `globalThis.quorumlabLie = (\n${script}\n);`;

/** How often one thing is begun. */
const mostBegun = 3;
const begunAgain =
  `Nothing was heard of this for ${silentMs / 1000} s: the browser has ended its thread, as some ` +
  'do while a tab sleeps. It has been begun again; nothing is lost.';
const endedAgain =
  `The browser has ended this ${mostBegun} times without a word: it may lack memory. Close other ` +
  'tabs, or ask for less (fewer replicas, operations or seeds), and run it again.';
const sleptFor = (seconds: number): string =>
  `This tab slept for ${seconds} s, and what was under way with it. It goes on; nothing is lost.`;
const noThread = (error: unknown): string =>
  `This browser lets no thread run here (${error instanceof Error ? error.message : error}), and ` +
  'without one nothing can be run: allow scripts of this page, or use quorumlab at a terminal.';
