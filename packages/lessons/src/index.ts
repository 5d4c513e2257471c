/**
 * Fourteen lessons on consensus: each asks first, runs the protocols of these packages to find out,
 * and marks answers by running them.
 *
 * @packageDocumentation
 */
export type {
  Experiment,
  Facts,
  Outcome,
  RunExperiment,
  ScheduleExperiment,
  ShardExperiment,
} from './experiment.ts';
export type { Graded, Lab, Solution } from './labs/lab.ts';
export { labOf, labs } from './labs/labs.ts';
export type { Decisive, Lesson, LessonText, Question, Shown, Trial } from './lesson.ts';
export { lessonOf, lessons } from './lessons.ts';
export {
  answerKey,
  choiceOf,
  indexOf,
  type LessonRun,
  letterOf,
  type Marked,
  mark,
  playLesson,
  type TrialRun,
} from './play.ts';
export { type QuizItem, quiz, quizItemOf, type Settled, settle } from './quiz.ts';
export { sheetOf } from './sheet.ts';
export { fill, words } from './words.ts';
