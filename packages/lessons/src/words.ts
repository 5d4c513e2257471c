/** The words around the lessons: what is said besides the text of one. */

/** All of them. `{name}` is filled in. */
export const words = {
  lesson: 'Lesson {number}: {title}',
  lessons: 'Lessons',
  invitation: 'Each one asks you first, and then runs the protocols of these packages to find out.',
  idea: 'The idea: {idea}',
  question: 'What do you think?',
  yours: 'You said: {choice}.',
  foretold: 'The run says so too.',
  otherwise: 'The run says otherwise: {choice}.',
  answer: 'The run says: {choice}.',
  paused: 'The run is paused before the moment that decides.',
  happened: 'What happened',
  explanation: 'Why',
  breaking: 'Break it',
  withBreak: 'with it:    {word}: {sentence}',
  withoutBreak: 'without it: {word}: {sentence}',
  again: 'see it again: {command}',
  exercise: 'Exercise',
  run: 'Your answer is checked by running it.',
  rightAnswer: 'Right.',
  wrongAnswer: 'Not right.',
  asWanted: '{name} ended {word}, as it should: {sentence}',
  notAsWanted: '{name} ended {word}, and should have ended {must}: {sentence}',
  key: 'Answer key. {title}',
  digest: 'digest',
  quiz: 'True or false?',
  quizInvitation: 'Each is settled by runs.',
  isTrue: 'True.',
  isFalse: 'False.',
  broken: 'With it:',
  mended: 'Without it:',
  running: 'running …',
  before: 'The lesson before',
  next: 'The next lesson',
  or: ' or ',
  noAnswer: '"{typed}" is none of the answers: {all}.',
  noStatement: 'There is no statement "{which}"; there are 1 to {last}.',
  noLesson: 'There is no lesson "{number}"; there are 1 to {last}.',
  asExpected: 'All runs of this lesson came out as it says.',
  notAsExpected: 'A run of this lesson did NOT come out as it says; please report it.',
} as const;

/**
 * A text with its names filled in. Throws an Error for a name that nobody has given: that is a
 * mistake in the text.
 */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{([\w.]+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new Error(`nothing is known of {${name}} in "${text}"`);
    return String(value);
  });
}
