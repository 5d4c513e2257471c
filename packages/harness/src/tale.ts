/** What there is to tell of a run or of a schedule. */
import { attackOf } from './attacks.ts';
import type { ExhibitedRun, Exhibition } from './exhibit.ts';
import type { Told } from './narrative.ts';
import type { RunResult } from './run.ts';

/** A run as {@link narrate} takes it; it must have been run with `story`. */
export function taleOf({ scenario, story, fired, violation }: RunResult): Told {
  const { needs, title } = attackOf(scenario.attack);
  return {
    story,
    n: scenario.n,
    liars: needs === 'byzantine' ? scenario.by : [],
    ...(violation?.slot === undefined ? {} : { slot: violation.slot }),
    ...(needs === 'nothing' ? {} : { attack: { title, fired } }),
  };
}

/** One variant under a schedule as {@link narrate} takes it. */
export const taleOfExhibit = ({ n, wrong }: Exhibition, run: ExhibitedRun): Told => ({
  story: run.story,
  n,
  liars: run.liars,
  unit: 'step',
  ...(wrong.violation?.slot === undefined ? {} : { slot: wrong.violation.slot }),
});
