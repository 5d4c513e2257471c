import {
  commandLine,
  engine,
  optionText,
  protocolOf,
  type QuorumRow,
  type QuorumTrial,
  quoted,
  type TrialOutcome,
} from '@quorumlab/harness';
import type { Command } from 'commander';
import { type Exit, exitCodes } from '../errors.ts';
import { gather, optionsOf, wholeNumber } from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, type Io, progressOf, terminal } from '../io.ts';
import { stoppable, stopped, stoppedBy, unlessStopped } from '../stop.ts';
import { verdictLook } from '../words.ts';
import { workerPool } from '../worker-pool.ts';

interface QuorumFlags {
  readonly n?: string;
  readonly f: string;
  readonly seeds: string;
  readonly seed?: string;
  readonly net?: string;
  readonly option?: readonly string[];
}

/** `quorumlab quorums <protocol>`: what becomes of a group with quorums of every size. */
export function addQuorums(program: Command): void {
  withExamples(
    program.command('quorums <protocol>'),
    'quorumlab quorums pbft -n 3 -f 1',
    'quorumlab quorums hotstuff --option rules=chained --seeds 2',
  )
    .description('every size of a quorum, one after the other: too small forks, too large stalls')
    .option('-n <replicas>', 'how many replicas, up to 100 (default: one too few for f)')
    .option('-f <faults>', 'how many faulty ones it is to survive', '1')
    .option('--seeds <runs>', 'how many seeds per experiment', '5')
    .option('--seed <seed>', 'the first of them (default: 42)')
    .option('--net <network>', 'lan, wan, lossy, async or psync:gst=1s,delta=20ms (default: lan)')
    .option(
      '--option <name=value>',
      "an option of the protocol's own: quorumlab list options; repeatable (default: as listed)",
      gather,
    )
    .action(async (protocol: string, flags: QuorumFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const trial = trialOf(protocol, flags);
      const { rows, stop } = await rowsOf(io, trial);
      const asTold = rows.every(({ expected }) => expected);
      const exit = stop?.exit ?? (asTold ? exitCodes.expected : exitCodes.unexpected);
      if (io.json) io.out(JSON.stringify({ ...documentOf(trial, rows, exit), ...stoppedBy(stop) }));
      else if (rows.length > 0) sayTable(io, trial, rows, stop === undefined);
      if (stop !== undefined) io.complain(stop.message);
      process.exitCode = exit;
    });
}

function trialOf(protocol: string, flags: QuorumFlags): QuorumTrial {
  const entry = protocolOf(protocol);
  const f = wholeNumber('-f', flags.f, 1, 33);
  const n = wholeNumber('-n', flags.n ?? `${entry.claims.replicas(f) - 1}`, f + 1, 100);
  const { seed, net, option } = flags;
  return {
    ...{ protocol, n, f, seeds: wholeNumber('--seeds', flags.seeds, 1, 1e6) },
    shared: {
      ...(seed === undefined ? {} : { seed }),
      ...(net === undefined ? {} : { network: net }),
      ...(option === undefined ? {} : { options: optionsOf(entry, option) }),
    },
  };
}

/** In a thread, so that a signal can stop it; the rows until then count. */
function rowsOf(
  io: Io,
  trial: QuorumTrial,
): Promise<{ readonly rows: readonly QuorumRow[]; readonly stop?: Exit }> {
  const progress = progressOf(io, 'sizes');
  const rows: QuorumRow[] = [];
  return stoppable(async (signal) => {
    const pool = workerPool(1);
    try {
      const told = pool.quorums(trial, (row) => {
        rows.push(row);
        progress.update(row.quorum, trial.n, row.outcome);
      });
      await unlessStopped(told, signal);
      if (!signal.aborted) return { rows };
      const done = new Set(rows.map(sizeOf)).size;
      return { rows, stop: stopped(signal, `${done} sizes of ${trial.n} were tried`) };
    } finally {
      progress.end();
      await pool.dismiss();
    }
  });
}

/** Everything that the text says. */
function documentOf(trial: QuorumTrial, rows: readonly QuorumRow[], exit: number): object {
  const { protocol, n, f, seeds, shared = {} } = trial;
  const told = [
    ...(shared.seed === undefined ? [] : [`--seed ${quoted(shared.seed)}`]),
    ...(shared.network === undefined ? [] : [`--net ${quoted(shared.network)}`]),
    ...Object.entries(shared.options ?? {}).map(([name, value]) => `--option ${name}=${value}`),
  ];
  const words = ['quorumlab quorums', protocol, `-n ${n}`, `-f ${f}`, `--seeds ${seeds}`, ...told];
  return {
    schema: 'quorumlab.quorums/1',
    engine,
    command: words.join(' '),
    ...{ protocol, n, f, seeds },
    unsafe: 'UNSAFE: quorums are set by hand',
    rows,
    exit,
  };
}

function sayTable(io: Io, trial: QuorumTrial, rows: readonly QuorumRow[], whole: boolean): void {
  const { protocol, n, f, seeds } = trial;
  const { claims } = protocolOf(protocol);
  const isByzantine = claims.faults === 'byzantine';
  const each = `${seeds} seed${seeds === 1 ? '' : 's'} each`;
  io.out(`${protocol} n=${n} f=${f} (${claims.faults}) · UNSAFE: quorums set by hand · ${each}`);
  io.out('');
  const head = [
    'quorum',
    'two share',
    ...(isByzantine ? ['honest of these'] : []),
    isByzantine ? `${f} double-voter${f === 1 ? '' : 's'}` : 'cut in halves',
    isByzantine ? `${f} silent` : `${f} crashed`,
    'so it',
  ];
  const body = rows.map((row) => [
    [row.quorum, optionText(row)].filter(Boolean).join(' '),
    `${row.shared}`,
    ...(isByzantine ? [`${row.honest}`] : []),
    wordOf(io, row.parted),
    wordOf(io, row.silent),
    `${row.outcome}${row.expected ? '' : ' UNEXPECTED'}`,
  ]);
  const widths = head.map((_, i) =>
    Math.max(...[head, ...body].map((cells) => [...(cells[i] as string)].length)),
  );
  for (const cells of [head, ...body])
    io.out(`  ${cells.map((cell, i) => cell.padEnd(widths[i] as number)).join('  ')}`.trimEnd());
  io.out('');
  // What holds for every size can only be said when each was tried.
  if (whole) sayWhy(io, trial, rows);
}

/** `✗ forked 5/5`. */
const wordOf = (io: Io, { word, hits, runs }: TrialOutcome): string =>
  `${io.sign(verdictLook(word)[0])} ${word} ${word === 'ok' ? runs - hits : hits}/${runs}`;

function sayWhy(io: Io, { protocol, n, f }: QuorumTrial, rows: readonly QuorumRow[]): void {
  const { claims } = protocolOf(protocol);
  const whom = claims.faults === 'byzantine' ? 'an honest one' : 'one';
  const rest = n - f === 1 ? 'one replica' : `${n - f} replicas`;
  io.out(`  Two quorums must share ${whom}, and ${rest} must be able to form one.`);
  const least = claims.replicas(f);
  const good = [...new Set(rows.filter(({ outcome }) => outcome === 'ok').map(sizeOf))];
  if (good.length > 0) io.out(`  Both hold for quorums of ${good.join(', ')}.`);
  else {
    io.out(`  No size does both: ${protocol} with f=${f} needs n ≥ ${least}.`);
    io.out(`  try       quorumlab quorums ${protocol} -n ${least} -f ${f}`);
  }
  for (const [what, pick] of [
    ['fork', (row: QuorumRow) => row.outcome.startsWith('forks') && row.parted],
    ['stall', (row: QuorumRow) => row.outcome.endsWith('stalls') && row.silent],
  ] as const) {
    // The one that is nearest to right says most.
    const found = (what === 'fork' ? [...rows].reverse() : rows).map(pick).find(Boolean);
    if (found) io.out(`  see it ${what.padEnd(6)} ${commandLine(found.scenario)}`);
  }
}

const sizeOf = ({ quorum }: QuorumRow): number => quorum;
