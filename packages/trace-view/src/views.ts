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

/** From one height of a picture to another, in its own pixels. */
export type Window = readonly [top: number, bottom: number];

/** Names of classes; what does not hold is left out. */
export const classes = (...names: readonly (string | false | undefined)[]): string =>
  names.filter(Boolean).join(' ');
