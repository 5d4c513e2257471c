import type { Evidence } from './evidence.ts';
import type { Result } from './result.ts';

/** What a report is made of. */
export interface ReportInput {
  readonly result: Result;
  /** Of each counterexample, by the place of its row, or why there is none. */
  readonly evidence?: ReadonlyMap<number, Evidence | string>;
  /** Shown as it stands; without one, equal results give equal bytes. */
  readonly date?: string;
}
