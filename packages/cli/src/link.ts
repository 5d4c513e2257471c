/** Links of the playground on the command line. */
import type { Scenario } from '@quorumlab/harness';
import { type Place, placeOf, scenarioOf } from '@quorumlab/harness/link';
import { usageError } from './errors.ts';

/** Whether a link is of a run of shards. */
export const isLinkOfShards = (link: string): boolean => /^#\/shards\b/.test(hashOf(link));

/** Whether a word is a link, and not the name of a file. */
export const isLink = (word: string): boolean => /^(https?|file):\/\/|^#\//.test(word);

/** What stands behind the page in a link: `#/play?…`. */
export const hashOf = (link: string): string => {
  const at = link.indexOf('#');
  return at < 0 ? '' : link.slice(at);
};

/** The two runs of a link, and what it says of them. Throws an `Exit` if it leads to none. */
export function runsOfLink(link: string): {
  readonly place: Place;
  readonly scenarios: readonly Scenario[];
} {
  const place = placeOf(hashOf(link));
  const [complaint] = place.complaints;
  if (complaint !== undefined) throw usageError('QL101', complaint);
  if (place.route !== 'play')
    throw usageError(
      'QL101',
      'this link leads to no runs; use one that begins with #/play behind the page.',
    );
  const { settings } = place;
  return { place, scenarios: [scenarioOf(settings, 0), scenarioOf(settings, 1)] };
}
