import type { Evidence } from './evidence.ts';
import type { Result } from './result.ts';

/** What a report is made of. */
export interface ReportInput {
  readonly result: Result;
  /** Of each row that is one run, by its place, or why there is none. */
  readonly evidence?: ReadonlyMap<number, Evidence | string>;
  /**
   * The text of the script that steps through runs in the page and runs them again there; without
   * one the page has no script, and its policy allows none.
   */
  readonly viewer?: string;
  /** Shown as it stands; without one, equal results give equal bytes. */
  readonly date?: string;
}
