/** Real clusters of crash-fault protocols, killed and restarted: see `survivesKills`. */
import { protocolOf } from '@quorumlab/harness';
import { afterEach, expect, test } from 'vitest';
import { kills, survivesKills } from './support/kills.ts';
import { endAll, type Group, groups, limitMs } from './support/running.ts';

afterEach(endAll, limitMs);

const crash = groups.filter(([name]) => protocolOf(name).claims.faults === 'crash');

test('there are protocols to kill', () => expect(crash).toHaveLength(4));

/** It is Multi-Paxos with other quorums, so it is killed in the long run alone. */
const long: readonly Group[] =
  process.env.QUORUMLAB_LONG_TESTS === '1'
    ? [['flexible-paxos', 4, { q1: 3, q2: 2, snapshotEvery: 32, keepSlots: 8 }]]
    : [];

test.each([...crash, ...long])(
  `%s with %i nodes loses no acknowledged write over ${kills} kills, and its histories hold`,
  { timeout: limitMs },
  (...group) => survivesKills(group),
);
