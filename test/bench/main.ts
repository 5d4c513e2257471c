/**
 * npm run bench [-- --quick] [--only NAME,NAME] [--json FILE]: figures, each beside a limit that
 * was measured in the same run. Read the ratios: figures belong to one machine at one moment.
 * npm run bench -- --only hostile [--protocol X] [--kind K] [--by member|client] [--variant V]
 */
import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { protocols } from '@quorumlab/harness';
import { flagsOf, oneOf } from '../support/flags.ts';
import { variants } from './hostile/forge.ts';
import type { Part, Row, Settings } from './measure.ts';
import { heading, table } from './table.ts';

type Load = () => Promise<Part>;

const simulated = protocols.map(({ name }): readonly [string, Load] => [
  `simulator-${name}`,
  async () => (await import('./runs.ts')).runsOf(name),
]);

/** What one decision costs grows with the group where all speak with all: Byzantine protocols. */
const decided = protocols
  .filter(({ claims }) => claims.faults === 'byzantine')
  .flatMap(({ name }) =>
    [4, 32, 128, 512].map((n): readonly [string, Load] => [
      `decision-${name}-${n}`,
      async () => (await import('./decisions.ts')).decisionsOf(name, n),
    ]),
  );

/** Of every log: one decision is no steady load. */
const floors = protocols
  .filter(({ name }) => name !== 'basic-paxos')
  .map(({ name }): readonly [string, Load] => [
    `floor-${name}`,
    async () => (await import('./floor.ts')).floorOf(name),
  ]);

const parts: Readonly<Record<string, Load>> = {
  ...Object.fromEntries(simulated),
  'simulator-alone': async () => (await import('./alone.ts')).raftAlone,
  'simulator-bare': async () => (await import('./simulator.ts')).simulatorAlone,
  ...Object.fromEntries(decided),
  checker: async () => (await import('./checker.ts')).checker,
  codec: async () => (await import('./codec.ts')).codec,
  keys: async () => (await import('./keys.ts')).keys,
  certificates: async () => (await import('./certificates.ts')).certificates,
  disk: async () => (await import('./disk.ts')).disk,
  'disk-proof': async () => (await import('./disk-proof.ts')).diskProof,
  snapshot: async () => (await import('./snapshot.ts')).snapshot,
  frames: async () => (await import('./frames.ts')).frames,
  'shards-simulated': async () => (await import('./shards.ts')).simulatedShards,
  'shards-real': async () => (await import('./shards.ts')).realShards,
  groups: async () => (await import('./groups.ts')).groups,
  wan: async () => (await import('./sites.ts')).sites,
  'cluster-basic-paxos': async () => (await import('./clusters.ts')).basicPaxosCluster,
  'cluster-epaxos': async () => (await import('./clusters.ts')).epaxosCluster,
  'cluster-multi-paxos': async () => (await import('./clusters.ts')).multiPaxosCluster,
  'cluster-flexible-paxos': async () => (await import('./clusters.ts')).flexiblePaxosCluster,
  'cluster-raft': async () => (await import('./clusters.ts')).raftCluster,
  'cluster-zab': async () => (await import('./clusters.ts')).zabCluster,
  'reads-raft': async () => (await import('./clusters.ts')).raftReads,
  'reads-multi-paxos': async () => (await import('./clusters.ts')).multiPaxosReads,
  'reads-zab': async () => (await import('./clusters.ts')).zabReads,
  'cluster-pbft': async () => (await import('./clusters.ts')).pbftCluster,
  'cluster-hotstuff': async () => (await import('./clusters.ts')).hotstuffCluster,
  'cluster-tendermint': async () => (await import('./clusters.ts')).tendermintCluster,
  'cluster-streamlet': async () => (await import('./clusters.ts')).streamletCluster,
  'cluster-minbft': async () => (await import('./clusters.ts')).minbftCluster,
  'cluster-minbft-4': async () => (await import('./clusters.ts')).minbftClusterOfFour,
  'cluster-pbft-bls': async () => (await import('./clusters.ts')).pbftAggregates,
  'cluster-hotstuff-bls': async () => (await import('./clusters.ts')).hotstuffAggregates,
  'clients-raft': async () => (await import('./clusters.ts')).raftClients,
  'clients-pbft': async () => (await import('./clusters.ts')).pbftClients,
  ...Object.fromEntries(floors),
};

/** Nobody waits for these by chance: they take minutes, and are asked for by name. */
const hostile: Readonly<Record<string, Load>> = Object.fromEntries(
  protocols
    .filter((entry) => entry.name !== 'basic-paxos') // One decision is no steady load.
    .map(({ name }): readonly [string, Load] => [
      `hostile-${name}`,
      async () => (await import('./hostile.ts')).hostileRows(name),
    ]),
);

/** What a child says to its parent. */
type Told = { readonly rows: readonly Row[] } | { readonly failed: string };

const options = {
  quick: { type: 'boolean', default: false },
  only: { type: 'string' },
  json: { type: 'string', default: '.quorumlab/bench.json' },
  part: { type: 'string' },
  protocol: { type: 'string' },
  kind: { type: 'string' },
  by: { type: 'string' },
  variant: { type: 'string' },
} as const;

const usage = `Usage: npm run bench -- [options]

  --quick            fewer turns and shorter ones: not for comparing
  --only <names>     parts, or how their names begin, with commas: ${Object.keys(parts).join(', ')};
                     and hostile, which is never run unless it is named
  --json <file>      where the figures go (default: .quorumlab/bench.json)

Of hostile alone:
  --protocol <name>  one protocol
  --by <who>         member or client
  --kind <kinds>     kinds of messages or of patterns, with commas
  --variant <how>    ${variants.join(', ')}, or all, each in a row of its own`;

/** In a process of its own, so that no part runs code or sees garbage of another. */
async function child(name: string, settings: Settings): Promise<void> {
  const tell = (told: Told): void => void process.send?.(told);
  // Whoever asked is gone.
  process.once('disconnect', () => process.exit());
  try {
    const part = await (parts[name] ?? hostile[name])?.();
    tell(part === undefined ? { failed: 'no such part' } : { rows: await part(settings) });
  } catch (error) {
    tell({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  process.disconnect?.();
}

function run(name: string, { quick, ...chosen }: Settings): Promise<Told> {
  const file = fileURLToPath(import.meta.url);
  const more = Object.entries(chosen).flatMap(([key, value]) => [`--${key}`, value]);
  const process = fork(file, ['--part', name, ...(quick ? ['--quick'] : []), ...more], {
    execArgv: ['--conditions=source', '--expose-gc'],
  });
  return new Promise((resolve) => {
    let told: Told = { failed: 'the process ended without an answer' };
    process.on('message', (message) => {
      // Only `child` above writes to this channel.
      told = message as Told;
    });
    process.on('exit', () => resolve(told));
  });
}

/** The names in `only`: whole names, or how they begin. */
function chosen(only: string | undefined, protocol: string | undefined): string[] {
  if (only === undefined) return Object.keys(parts);
  const all = [...Object.keys(parts), ...Object.keys(hostile)];
  const wanted = only.split(',').map((name) => (protocol ? `${name}-${protocol}` : name));
  const unknown = wanted.find((each) => !all.some((name) => name.startsWith(each)));
  if (unknown !== undefined) {
    console.error(`There is no part "${unknown}". There are: ${all.join(', ')}.`);
    process.exit(254);
  }
  return all.filter((name) => wanted.some((each) => name.startsWith(each)));
}

async function main(): Promise<void> {
  const { values } = flagsOf(usage, options);
  const { quick, kind } = values;
  const by = oneOf('by', values.by, ['member', 'client']);
  const variant = oneOf('variant', values.variant, ['all', ...variants]);
  oneOf(
    'protocol',
    values.protocol,
    protocols.map(({ name }) => name),
  );
  const settings = {
    quick,
    ...(kind === undefined ? {} : { kind }),
    ...(by === undefined ? {} : { by }),
    ...(variant === undefined ? {} : { variant }),
  };
  if (values.part !== undefined) return child(values.part, settings);
  const names = chosen(values.only, values.protocol);
  const began = performance.now();
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryMB: Math.round(totalmem() / 1e6),
    system: `${platform()} ${release()}`,
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  };
  console.log(heading(machine));
  const rows: Row[] = [];
  const failures: { part: string; why: string }[] = [];
  for (const name of names) {
    const told = await run(name, settings);
    if ('rows' in told) {
      rows.push(...told.rows);
      console.log(table(told.rows));
    } else {
      failures.push({ part: name, why: told.failed });
      console.error(`${name} failed: ${told.failed}`);
    }
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  const loadAfter = loadavg()[0] ?? 0;
  const report = {
    schema: 'quorumlab.bench/1',
    quick: settings.quick,
    machine: { ...machine, loadAfter },
    seconds,
    rows: rows.map((row) => ({
      ...row,
      ...(row.limit === undefined ? {} : { ratio: row.value / row.limit.value }),
    })),
    failures,
  };
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\n${seconds} s, load ${loadAfter.toFixed(2)} at the end; written to ${values.json}`);
  if (failures.length > 0) process.exitCode = 1;
}

await main();
