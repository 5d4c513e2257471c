/**
 * The page: how it is built, what its links say, and what its worker does.
 *
 * @packageDocumentation
 */

export type { Answer, Cell, Question } from './ask.ts';
export { buildPage } from './build.ts';
export { type Ran, ranOf } from './ran.ts';
export { type HeldTrace, tracesIn } from './report-file.ts';
export { buildReportScript } from './report-script.ts';
export { answer } from './runs.ts';
