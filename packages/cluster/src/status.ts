/** Whether the honest logs of a running cluster agree, position by position. */

import { setTimeout as sleep } from 'node:timers/promises';
import { ofOneClient, relativeOrder, type VerdictWord } from '@quorumlab/checker';
import { toUtf8 } from '@quorumlab/core';
import { protocolOf } from '@quorumlab/harness';
import { type Asked, askOthers } from './ask-others.ts';
import { type ClusterConfig, nodeIn, paths, presentNodes, readConfig } from './config.ts';
import { askNode, tryAskNode } from './control-client.ts';
import { named } from './node-names.ts';
import { absenceOf } from './node-state.ts';
import { obstacleOf, shortageOf, voting } from './progress.ts';
import { faultSentence } from './remote-fault.ts';
import type {
  AccusedRow,
  LogDigests,
  LoggedSlot,
  NodeMembership,
  NodeReport,
  UseReport,
} from './reports.ts';
import type { StatusRow } from './status-row.ts';
import { readTraitor } from './traitor-file.ts';
import { reports } from './up.ts';

/** How two honest logs differ. */
export interface Disagreement {
  readonly slot: number;
  readonly nodes: readonly [number, number];
  readonly sentence: string;
}

/** How a cluster is. */
export interface ClusterStatus {
  readonly config: ClusterConfig;
  readonly rows: readonly StatusRow[];
  /** How many vote, and how many of them may be faulty: as the cluster was made, unless changed. */
  readonly n: number;
  readonly f: number;
  /**
   * `forked` if two honest logs differ, `stalled` if nothing can be answered, `inconclusive` if
   * fewer than two logs could be read.
   */
  readonly word: Extract<VerdictWord, 'ok' | 'forked' | 'invalid' | 'stalled' | 'inconclusive'>;
  readonly sentence: string;
  /** Why nothing can be answered now; absent: nothing stands in the way. */
  readonly obstacle?: string;
  readonly disagreement?: Disagreement;
}

/** How long a group may be without a leader or its connections before it counts, in ms. */
const passingMs = 1500;

/** Asks every node and compares the logs of those that have never been told to lie. */
export async function clusterStatus(folder: string): Promise<ClusterStatus> {
  const config = await readConfig(folder);
  const rows = await settledRows(folder, config);
  const honest = rows.filter(({ up, traitor }) => up && !traitor).map(({ node }) => node);
  // Whole logs are compared where they are: nobody sends theirs over the network for that.
  const isHere = new Set(rows.filter(({ remote }) => !remote).map(({ node }) => node));
  const here = honest.filter((node) => isHere.has(node));
  const views = await digestsOf(folder, here);
  const obstacle = obstacleOf(config, rows);
  const { n, f } = voting(config, rows).config;
  const found = { config, rows, n, f, ...(obstacle === undefined ? {} : { obstacle }) };
  const { order } = protocolOf(config.protocol).claims;
  if (order === 'conflicts') return { ...found, ...(await comparedOrders(folder, here, obstacle)) };
  const fork = firstFork(views);
  if (fork !== undefined) {
    const sentence = await forkSentence(folder, fork);
    const disagreement = { ...fork, sentence };
    return { ...found, word: 'forked', sentence, disagreement };
  }
  const strayed = differentStates(rows, honest);
  if (strayed !== undefined) return { ...found, word: 'invalid', sentence: strayed };
  if (obstacle !== undefined) return { ...found, word: 'stalled', sentence: obstacle };
  const alike = alikeSentence(rows.filter(({ node }) => honest.includes(node)));
  if (views.size < 2) {
    const few = `only ${views.size} honest logs could be read, and comparing takes two`;
    if (alike === undefined) return { ...found, word: 'inconclusive', sentence: few };
    return { ...found, word: 'ok', sentence: alike };
  }
  const shared = Math.min(...[...views.values()].map(endOf));
  const sentence = `${views.size} honest logs agree on ${entriesOf(shared)}`;
  return { ...found, word: 'ok', sentence };
}

/** Where positions are each node's own: what of their logs can be compared without application. */
async function comparedOrders(
  folder: string,
  nodes: readonly number[],
  obstacle: string | undefined,
): Promise<Pick<ClusterStatus, 'word' | 'sentence'>> {
  const check = relativeOrder(ofOneClient);
  const logs = await Promise.all(nodes.map((node) => tryNodeLog(folder, node)));
  logs.forEach((log, i) => {
    for (const each of log ?? [])
      check.decided?.(0, nodes[i] as number, {
        slot: each.slot,
        commands: each.requests.map(({ client, sequence, digest }) => ({
          kind: 'request',
          client,
          sequence,
          acknowledged: 0,
          operations: [toUtf8(digest)],
        })),
      });
  });
  const { violation } = check;
  if (violation !== undefined) return { word: 'forked', sentence: violation.sentence };
  if (obstacle !== undefined) return { word: 'stalled', sentence: obstacle };
  const read = logs.filter((log) => log !== undefined);
  if (read.length < 2) {
    const few = `only ${read.length} honest logs could be read, and comparing takes two`;
    return { word: 'inconclusive', sentence: few };
  }
  const shared = Math.min(...read.map((log) => (log.at(-1)?.slot ?? -1) + 1));
  return { word: 'ok', sentence: `${read.length} honest logs agree on ${entriesOf(shared)}` };
}

async function tryNodeLog(
  folder: string,
  node: number,
): Promise<readonly LoggedSlot[] | undefined> {
  try {
    return await nodeLog(folder, node);
  } catch {
    return undefined;
  }
}

const entriesOf = (count: number): string => `${count} ${count === 1 ? 'entry' : 'entries'}`;

/**
 * Which nodes have the same state after the same number of entries, where some are elsewhere; the
 * state depends on everything that was run. Nothing if no two can be compared at this moment.
 */
function alikeSentence(honest: readonly StatusRow[]): string | undefined {
  if (!honest.some(({ remote }) => remote)) return undefined;
  const groups = Map.groupBy(honest, ({ applied }) => applied);
  const [most = []] = [...groups.values()].sort((one, two) => two.length - one.length);
  if (most.length < 2) return undefined;
  const names = named(most.map(({ node }) => node));
  return `${names} have the same state after ${entriesOf(most[0]?.applied ?? 0)}`;
}

/** What every node says of itself; again after a moment if what is in the way may pass alone. */
async function settledRows(folder: string, config: ClusterConfig): Promise<readonly StatusRow[]> {
  const rows = await allRows(folder, config);
  // An election, or connections that are being made. That too few are up does not pass.
  if (obstacleOf(config, rows) === shortageOf(config, rows)) return rows;
  await sleep(passingMs);
  return allRows(folder, config);
}

/** What every node says of itself now, also those elsewhere, and who takes what of those here. */
async function allRows(folder: string, config: ClusterConfig): Promise<readonly StatusRow[]> {
  const rows = await rowsOf(folder, config);
  const here = rows.filter(({ up }) => up).map(({ node }) => node);
  const elsewhere = rows.filter(({ state }) => state === 'elsewhere').map(({ node }) => node);
  const [asked, uses] = await Promise.all([
    askOthers(folder, config, elsewhere, here),
    Promise.all(
      here.map(
        async (node) =>
          [node, await tryAskNode<UseReport>(paths.node(folder, node), 'use')] as const,
      ),
    ),
  ]);
  const useOf = new Map(uses);
  const all = rows.map((row) => {
    const said = asked.get(row.node);
    if (said !== undefined) return remoteRow(config, row.node, said);
    const use = useOf.get(row.node);
    return use === undefined ? row : { ...row, use };
  });
  return withLag(all);
}

/** The row of a node on another machine. */
function remoteRow(config: ClusterConfig, node: number, asked: Asked): StatusRow {
  if ('fault' in asked) {
    const fault = asked.fault === 'waits-for-it' ? 'not-connected' : asked.fault;
    const note = faultSentence(fault, nodeIn(config, node)?.address ?? '', asked.asker);
    const state = fault === 'not-asked' ? 'elsewhere' : 'unreachable';
    return { node, up: false, state, fault, remote: true, traitor: false, note };
  }
  const { leader, committed, applied, attack, trouble, lastCommitMilliseconds, ...more } =
    asked.report;
  const { membership, voters, ...rest } = more;
  const row = upRow(node, {
    ...rest,
    ...(membership === null ? {} : { membership: membership as NodeMembership, voters }),
    leader: leader ?? undefined,
    attack: attack ?? undefined,
    ...(trouble === null ? {} : { trouble }),
    committed: committed - 1,
    applied: applied - 1,
    lastCommitMilliseconds: lastCommitMilliseconds ?? undefined,
  });
  return { ...row, remote: true, refused: rest.refused };
}

/** What every node of this machine says of itself now, or why it does not. */
export async function rowsOf(folder: string, config: ClusterConfig): Promise<readonly StatusRow[]> {
  const all = await reports(folder, config);
  const rows = await Promise.all(
    presentNodes(config).map((node) => rowOf(folder, node, all.get(node))),
  );
  return withLag(rows);
}

/** How far each node is behind the one that is furthest, of those that never lied. */
function withLag(rows: readonly StatusRow[]): readonly StatusRow[] {
  const honest = rows.filter(({ up, traitor }) => up && !traitor);
  const most = Math.max(0, ...honest.map(({ committed = 0 }) => committed));
  const newest = Math.min(
    ...honest.map(({ lastCommitMilliseconds }) => lastCommitMilliseconds ?? Infinity),
  );
  return rows.map((row) => {
    const { committed, lastCommitMilliseconds: last } = row;
    // Who has left is not to have what was committed since.
    if (row.membership === 'left') return row;
    if (committed === undefined || committed >= most) return row;
    const late =
      last === undefined || newest === Infinity ? {} : { lagMilliseconds: last - newest };
    return { ...row, lag: most - committed, ...late };
  });
}

async function rowOf(
  folder: string,
  node: number,
  report: NodeReport | undefined,
): Promise<StatusRow> {
  const home = paths.node(folder, node);
  const attack = report?.attack ?? readTraitor(home);
  const traitor = attack !== undefined;
  if (report !== undefined) return { ...upRow(node, report, attack), pid: report.pid };
  const { state, pid, why } = await absenceOf(home, node);
  const note = traitor ? `traitor, ${why}` : why;
  const remote = state === 'elsewhere';
  return { node, up: false, state, remote, ...(pid === undefined ? {} : { pid }), traitor, note };
}

/** The row of a node that has answered. */
function upRow(
  node: number,
  report: Omit<NodeReport, 'self' | 'pid' | 'fired' | 'steps' | 'uptimeMilliseconds' | 'accused'> &
    // Proofs lie in the folder of their node: on other machines they are asked for there.
    Partial<Pick<NodeReport, 'accused'>>,
  attack: string | undefined = report.attack,
): StatusRow {
  const traitor = attack !== undefined;
  const { role, term, leader, committed, applied, state, peers } = report;
  const leads = leader === node ? role : role === 'rejoining' ? 'lost its disk, rejoining' : '';
  const { accused = [], membership, voters } = report;
  const lies = traitor ? (report.lying ? `traitor: ${attack}` : `was a traitor: ${attack}`) : '';
  return {
    node,
    up: true,
    state: 'up',
    remote: false,
    role,
    term,
    ...(leader === undefined ? {} : { leader }),
    committed: Math.max(committed, applied) + 1,
    applied: applied + 1,
    digest: state,
    peers: peers.filter((id) => id < 65_536).length,
    ...(report.clock === undefined ? {} : { clock: report.clock }),
    ...(report.lastCommitMilliseconds === undefined
      ? {}
      : { lastCommitMilliseconds: report.lastCommitMilliseconds }),
    traitor,
    ...(membership === undefined ? {} : { membership }),
    ...(voters === undefined ? {} : { voters }),
    ...(accused.length === 0 ? {} : { accused }),
    note: [
      leads,
      membershipNotes[membership ?? 'voter'],
      lies,
      report.trouble,
      accusedNote(accused),
    ]
      .filter(Boolean)
      .join(', '),
  };
}

const membershipNotes: Readonly<Record<NodeMembership, string>> = {
  voter: '',
  learner: 'learns, has no vote',
  left: 'has left the group',
  waiting: 'waits to be let in',
};

/** Whom a node has proofs against, and how to see them. */
function accusedNote(accused: readonly AccusedRow[]): string {
  const [first] = accused;
  if (first === undefined) return '';
  const who = named(
    [...new Set(accused.map(({ signer }) => signer))].sort((one, two) => one - two),
  );
  return `has proof that ${who} lied or ran twice: quorumlab explain --proof ${first.proof}`;
}

/** Which positions each of `nodes` knows, with a digest of each. */
async function digestsOf(
  folder: string,
  nodes: readonly number[],
): Promise<ReadonlyMap<number, LogDigests>> {
  const views = new Map<number, LogDigests>();
  for (const node of nodes) {
    const view = await tryAskNode<LogDigests>(paths.node(folder, node), 'digests');
    if (view !== undefined) views.set(node, view);
  }
  return views;
}

/** Positions per question. */
const pageSlots = 1024;

/**
 * What node `node` of a running cluster has committed since it was started, as far as it remembers
 * (131,072 requests): position by position, without gaps. Throws `ClusterSilentError` if it is
 * down.
 */
export async function nodeLog(folder: string, node: number): Promise<readonly LoggedSlot[]> {
  const all: LoggedSlot[] = [];
  for (;;) {
    const from = (all.at(-1)?.slot ?? -1) + 1;
    const question = { from: String(from), limit: String(pageSlots) };
    const page = await askNode<LoggedSlot[]>(paths.node(folder, node), 'log', question);
    all.push(...page);
    if (page.length < pageSlots) return all;
  }
}

const endOf = ({ from, digests }: LogDigests): number => from + digests.length;

/** The lowest position at which two logs differ. */
function firstFork(
  views: ReadonlyMap<number, LogDigests>,
): Pick<Disagreement, 'slot' | 'nodes'> | undefined {
  const seen = new Map<number, { readonly node: number; readonly digest: string }>();
  let found: Pick<Disagreement, 'slot' | 'nodes'> | undefined;
  for (const [node, { from, digests }] of views)
    digests.forEach((digest, i) => {
      const slot = from + i;
      const before = seen.get(slot);
      if (before === undefined) seen.set(slot, { node, digest });
      else if (before.digest !== digest && (found === undefined || slot < found.slot))
        found = { slot, nodes: [before.node, node] };
    });
  return found;
}

async function forkSentence(
  folder: string,
  { slot, nodes }: Pick<Disagreement, 'slot' | 'nodes'>,
): Promise<string> {
  const said: string[] = [];
  for (const node of nodes) {
    const question = { from: String(slot), limit: '1' };
    const [entry] =
      (await tryAskNode<LoggedSlot[]>(paths.node(folder, node), 'log', question)) ?? [];
    said.push(`n${node} committed ${entry === undefined ? 'something else' : namesIn(entry)}`);
  }
  return `position ${slot}: ${said.join(', ')}`;
}

/** What a position holds, for people. */
const namesIn = ({ requests }: LoggedSlot): string =>
  requests.length === 0 ? 'nothing' : requests.map(({ text }) => text).join(' then ');

/** Logs may agree and the state machines that ran them not: then one of them is wrong. */
function differentStates(
  rows: readonly StatusRow[],
  honest: readonly number[],
): string | undefined {
  for (const one of rows)
    for (const other of rows) {
      const both = honest.includes(one.node) && honest.includes(other.node);
      if (!both || one.applied !== other.applied || one.digest === other.digest) continue;
      return (
        `n${one.node} and n${other.node} ran the same ${one.applied} positions ` +
        'and have different states'
      );
    }
  return undefined;
}
