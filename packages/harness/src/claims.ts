/** What a protocol says of the faults of a scenario: whether it claims to survive them. */
import type { VerdictWord } from '@quorumlab/checker';
import type { Claims } from '@quorumlab/core';
import { attackOf } from './attacks.ts';
import { beyondDrift } from './clock-rates.ts';
import type { ProtocolEntry } from './protocol-entry.ts';
import { formulaOf, protocolOf, toleratedBy } from './protocols.ts';
import type { Scenario, ScenarioFault } from './scenario.ts';

/** Whether a protocol claims to survive the faults of a scenario. */
export interface Claim {
  readonly claimed: boolean;
  /** Why it does not claim it, in one sentence without its full stop. */
  readonly why?: string;
  /** What may happen where it is not claimed: everything, or only that nothing is answered. */
  readonly allows: readonly VerdictWord[];
}

const everything: readonly VerdictWord[] = ['forked', 'invalid', 'stale-read', 'stalled'];

/**
 * What the protocol of `scenario`, or `entry`, claims of its faults. What it does not claim to
 * survive may end in any way; where only too many nodes are gone for good, it claims to stay safe
 * and not to answer, and where only a clock is worse than leases allow, reads may be stale.
 */
export function claimOf(scenario: Scenario, entry?: ProtocolEntry): Claim {
  const found = entry ?? protocolOf(scenario.protocol);
  const why = beyondSafety(scenario, found.claims);
  if (why !== undefined) return { claimed: false, why, allows: everything };
  const { n, f, protocol } = scenario;
  const { gone, most } = down(scenario);
  for (const id of liarsIn(scenario)) gone.add(id);
  const clock = beyondDrift(scenario, found);
  if (clock !== undefined) {
    const stalls = gone.size > f ? ['stalled' as const] : [];
    return { claimed: false, why: clock, allows: ['stale-read', ...stalls] };
  }
  const only = `${protocol} n=${n} f=${f} claims to go on`;
  if (gone.size > f)
    return {
      claimed: false,
      why: `${only} without ${nodes(f)}, and ${counted(gone.size)} gone for good`,
      allows: ['stalled'],
    };
  if (most > f)
    return {
      claimed: false,
      why: `${only} while ${nodes(f)} at once are down, and ${counted(most)}, for a time`,
      allows: [],
    };
  return { claimed: true, allows: [] };
}

/** Why not even safety is claimed; nothing if it is. */
function beyondSafety(scenario: Scenario, claims: Claims): string | undefined {
  const { protocol, mutant, n, f, faults, quorum, attack } = scenario;
  const name = `${protocol} n=${n} f=${f}`;
  if (mutant !== undefined) return `${mutant} is a wrong variant of ${protocol}`;
  if (attackOf(attack).setsBack === true)
    return `${name} rests on trusted counters, and they are set back`;
  const unfit = quorum === undefined ? undefined : setByHand(scenario, quorum, claims);
  if (unfit !== undefined) return unfit;
  const least = claims.replicas(f);
  if (n < least)
    return `${protocol} needs n ≥ ${formulaOf(claims)} = ${least} for f=${f}, not ${n}`;
  const liars = liarsIn(scenario).size;
  if (liars > 0 && claims.faults === 'crash')
    return `${protocol} tolerates crashes and no lie, and ${counted(liars, 'lies', 'lie')}`;
  if (liars > f) return `${name} tolerates ${traitors(f)}, and ${counted(liars, 'lies', 'lie')}`;
  if (faults.some(forgets)) return 'no protocol claims to survive a disk that forgets';
  const emptied = emptiedIn(scenario).size;
  if (emptied > f) return `${name} tolerates ${f} lost disks, and ${emptied} are lost`;
  return undefined;
}

/** What quorums of a size that was set by hand do not promise; nothing if they promise enough. */
function setByHand({ n, f }: Scenario, quorum: number, { faults }: Claims): string | undefined {
  const shared = Math.max(0, 2 * quorum - n);
  const set = `quorums of ${quorum} of ${n} are set by hand`;
  const whom = shared === 0 ? 'nobody' : `${shared}, and ${f} may lie`;
  if (shared <= (faults === 'byzantine' ? f : 0)) return `${set}: two of them may share ${whom}`;
  return quorum > n - f ? `${set}: there is none without ${f}` : undefined;
}

/** What makes a scenario an experiment that no group should be, in a few words; nothing usually. */
export function unsafeMark(scenario: Scenario, entry?: ProtocolEntry): string | undefined {
  const { n, f, unsafe, quorum, protocol } = scenario;
  const least = (entry ?? protocolOf(protocol)).claims.replicas(f);
  const marks = [
    ...(unsafe && n < least ? [`n=${n} and not ${least}`] : []),
    ...(quorum === undefined ? [] : [`quorums of ${quorum} set by hand`]),
  ];
  return marks.length === 0 ? undefined : `UNSAFE: ${marks.join(', ')}`;
}

/**
 * The quorum with which a group that is too small for f keeps answering while f are silent: n-f.
 * Nothing if it is large enough, or nobody would be left.
 */
export function livingQuorum({ protocol, n, f }: Scenario): number | undefined {
  return n < protocolOf(protocol).claims.replicas(f) && n > f ? n - f : undefined;
}

const nodes = (count: number): string => (count === 0 ? 'no node' : `${count} of its nodes`);

const traitors = (count: number): string =>
  count === 0 ? 'no traitor' : `${count} traitor${count === 1 ? '' : 's'}`;

const counted = (count: number, one = 'is', many = 'are'): string =>
  `${count} ${count === 1 ? one : many}`;

const liarsIn = ({ attack, by }: Scenario): Set<number> =>
  new Set(attackOf(attack).needs === 'byzantine' ? by : []);

/** Nodes that do not run at the end, because nothing brings them back; most at one time. */
function down(scenario: Scenario): {
  readonly gone: Set<number | string>;
  readonly most: number;
} {
  const { faults, attack, until } = scenario;
  const all = [...faults, ...(attackOf(attack).faults?.(scenario) ?? [])];
  const gone = new Set<number | string>();
  // Another leader is struck every time; what comes back is the one that was struck last.
  let struck = 0;
  let most = 0;
  for (const fault of all.sort((one, two) => one.at - two.at)) {
    if (!('node' in fault) || fault.at > until) continue;
    const stops = fault.type === 'crash' || fault.type === 'pause';
    const starts = fault.type === 'restart' || fault.type === 'resume';
    if (stops && fault.node === 'leader') struck++;
    const who = fault.node === 'leader' ? `leader ${struck}` : fault.node;
    if (stops) gone.add(who);
    if (starts) gone.delete(who);
    most = Math.max(most, gone.size);
  }
  return { gone, most };
}

/** No protocol claims to survive a disk that forgets what it has confirmed. */
const forgets = (fault: ScenarioFault): boolean =>
  (fault.type === 'disk' && fault.disk.lies === true) ||
  (fault.type === 'restart' && (fault.disk === 'nothing' || fault.disk === 'backup'));

/** Nodes that lose their disk and are told so when they rejoin: each is a fault like any other. */
const emptiedIn = ({ faults }: Scenario): Set<number | 'leader'> =>
  new Set(
    faults.flatMap((each) => (each.type === 'restart' && each.disk === 'lost' ? [each.node] : [])),
  );

/**
 * What to say of a group that is too small for any fault, so that f is 0; nothing of others. The
 * lines behind the first say what to do.
 */
export function noFaultNote(
  { protocol, n, f }: Scenario,
  entry?: ProtocolEntry,
): string | undefined {
  const { claims } = entry ?? protocolOf(protocol);
  if (f !== 0 || toleratedBy(claims, n) > 0) return undefined;
  const isByzantine = claims.faults === 'byzantine';
  const whom = isByzantine ? 'traitor' : 'crash';
  const least = claims.replicas(1);
  const forking = `quorumlab attack ${protocol} -n ${least - 1} -f 1 --unsafe-n`;
  const broken = `\n  or    ${forking}   to see it fork`;
  return (
    `f=0, because n=${n} tolerates no ${whom}: ${protocol} needs n ≥ ${formulaOf(claims)}.\n` +
    `  use   -n ${least}   for f=1${isByzantine ? broken : ''}`
  );
}
