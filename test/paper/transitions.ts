/** Which roles follow each other in simulated runs. */
import type { Context, Protocol } from '@quorumlab/core';
import { protocolOf, runScenario, subjectsOf, swarmWorld } from '@quorumlab/harness';
import type { LogShape } from '@quorumlab/log';
import type { Transition } from './page.ts';

type Replica = Parameters<Protocol<LogShape>['status']>[0];
type Step = (replica: Replica, ...rest: never[]) => unknown;

/** As a row of a table shows it. */
const spell = ({ from, to }: Pick<Transition, 'from' | 'to'>): string =>
  from === '' ? `starts as ${to}` : `${from} → ${to}`;

/** `protocol`, whose replicas tell of each change of their role. */
function watched(protocol: Protocol<LogShape>, seen: Set<string>): Protocol<LogShape> {
  const roleOf = (replica: Replica): string => protocol.status(replica).role;
  const { settle } = protocol;
  let from = '';
  const look = (replica: Replica): void => {
    const to = roleOf(replica);
    if (from !== to) seen.add(spell({ from, to }));
  };
  function watch<F extends Step | undefined>(step: F, starts = false): F {
    if (step === undefined) return step;
    const told: Step = (replica, ...rest) => {
      from = starts ? '' : roleOf(replica);
      const result = step(replica, ...rest);
      // What a handler has learned may change the role only when it is settled.
      if (settle === undefined) look(replica);
      return result;
    };
    return told as F; // It takes what `step` takes.
  }
  const on = Object.entries(protocol.on).map(([kind, handle]) => [kind, watch(handle as Step)]);
  return {
    ...protocol,
    on: Object.fromEntries(on) as Protocol<LogShape>['on'],
    start: watch(protocol.start, true),
    rejoin: watch(protocol.rejoin, true),
    propose: watch(protocol.propose),
    read: watch(protocol.read),
    timeout: watch(protocol.timeout),
    snapshotTaken: watch(protocol.snapshotTaken),
    snapshotInstalled: watch(protocol.snapshotInstalled),
    ...(settle && {
      settle(replica: Replica, ctx: Context<LogShape>) {
        settle(replica, ctx);
        look(replica);
      },
    }),
  } as Protocol<LogShape>;
}

/**
 * The transitions in random worlds of a protocol, shared by its rule sets: in `worlds` of them if
 * it takes so many until all of `wanted` were seen, and in at least a third.
 */
export function transitionsOf(
  protocol: string,
  worlds: number,
  wanted: readonly Transition[],
): ReadonlySet<string> {
  const seen = new Set<string>();
  const known = protocolOf(protocol);
  const entry: typeof known = {
    ...known,
    create: (size, mutant) => watched(known.create(size, mutant), seen),
  };
  const subjects = subjectsOf(protocol);
  const rounds = worlds / subjects.length;
  const isMissed = (row: Transition): boolean => !row.isRare && !seen.has(spell(row));
  for (let seed = 1; seed <= rounds && (seed <= rounds / 3 || wanted.some(isMissed)); seed++)
    for (const subject of subjects) runScenario(swarmWorld(subject, seed).scenario, { entry });
  return seen;
}

/** What is wrong with a table of transitions, given those that were seen. */
export function transitionFaults(
  path: string,
  table: readonly Transition[],
  seen: ReadonlySet<string>,
): readonly string[] {
  const listed = table.map(spell);
  return [
    ...[...seen]
      .filter((each) => !listed.includes(each))
      .map((each) => `${path}: a replica ${each}, which is no row of the table`),
    ...table
      .filter((row) => !row.isRare && !seen.has(spell(row)))
      .map((row) => `${path}: no run shows "${spell(row)}"; if few do, call the row (rare)`),
  ];
}
