/** What a running node can be asked and told on its control channel. */
import type { Behaviour } from '@quorumlab/adversary';
import type { ReplicaId, Roster } from '@quorumlab/core';
import {
  type AnyShape,
  type Attack,
  attackOf,
  attacks,
  completeScenario,
  realPace,
} from '@quorumlab/harness';
import type { LogShape } from '@quorumlab/log';
import type { Logger, RunningNode } from '@quorumlab/node';
import type { ClusterConfig } from './config.ts';
import type { ControlHandler } from './control-server.ts';
import { ClusterError } from './errors.ts';
import { othersOf, useOf } from './node-answers.ts';
import type { Keeping } from './node-keeping.ts';
import type { NodeReport } from './reports.ts';
import { writeTraitor } from './traitor-file.ts';

/** A node, whatever its protocol: operations and results are bytes. */
export type AnyNode = RunningNode<LogShape, Uint8Array, Uint8Array, Uint8Array>;

/** How `self` behaves under the attack called `name`. Throws if that is none of a single node. */
export function behaviourOf(
  config: ClusterConfig,
  self: number,
  name: string,
): Behaviour<AnyShape> {
  const { protocol, n, f, options } = config;
  const attack = attackOf(name);
  if (!config.allowFaults)
    throw new ClusterError(
      'This cluster was made without --allow-faults, so no node of it can be told to lie; ' +
        'make another one with: quorumlab cluster init --allow-faults',
    );
  const scenario = completeScenario({ protocol, n, f, options, attack: name, by: [self] });
  // A node's counter is a file, which no machine can set back.
  const canLie = (each: Attack): boolean => each.behaviour !== undefined && each.setsBack !== true;
  const behaviour = attack.behaviour?.<AnyShape>(scenario, self, realPace);
  if (behaviour !== undefined && canLie(attack)) return behaviour;
  const able = attacks.filter(canLie).map((each) => each.name);
  throw new ClusterError(
    `${name} is not something that one process can do by itself; use one of ${able.join(', ')}, ` +
      'or stop and kill processes yourself.',
  );
}

/** A node at work, as whoever answers for it sees it. */
export interface AtWork {
  readonly self: ReplicaId;
  readonly config: ClusterConfig;
  readonly home: string;
  readonly logger: Logger;
  readonly node: AnyNode;
  readonly kept: Keeping;
}

/** Most positions in one answer. */
const mostSlots = 1024;

/** The questions that the control channel takes; `stop` is called when it is told to end. */
export function handlersOf(options: AtWork, stop: () => void): Record<string, ControlHandler> {
  const { kept } = options;
  const number = (question: URLSearchParams, name: string, unlessTold: number): number => {
    const value = Number(question.get(name) ?? unlessTold);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new ClusterError(`"${name}" takes a whole number from 0.`);
    return value;
  };
  return {
    status: () => reportOf(options),
    others: othersOf(options),
    use: () => useOf(options.node),
    log: (question) =>
      kept.log.slots(
        number(question, 'from', 0),
        Math.min(mostSlots, number(question, 'limit', mostSlots)),
      ),
    digests: (question) => kept.log.digests(number(question, 'from', 0)),
    story: () => kept.story.lines(),
    evidence: () => kept.heard.statements(),
    fault: (question) => fault(options, question.get('attack') ?? ''),
    stop: () => {
      // After the answer has left.
      setImmediate(stop);
      return { stopping: true };
    },
  };
}

function fault(options: AtWork, name: string): { readonly attack: string } {
  const { config, self, node, home, kept, logger } = options;
  if (name === 'none') {
    node.setBehaviour(undefined);
    kept.state.lying = false;
  } else {
    const behaviour = behaviourOf(config, self, name);
    writeTraitor(home, name);
    node.setBehaviour(behaviour);
    kept.state.attack = name;
    kept.state.lying = true;
    kept.story.turnTraitor();
  }
  logger.warn({ attack: name }, 'The node was told how to behave.');
  return { attack: name };
}

/** What a node says of itself. */
/** What a node is to its group, by its log. */
function membershipOf(
  self: number,
  roster: Roster | undefined,
): Pick<NodeReport, 'membership' | 'voters'> {
  if (roster === undefined) return {};
  const { voters, learners, left } = roster;
  const is = voters.includes(self)
    ? 'voter'
    : left.includes(self)
      ? 'left'
      : learners.includes(self)
        ? 'learner'
        : 'waiting';
  return { membership: is, voters };
}

export function reportOf({ node, kept }: Pick<AtWork, 'node' | 'kept'>): NodeReport {
  const { self, group, role, term, leader, trouble, applied, state, peers, counters, clock } =
    node.status();
  const { lastCommit, attack, lying } = kept.state;
  return {
    self,
    group,
    pid: process.pid,
    role,
    term,
    leader,
    ...(trouble === undefined ? {} : { trouble }),
    applied,
    state: state.toString(16).padStart(8, '0'),
    committed: kept.log.last(),
    ...membershipOf(self, node.roster()),
    peers,
    clock,
    lastCommitMilliseconds:
      lastCommit === undefined ? undefined : Math.round(performance.now() - lastCommit),
    attack,
    lying,
    fired: counters.fired,
    steps: counters.steps,
    uptimeMilliseconds: Math.round(process.uptime() * 1000),
    accused: kept.accused.rows(),
  };
}
