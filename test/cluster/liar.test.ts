/**
 * Real clusters of Byzantine protocols in which one node lies in earnest and another is killed and
 * started again, under load: what clients saw and what the honest nodes committed is judged by the
 * same checkers as simulations.
 */
import { faultNode, upCluster } from '@quorumlab/cluster';
import { protocolOf } from '@quorumlab/harness';
import { afterEach, test } from 'vitest';
import { endAll, groups, killed, limitMs, loadOn, started } from './support/running.ts';

afterEach(endAll, limitMs);

/** The two newest in the ordinary run: who lies is the business of hosts, the same for all. */
const tried = groups.filter(
  ([protocol]) =>
    protocolOf(protocol).claims.faults === 'byzantine' &&
    (process.env.QUORUMLAB_LONG_TESTS === '1' || ['streamlet', 'minbft'].includes(protocol)),
);
const writes = 8;

test.each(tried)(
  '%s with %i nodes: one equivocates, one is killed and comes back, and nothing is lost',
  { timeout: limitMs },
  async (protocol, n, options) => {
    const folder = await started({ protocol, n, options, allowFaults: true });
    const load = await loadOn(folder);
    await load.progress(writes);
    await faultNode(folder, 0, 'equivocating-leader');
    await load.progress(writes);
    await load.collect(n - 1);
    await killed(folder, n - 1);
    await upCluster(folder);
    await load.progress(writes);
    const honest = [1, 2, 3].filter((node) => node < n);
    await load.judge(honest);
  },
);
