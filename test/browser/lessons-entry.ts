import { answerKey, lessonOf, playLesson } from '@quorumlab/lessons';

/** What a lesson came to, where it ran. */
export interface Taught {
  readonly asExpected: boolean;
  readonly answer: string;
  readonly decisive: number;
  readonly explanation: readonly string[];
  /** Digests of its runs, by their names. */
  readonly digests: Readonly<Record<string, string>>;
  /** Which answers to its exercise are right, with the digests of their runs. */
  readonly key: readonly (readonly [answer: string, right: boolean, ...digests: string[]])[];
}

/** Plays a lesson and marks every answer to its exercise. */
export function taught(number: number): Taught {
  const lesson = lessonOf(number);
  const { asExpected, answer, decisive, explanation, shown } = playLesson(lesson);
  return {
    ...{ asExpected, answer, decisive, explanation },
    digests: Object.fromEntries(Object.entries(shown).map(([name, { digest }]) => [name, digest])),
    key: answerKey(lesson).map((each) => [
      each.answer,
      each.right,
      ...each.trials.map(({ outcome }) => outcome.digest),
    ]),
  };
}
