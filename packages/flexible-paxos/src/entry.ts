/** What Flexible Paxos tells laboratories of itself. */
import {
  drawBetween,
  type Entry,
  type OptionValues,
  type Random,
  type ReplicaId,
} from '@quorumlab/core';
import { encodeStep } from '@quorumlab/multi-paxos';
import { drawn, options } from '@quorumlab/multi-paxos/entry';
import { exhibits, flaws, mutants } from './mutants.ts';
import { flexiblePaxos } from './protocol.ts';
import { encodeQuorumChange, majorityText, type Quorums } from './quorums.ts';
import type { FlexiblePaxos } from './state.ts';

const majorityOf = ({ length }: readonly ReplicaId[]): Quorums => {
  const majority = Math.floor(length / 2) + 1;
  return { kind: 'simple', q1: majority, q2: majority };
};

/** Quorums of all kinds that survive f of n crashes in both phases. */
function drawQuorums(random: Random, n: number, f: number): OptionValues {
  const grids = n % 2 === 0 && f === 1 && n >= 4 ? [`2x${n / 2}`, `${n / 2}x2`] : [];
  // One replica counts twice: with n + 1 in all, f gone may weigh f + 1.
  const weights = n >= 2 * f + 2 ? [`2${',1'.repeat(n - 1)}`] : [];
  const kind = random.below(2 + grids.length + weights.length);
  if (kind < 2) {
    const q1 = drawBetween(random, f + 1, n - f);
    return { q1, q2: drawBetween(random, n + 1 - q1, n - f) };
  }
  const other = [...grids, ...weights][kind - 2] as string;
  if (other.includes('x')) return { grid: other };
  const q1 = drawBetween(random, f + 2, n - f);
  return { weights: other, q1, q2: n + 2 - q1 };
}

/** Flexible Paxos by name, with its options and wrong variants. */
export const entry: Entry<FlexiblePaxos> = {
  title: 'Flexible Paxos: Multi-Paxos with any two quorum systems that meet; survives crashes.',
  right: (size) => flexiblePaxos(size),
  mutants,
  flaws,
  exhibits,
  options: {
    ...options,
    q1: { kind: 'number', meaning: 'how many promise; what meets q2, or a majority, unless told' },
    q2: { kind: 'number', meaning: 'how many accept; just enough to meet q1 unless told' },
    grid: { kind: 'text', meaning: 'rows and columns in place of q1 and q2, e.g. 2x3' },
    weights: { kind: 'text', meaning: 'what each replica weighs in place of 1, e.g. 3,1,1,1' },
  },
  small: { snapshotEvery: 2, keepSlots: 0 },
  drawn: (random, network, group) => ({
    ...drawn(random, network, group),
    ...drawQuorums(random, group.n, group.f),
  }),
  // Sizes that were told for one group may be wrong for the next: then more than half decide.
  member: (server, becomes) => encodeStep({ server, becomes, quorums: majorityText }),
  seat: (server, about) => encodeStep({ server, becomes: 'learner', about }),
  change: (members) => encodeQuorumChange(members, majorityOf(members)),
  byHand: (quorum) => ({ q1: quorum, q2: quorum }),
};
