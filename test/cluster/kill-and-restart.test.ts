/** Real clusters of crash-fault protocols, killed and restarted: see `survivesKills`. */
import { protocolOf } from '@quorumlab/harness';
import { afterEach, expect, test } from 'vitest';
import { kills, survivesKills } from './support/kills.ts';
import { endAll, groups, limitMs } from './support/running.ts';

afterEach(endAll, limitMs);

const crash = groups.filter(([name]) => protocolOf(name).claims.faults === 'crash');

test('there are protocols to kill', () => expect(crash).toHaveLength(4));

test.each(crash)(
  `%s with %i nodes loses no acknowledged write over ${kills} kills, and its histories hold`,
  { timeout: limitMs },
  (...group) => survivesKills(group),
);
