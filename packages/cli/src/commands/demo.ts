import {
  commandLine,
  completeScenario,
  costOfProtocol,
  headline,
  nameRequests,
  narrateVotes,
  protocolOf,
  quoted,
  type RunResult,
  type Scenario,
  taleOf,
} from '@quorumlab/harness';
import type { Command } from 'commander';
import { installing, lacksClusterPackage } from '../cluster-package.ts';
import { type Exit, exitCodes, usageError } from '../errors.ts';
import { seedOf } from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, type Io, terminal } from '../io.ts';
import { resultOf, rowOf, steadyCostRow } from '../result.ts';
import { isStopped, runStoppably } from '../run-stoppably.ts';
import { stoppable, stopped, stoppedBy } from '../stop.ts';
import { type DemoSide, sayTwoColumns, tellable, titleOf, wentAsClaimed } from '../two-columns.ts';
import { verdictWord } from '../words.ts';
import { realDemo } from './demo-real.ts';

interface DemoFlags {
  readonly real?: boolean;
  readonly sim?: boolean;
  readonly seed?: string;
}

/** What the demo shows unless told. */
const usual = ['raft', 'pbft'];

/** The protocols named, or the usual ones. Throws a ScenarioError for one that nobody has. */
const named = (protocols: readonly string[]): readonly string[] => {
  for (const each of protocols) protocolOf(each);
  if (protocols.length === 0) return usual;
  const [one, two] = protocols;
  if (one === two) throw usageError('QL117', `the protocol ${one} stands twice; name two.`);
  if (protocols.length === 2) return protocols;
  throw usageError(
    'QL119',
    'the demo shows two protocols side by side.\n  use   quorumlab demo raft hotstuff',
  );
};

/** Flags that contradict each other, or could do nothing. */
function requireFitting({ real, sim, seed }: DemoFlags): void {
  if (real && sim)
    throw usageError('QL100', '--real and --sim each leave out the other half; give one or none.');
  if (real && seed !== undefined)
    throw usageError('QL100', '--seed is for the simulator, which --real leaves out.');
  if (seed !== undefined) seedOf(seed);
}

/** The story of the demo: two clients want one thing, and the leader promises it to both. */
export const demoScenario = (protocol: string, seed = '42'): Scenario =>
  completeScenario({
    protocol,
    attack: 'equivocating-leader',
    by: [0],
    count: 2,
    clients: 2,
    crypto: 'ed25519',
    seed,
  });

/** `quorumlab demo`: one liar, two protocols; in the simulator and as real processes. */
export function addDemo(program: Command): void {
  withExamples(
    program.command('demo [protocols...]'),
    'quorumlab demo',
    'quorumlab demo raft hotstuff --sim --seed 7',
  )
    .description('one lying leader against Raft and PBFT, simulated and as real processes')
    .option('--real', 'only the real processes')
    .option('--sim', 'only the simulator')
    .option('--seed <seed>', 'another seed for the simulator (default: 42)')
    .action(async (names: readonly string[], flags: DemoFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const protocols = named(names);
      requireFitting(flags);
      if (!flags.real && (await simulatedDemo(io, protocols, flags.seed))) return;
      if (flags.real) return realDemo(io, protocols);
      // One document on stdout: with --json the simulator speaks unless --real is given.
      if (flags.sim || io.json) return;
      // Who has only the simulator has seen all that there is: that is no error.
      if (await lacksClusterPackage()) {
        io.note(`\n  real    the same among real processes: ${installing()}`);
        return;
      }
      io.out('');
      await realDemo(io, protocols);
    });
}

/** The runs of the demo, and how it ends if a signal has stopped it. */
function demoRuns(
  scenarios: readonly Scenario[],
): Promise<{ readonly results: readonly RunResult[]; readonly stop?: Exit }> {
  const results: RunResult[] = [];
  return stoppable(async (signal) => {
    for (const scenario of scenarios) {
      const result = await runStoppably(scenario, { proofs: true, story: true }, signal);
      if (!isStopped(result)) results.push(result);
      if (isStopped(result) || (signal.aborted && results.length < scenarios.length)) {
        const so = `${results.length} protocols of ${scenarios.length} were shown`;
        return { results, stop: stopped(signal, so) };
      }
    }
    return { results };
  });
}

/** Whether a signal has stopped it. */
async function simulatedDemo(
  io: Io,
  protocols: readonly string[],
  seed?: string,
): Promise<boolean> {
  const start = performance.now();
  const scenarios = protocols.map((protocol) => demoScenario(protocol, seed));
  const { results, stop } = await demoRuns(scenarios);
  const seconds = ((performance.now() - start) / 1000).toFixed(2);
  const rows = results.map((result) => rowOf(result));
  // A lie costs what it costs: what is compared is a commit without one, as `compare` counts it.
  const costs = (stop === undefined ? scenarios : []).map(({ protocol, n, f }) =>
    steadyCostRow(costOfProtocol({ protocol, n, f })),
  );
  const expected = rows.every(({ protocol, word }) => wentAsClaimed(protocol, word));
  const exit = stop?.exit ?? (expected ? exitCodes.expected : exitCodes.unexpected);
  if (io.json) {
    const told = seed === undefined ? '' : ` --seed ${quoted(seed)}`;
    const line = `quorumlab demo ${protocols.join(' ')} --sim${told}`;
    io.out(JSON.stringify({ ...resultOf(line, scenarios, rows, costs, exit), ...stoppedBy(stop) }));
  } else if (stop !== undefined)
    for (const result of results)
      io.out(`${verdictWord(io, result.word)}   ${headline(result.scenario)}`);
  else {
    const how = `(simulated, seed ${seed ?? '42'}, ${seconds} s)`;
    const heading = `One node lies. Same attack, same seed, two protocols.  ${how}`;
    sayTwoColumns(io, heading, results.map(sideOf), rows, costs);
    const said = 'what one commit takes without faults, clients included';
    io.out(`  cost    ${said}; more: quorumlab compare ${protocols.join(' ')}`);
    for (const scenario of scenarios) io.out(`  again   ${commandLine(scenario)}`);
    io.out('  proof   quorumlab explain demo --proof');
  }
  if (stop !== undefined) io.complain(stop.message);
  process.exitCode = exit;
  return stop !== undefined;
}

function sideOf(result: RunResult): DemoSide {
  const { scenario, committed, violation } = result;
  const slot = violation?.slot ?? firstCommand(result);
  const values = [...committed]
    .sort(([one], [two]) => one - two)
    .map(([seat, slots]) => `n${seat}=${namesAt(slots.get(slot))}`);
  return {
    title: titleOf(scenario),
    n: scenario.n,
    traitors: scenario.by,
    story: tellable(result.story, slot),
    values: `position ${slot}: ${values.join(', ')}`,
    votes: narrateVotes({ ...taleOf(result), slot }),
  };
}

/** The first position at which anything but a no-op was committed. */
const firstCommand = ({ committed }: RunResult): number => {
  const slots = [...committed.values()].flatMap((each) =>
    [...each].filter(([, commands]) => commands.length > 0).map(([slot]) => slot),
  );
  return slots.length === 0 ? 0 : Math.min(...slots);
};

const namesAt = (commands: Parameters<typeof nameRequests>[0] | undefined): string =>
  commands === undefined ? '(nothing yet)' : nameRequests(commands);
