import { verdictWords } from '@quorumlab/checker';
import {
  attacks,
  engine,
  protocolOf,
  protocols,
  readsPromises,
  readsWords,
  ScenarioError,
  unknownName,
  workloads,
} from '@quorumlab/harness';
import type { Command } from 'commander';
import { withExamples } from '../help.ts';
import { type GlobalFlags, terminal } from '../io.ts';
import { listedMutants, sayMutants } from './list-mutants.ts';

/** A thing that scenarios can name. */
interface Listed {
  readonly name: string;
  readonly title: string;
}

const networks: readonly Listed[] = [
  { name: 'lan', title: 'one switch: 0.1 to 0.3 ms, nothing lost' },
  { name: 'wan', title: 'five regions of public clouds' },
  { name: 'lossy', title: '5 % lost, 2 % twice, any order' },
  {
    name: 'psync',
    title: 'any delay and loss until gst, then within delta: psync:gst=1s,delta=20ms',
  },
  { name: 'async', title: 'no bound on delays at all' },
];

const lists: Readonly<Record<string, () => readonly Listed[]>> = {
  protocols: () => protocols.map(({ name, title }) => ({ name, title })),
  attacks: () => attacks.map(({ name, title }) => ({ name, title })),
  networks: () => networks,
  workloads: () => workloads,
  reads: () => readsWords.map((name) => ({ name, title: readsPromises[name] })),
  mutants: () => listedMutants(),
  options: () => listedOptions(),
  verdicts: () => verdictWords.map((name) => ({ name, title: verdictTitles[name] })),
};

const verdictTitles: Readonly<Record<(typeof verdictWords)[number], string>> = {
  forked: 'two honest nodes committed different values at one position',
  invalid: 'something nobody asked for ran, ran twice, was lost, or states differ',
  'stale-read': 'a read missed a completed write',
  stalled: 'no answer within the bound after the network healed',
  inconclusive: 'the budget was spent before an answer',
  ok: 'no violation in these runs',
};

/** What `--option` takes: of one protocol, or of all. */
const listedOptions = (of?: string): readonly Listed[] =>
  (of === undefined ? protocols : [protocolOf(of)]).flatMap(({ name, options, notes }) =>
    Object.entries(options).map(([option, kind]) => {
      const { usual, meaning = '' } = notes[option] ?? {};
      const words = Array.isArray(kind) ? `: ${kind.join(', ')}` : '';
      return {
        name: `${name} ${option}${usual === undefined ? '' : `=${usual}`}`,
        title: `${meaning}${words}`,
      };
    }),
  );

/** Names of everything that `list` can list. */
export const listNames: readonly string[] = Object.keys(lists);

/** The names in one list: for completion. */
export const namesIn = (list: string): readonly string[] =>
  (lists[list]?.() ?? []).map(({ name }) => name);

/** `quorumlab list <what>`. */
export function addList(program: Command): void {
  withExamples(
    program.command('list [what] [protocol]'),
    'quorumlab list attacks',
    'quorumlab list options raft',
  )
    .description(
      `list ${listNames.join(', ')}; mutants and options of one protocol, if you name it`,
    )
    .action((what: string | undefined, of: string | undefined, _: unknown, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      if (what === undefined)
        throw new ScenarioError('QL101', `say what to list: ${listNames.join(', ')}.`);
      const all = lists[what];
      if (all === undefined) throw unknownName('list', what, listNames);
      if (of !== undefined && what !== 'mutants' && what !== 'options')
        throw new ScenarioError(
          'QL101',
          `only mutants and options are listed by protocol, not ${what}.`,
        );
      const rows =
        of === undefined ? all() : what === 'mutants' ? listedMutants(of) : listedOptions(of);
      if (io.json) {
        io.out(JSON.stringify({ schema: 'quorumlab.list/1', engine, list: what, rows }));
        return;
      }
      if (what === 'mutants') {
        sayMutants(io, of);
        return;
      }
      const width = Math.max(...rows.map(({ name }) => name.length));
      for (const { name, title } of rows)
        io.out(`${io.paint('strong', name.padEnd(width))}  ${title}`);
    });
}
