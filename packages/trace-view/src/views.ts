/** What every view is given. */
import type { TraceModel } from './model.ts';

/** A view shows a run up to one event, and says which event somebody chose. */
export interface ViewProps {
  readonly model: TraceModel;
  /** The last event that has happened. */
  readonly at: number;
  /** The event that is looked at. */
  readonly selected?: number | undefined;
  readonly onSelect: (event: number) => void;
}

/** Names of classes; what does not hold is left out. */
export const classes = (...names: readonly (string | false | undefined)[]): string =>
  names.filter(Boolean).join(' ');
