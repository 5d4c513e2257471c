/** What there is to tell of a run or of a schedule. */
import type { OptionValues } from '@quorumlab/core';
import { attackOf } from './attacks.ts';
import type { ExhibitedRun, Exhibition } from './exhibit.ts';
import type { Told } from './narrative.ts';
import type { RunResult } from './run.ts';

/** A run as {@link narrate} takes it; it must have been run with `story`. */
export function taleOf({ scenario, story, fired, violation }: RunResult): Told {
  const { needs, title } = attackOf(scenario.attack);
  return {
    story,
    n: votersOf(scenario.n, scenario.options),
    liars: needs === 'byzantine' ? scenario.by : [],
    ...(violation?.slot === undefined ? {} : { slot: violation.slot }),
    ...(needs === 'nothing' ? {} : { attack: { title, fired } }),
  };
}

/** How many of `n` have a vote: observers, where a protocol has them, are in no quorum. */
const votersOf = (n: number, { observers = 0 }: OptionValues = {}): number => n - Number(observers);

/** One variant under a schedule as {@link narrate} takes it. */
export const taleOfExhibit = ({ n, options, wrong }: Exhibition, run: ExhibitedRun): Told => ({
  story: run.story,
  n: votersOf(n, options),
  liars: run.liars,
  unit: 'step',
  ...(wrong.violation?.slot === undefined ? {} : { slot: wrong.violation.slot }),
});
