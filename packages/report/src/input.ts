import type { Evidence } from './evidence.ts';
import type { Result } from './result.ts';

/** What a report is made of. */
export interface ReportInput {
  readonly result: Result;
  /** Of each counterexample, by the place of its row, or why there is none. */
  readonly evidence?: ReadonlyMap<number, Evidence | string>;
  /** Shown as it stands; without one, equal results give equal bytes. */
  readonly date?: string;
  /**
   * The script with which counterexamples can be stepped through and run again in the page,
   * deflated (without a header) and in base64. Without it the page is complete, and stands still.
   */
  readonly engine?: string;
}
