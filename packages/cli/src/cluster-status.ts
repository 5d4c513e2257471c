/** The status of a cluster of real processes, as text and as a result. */
import type { ClusterStatus, StatusRow } from '@quorumlab/cluster';
import { engine, protocolOf } from '@quorumlab/harness';
import { exitCodes } from './errors.ts';
import type { Io } from './io.ts';
import { inColumns, refusalLines, sayUse } from './peer-use.ts';
import { verdictWord } from './words.ts';

/** The schema of what `cluster status --json` prints. */
const statusSchema = 'quorumlab.cluster-status/2';

/** A status as JSON: it says all that the text says. */
export interface StatusResult {
  readonly schema: typeof statusSchema;
  readonly engine: string;
  readonly folder: string;
  readonly protocol: string;
  readonly n: number;
  readonly f: number;
  readonly signatures: ClusterStatus['config']['signatures'];
  readonly word: ClusterStatus['word'];
  /** Whether the protocol's claims allow this word, with who lied and who is down. */
  readonly expected: boolean;
  /** One sentence on the honest logs, or on why nothing is answered. */
  readonly sentence: string;
  /** Why nothing can be answered now, or null. */
  readonly obstacle: string | null;
  /** Where two honest logs differ, or null. */
  readonly disagreement: ClusterStatus['disagreement'] | null;
  readonly nodes: readonly StatusRow[];
  readonly exit: number;
}

/** The status in its schema. */
export function statusResult(folder: string, status: ClusterStatus): StatusResult {
  const { config, rows, n, f, word, sentence, obstacle = null, disagreement = null } = status;
  const { protocol, signatures } = config;
  const { claims } = protocolOf(protocol);
  const liars = rows.filter(({ traitor }) => traitor).length;
  const away = rows.filter(({ state }) => state !== 'up' && state !== 'elsewhere').length;
  const lost = rows.filter(({ role }) => role === 'rejoining').length;
  const beyond = liars > (claims.faults === 'crash' ? 0 : f);
  const expected =
    word === 'ok' || word === 'inconclusive' || beyond || (word === 'stalled' && away + lost > f);
  const settled = expected ? exitCodes.expected : exitCodes.unexpected;
  const exit = word === 'inconclusive' || word === 'stalled' ? exitCodes.inconclusive : settled;
  return {
    schema: statusSchema,
    engine,
    folder,
    protocol,
    n,
    f,
    signatures,
    word,
    expected,
    sentence,
    obstacle,
    disagreement,
    nodes: rows,
    exit,
  };
}

/** The status as a table and a sentence; with `use`, who takes what of each node here. */
export function sayStatus(
  io: Io,
  { config, rows }: ClusterStatus,
  result: StatusResult,
  use = false,
): void {
  const { protocol, n, f, word, sentence, obstacle, expected } = result;
  const { faults } = protocolOf(protocol).claims;
  const up = rows.filter(({ state }) => state === 'up').length;
  const unknown = rows.filter(({ state }) => state === 'elsewhere').length;
  const rest = unknown === 0 ? '' : `, ${unknown} not known from here`;
  io.out(`${protocol} n=${n} f=${f} (${faults}), ${up} of ${rows.length} nodes up${rest}`);
  const term = faults === 'crash' ? 'term' : 'view';
  const head = ['node', term, 'committed', 'behind', 'digest', 'peers', 'last commit', 'note'];
  const table = [head, ...rows.map((row) => cellsOf(io, row))];
  for (const line of inColumns(table)) io.out(line);
  for (const line of rows.flatMap(refusalLines)) io.out(line);
  for (const line of clockLines(rows)) io.out(line);
  if (use) for (const row of rows) sayUse(io, row);
  io.out(`${verdictWord(io, word)}: ${sentence}`);
  if (obstacle !== null && word !== 'stalled') io.out(`nothing is answered now: ${obstacle}`);
  if (!expected)
    io.out(
      `expected: NO. ${config.protocol} n=${config.n} claims to survive this; please report it`,
    );
}

/** Whose clocks may be wrong by how much, and who says so: one line for each who says it. */
function clockLines(rows: readonly StatusRow[]): readonly string[] {
  const told = rows.flatMap(({ node, clock }) => (clock === undefined ? [] : [{ node, ...clock }]));
  return [...Map.groupBy(told, ({ source }) => source)].map(([source, some]) => {
    const most = Math.max(...some.map(({ error }) => error));
    const who = some.map(({ node }) => `n${node}`).join(', ');
    const says = source === 'chrony' ? 'as chrony says' : 'as declared: chrony says nothing';
    return `clocks of ${who}: wrong by up to ${(most / 1000).toFixed(1)} ms, ${says}`;
  });
}

function cellsOf(io: Io, row: StatusRow): readonly string[] {
  const none = io.sign('none');
  const name = `n${row.node}${row.traitor ? io.sign('traitor') : ''}`;
  if (!row.up) return [name, none, none, none, none, none, none, `${row.state}: ${row.note}`];
  const ago = row.lastCommitMilliseconds;
  return [
    name,
    String(row.term),
    String(row.committed),
    behind(row, none),
    // What a traitor says of its own state proves nothing.
    row.traitor ? none : (row.digest ?? ''),
    String(row.peers),
    ago === undefined ? none : `${ago} ms ago`,
    row.note,
  ];
}

/** `12 entries, 340 ms`: what the node lacks, and since when others have it. */
function behind({ lag, lagMilliseconds }: StatusRow, none: string): string {
  if (lag === undefined) return none;
  const entries = `${lag} ${lag === 1 ? 'entry' : 'entries'}`;
  return lagMilliseconds === undefined ? entries : `${entries}, ${lagMilliseconds} ms`;
}
