/** Whether the honest logs of a running cluster agree, position by position. */
import type { VerdictWord } from '@quorumlab/checker';
import { range } from '@quorumlab/core';
import { type ClusterConfig, paths, readConfig } from './config.ts';
import { askNode, tryAskNode } from './control-client.ts';
import type { LogDigests, LoggedSlot, NodeReport } from './reports.ts';
import { readTraitor } from './traitor-file.ts';
import { reports } from './up.ts';

/** One node of a cluster. */
export interface StatusRow {
  readonly node: number;
  /** Nothing below is known of a node that is not up. */
  readonly up: boolean;
  readonly pid?: number;
  readonly role?: string;
  readonly term?: number;
  readonly leader?: number;
  /** Slots that were committed: the last one and all before it. */
  readonly committed?: number;
  /** Slots that have run. */
  readonly applied?: number;
  /** Rolling hash of all that has run. */
  readonly digest?: string;
  readonly peers?: number;
  readonly lastCommitMilliseconds?: number;
  /** Whether it has ever been told to lie. */
  readonly traitor: boolean;
  /** For people: what is special about it. */
  readonly note: string;
}

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
  /** `forked` if two honest logs differ, `inconclusive` if fewer than two could be read. */
  readonly word: Extract<VerdictWord, 'ok' | 'forked' | 'invalid' | 'inconclusive'>;
  readonly sentence: string;
  readonly disagreement?: Disagreement;
}

/** Asks every node and compares the logs of those that have never been told to lie. */
export async function clusterStatus(folder: string): Promise<ClusterStatus> {
  const config = await readConfig(folder);
  const all = await reports(folder, config);
  const rows = range(config.n).map((node) => rowOf(folder, node, all[node]));
  const honest = rows.filter(({ up, traitor }) => up && !traitor).map(({ node }) => node);
  const views = await digestsOf(folder, honest);
  const fork = firstFork(views);
  if (fork !== undefined) {
    const sentence = await forkSentence(folder, fork);
    const disagreement = { ...fork, sentence };
    return { config, rows, word: 'forked', sentence, disagreement };
  }
  const strayed = differentStates(rows, honest);
  if (strayed !== undefined) return { config, rows, word: 'invalid', sentence: strayed };
  if (views.size < 2) {
    const sentence = `only ${views.size} honest logs could be read, and comparing takes two`;
    return { config, rows, word: 'inconclusive', sentence };
  }
  const shared = Math.min(...[...views.values()].map(endOf));
  const entries = shared === 1 ? 'entry' : 'entries';
  const sentence = `${views.size} honest logs agree on ${shared} ${entries}`;
  return { config, rows, word: 'ok', sentence };
}

function rowOf(folder: string, node: number, report: NodeReport | undefined): StatusRow {
  const attack = report?.attack ?? readTraitor(paths.node(folder, node));
  const traitor = attack !== undefined;
  if (report === undefined)
    return { node, up: false, traitor, note: traitor ? 'down, traitor' : 'down' };
  const { pid, role, term, leader, committed, applied, state, peers } = report;
  const leads = leader === node ? role : '';
  const lies = traitor ? (report.lying ? `traitor: ${attack}` : `was a traitor: ${attack}`) : '';
  return {
    node,
    up: true,
    pid,
    role,
    term,
    ...(leader === undefined ? {} : { leader }),
    committed: Math.max(committed, applied) + 1,
    applied: applied + 1,
    digest: state,
    peers: peers.filter((id) => id < 65_536).length,
    ...(report.lastCommitMilliseconds === undefined
      ? {}
      : { lastCommitMilliseconds: report.lastCommitMilliseconds }),
    traitor,
    note: [leads, lies].filter(Boolean).join(', '),
  };
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
