/**
 * Results as files for people and for build servers: one HTML page, JUnit, Markdown, notes of
 * GitHub; and several results as one. All are functions of a result: equal results, equal bytes.
 *
 * @packageDocumentation
 */
export { type Evidence, evidenceOf } from './evidence.ts';
export { githubAnnotations } from './github.ts';
export { htmlReport } from './html.ts';
export type { ReportInput } from './input.ts';
export { junitReport } from './junit.ts';
export { markdownReport } from './markdown.ts';
export type { Html } from './markup.ts';
export { mergeResults, type NamedResult } from './merge.ts';
export { ResultError, readResult } from './read.ts';
export {
  type Failure,
  type LeftOut,
  type Result,
  resultSchema,
  type SteadyCostRow,
} from './result.ts';
export { sentenceOfResult } from './rows.ts';
