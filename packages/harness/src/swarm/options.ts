/** What the protocols of this repository are told in random worlds. */
import { ms, type Random } from '@quorumlab/core';
import type { OptionValues } from '../scenario.ts';
import { between, type DrawOptions, one } from './draw.ts';

/** Where messages are quick, timeouts may be short: then leaders come and go many times. */
const timeoutOn = (random: Random, network: string): number =>
  ['lan', 'lossy'].includes(network) ? ms(one(random, [15, 60, 300])) : ms(300);

const multiPaxos: DrawOptions = (random, network, { narrow }) => {
  const alpha = one(random, narrow ? [1, 2, 3] : [1, 2, 4, 16]);
  return {
    electionTimeout: timeoutOn(random, network),
    alpha,
    pipeline: between(random, 1, alpha),
    snapshotEvery: one(random, narrow ? [1, 2, 3] : [0, 3, 10, 10_000]),
    keepSlots: one(random, narrow ? [0, 1] : [0, 2, 1000]),
    maxCommandsPerSlot: one(random, narrow ? [1, 2] : [1, 2, 1024]),
    ...(narrow ? { maxWaiting: one(random, [1, 4, 16]) } : {}),
  };
};

/** Quorums of all kinds that survive f of n crashes in both phases. */
function quorums(random: Random, n: number, f: number): OptionValues {
  const grids = n % 2 === 0 && f === 1 && n >= 4 ? [`2x${n / 2}`, `${n / 2}x2`] : [];
  // One replica counts twice: with n + 1 in all, f gone may weigh f + 1.
  const weights = n >= 2 * f + 2 ? [`2${',1'.repeat(n - 1)}`] : [];
  const kind = random.below(2 + grids.length + weights.length);
  if (kind < 2) {
    const q1 = between(random, f + 1, n - f);
    return { q1, q2: between(random, n + 1 - q1, n - f) };
  }
  const other = [...grids, ...weights][kind - 2] as string;
  if (other.includes('x')) return { grid: other };
  const q1 = between(random, f + 2, n - f);
  return { weights: other, q1, q2: n + 2 - q1 };
}

/** By protocol: the options of its own that its worlds have. */
export const drawnOptions: Readonly<Record<string, DrawOptions>> = {
  raft: (random, network, { narrow }) => ({
    electionTimeout: timeoutOn(random, network),
    preVote: random.below(4) > 0,
    checkQuorum: random.below(4) > 0,
    snapshotEvery: one(random, narrow ? [1, 2, 3] : [0, 3, 10, 10_000]),
    keepEntries: one(random, narrow ? [0, 1] : [0, 2, 1000]),
    maxEntriesPerAppend: one(random, narrow ? [1, 2] : [1, 2, 1024]),
    maxInFlight: between(random, 1, narrow ? 2 : 4),
    ...(narrow ? { maxUncommitted: one(random, [1, 4, 16]) } : {}),
  }),
  'basic-paxos': (random) => ({
    retry: ms(one(random, [1, 5, 20, 50])),
    maxRetry: ms(one(random, [400, 1000])),
  }),
  'multi-paxos': multiPaxos,
  'flexible-paxos': (random, network, group) => ({
    ...multiPaxos(random, network, group),
    ...quorums(random, group.n, group.f),
  }),
  pbft: (random, network, { narrow }) => {
    const checkpointEvery = one(random, narrow ? [1, 2] : [1, 3, 10, 128]);
    return {
      requestTimeout: timeoutOn(random, network),
      checkpointEvery,
      window: checkpointEvery * between(random, 1, 3),
      maxBatch: one(random, narrow ? [1, 2] : [1, 3, 256]),
      maxOutstanding: between(random, 1, 3),
    };
  },
  hotstuff: (random, network, { told, narrow }) => {
    const checkpointEvery = one(random, narrow ? [1, 2] : [1, 3, 10, 128]);
    // A new leader every view is for two-chains: three-chains would need more replicas. Where some
    // are silent most views fail, so it is for short timeouts if the end is to be waited for.
    const rotates =
      told.rules !== 'chained' && ['lan', 'lossy'].includes(network) && random.below(3) === 0;
    return {
      requestTimeout: rotates ? ms(15) : timeoutOn(random, network),
      checkpointEvery,
      window: checkpointEvery + between(random, 4, narrow ? 6 : 40),
      maxBatch: one(random, narrow ? [1, 2] : [1, 3, 256]),
      ...(rotates ? { leaders: 'round-robin' } : { reign: one(random, [8, 16, 128]) }),
    };
  },
};
