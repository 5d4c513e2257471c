/** Real clusters of Byzantine protocols, killed and restarted: see `survivesKills`. */
import { protocolOf } from '@quorumlab/harness';
import { afterEach, expect, test } from 'vitest';
import { kills, survivesKills } from './support/kills.ts';
import { endAll, groups, limitMs } from './support/running.ts';

afterEach(endAll, limitMs);

const byzantine = groups.filter(([name]) => protocolOf(name).claims.faults === 'byzantine');

test('there are protocols to kill', () => expect(byzantine).toHaveLength(5));

test.each(byzantine)(
  `%s with %i nodes loses no acknowledged write over ${kills} kills, and its histories hold`,
  { timeout: limitMs },
  (...group) => survivesKills(group),
);
