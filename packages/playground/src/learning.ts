/** Where somebody is in a lesson: what was asked, guessed, shown and marked. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { type Marked, words } from '@quorumlab/lessons';
import type { Ask } from './asking.ts';
import type { Lecture } from './lecture.ts';
import type { Ran } from './ran.ts';

/** A lesson that somebody is in. */
export interface Learning {
  readonly number: number;
  /** What its runs came to; absent while they run. */
  readonly lecture?: Lecture;
  /** The answer that was given to the question. */
  readonly guess?: string;
  /** The answer to the exercise that is being run, or was. */
  readonly tried?: string;
  readonly marked?: Marked;
}

/** What a lesson does with the player. */
export interface Stage {
  /** Shows that something runs, with what people should know of it. */
  wait(note?: string): void;
  cannot(why: string): void;
  /** Shows a run; with a `note` in place of its verdict. */
  show(ran: Ran, note?: string): void;
  /** Moves just before an event, and lets nobody go further. */
  pauseBefore(event: number): void;
  /** Moves to an event; from now on everybody may go anywhere. */
  goOn(event: number): void;
}

/** Lessons, one at a time. */
export interface Lessons {
  readonly learning: ReadonlySignal<Learning | undefined>;
  begin(number: number): void;
  /** Forgets the lesson, and stops what runs for it. */
  end(): void;
  /** Answers the question: shows what decides. */
  guess(choice: string): void;
  /** Answers the exercise: runs it. */
  attempt(answer: string): void;
}

/** Lessons on a stage. */
export function createLessons(ask: Ask, stage: Stage): Lessons {
  const learning = signal<Learning | undefined>(undefined);
  let stop = (): void => undefined;
  const end = (): void => {
    stop();
    stop = () => undefined;
    learning.value = undefined;
  };
  return {
    learning,
    end,
    begin(number) {
      end();
      learning.value = { number };
      stage.wait();
      stop = ask({ ask: 'lesson', number }, (answer) => {
        if (answer.says === 'cannot') stage.cannot(answer.why);
        if (answer.says === 'meanwhile') stage.wait(answer.what);
        if (answer.says !== 'lesson') return;
        const { lecture } = answer;
        learning.value = { number, lecture };
        stage.show(lecture.ran, words.paused);
        stage.pauseBefore(lecture.decisive);
      });
    },
    guess(choice) {
      const { lecture, guess } = learning.value ?? {};
      if (learning.value === undefined || lecture === undefined || guess !== undefined) return;
      learning.value = { ...learning.value, guess: choice };
      stage.show(lecture.ran);
      stage.goOn(lecture.decisive);
    },
    attempt(answer) {
      if (learning.value === undefined) return;
      const { marked: _, ...before } = learning.value;
      const { number } = before;
      stop();
      learning.value = { ...before, tried: answer };
      stop = ask({ ask: 'mark', number, answer }, (said) => {
        if (said.says === 'cannot') stage.cannot(said.why);
        if (said.says === 'marked' && learning.value !== undefined)
          learning.value = { ...learning.value, marked: said.marked };
      });
    },
  };
}
