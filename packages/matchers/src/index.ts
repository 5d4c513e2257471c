/**
 * Expectations about consensus for vitest, and for every runner with `expect.extend`.
 *
 * @packageDocumentation
 */
export { type HistoryOf, type Matched, matchers, type SurvivalOptions } from './matchers.ts';
export { type Experiment, type Subject, SubjectError } from './subject.ts';
