/** What is mutated, and by which tests it is judged. */

/** One package under mutation. */
export interface Part {
  /** Whose sources are mutated. */
  readonly name: string;
  /** Tests beside those of the package: what belongs to it and lies elsewhere. */
  readonly tests: readonly string[];
  /** Sources that are not mutated: what is there for tests, and tables that tests read out. */
  readonly leaveOut: readonly string[];
}

/** No rules are in these, of whatever package. */
const noRules = ['index.ts', 'paper.ts', 'exhibits.ts', 'mutants.ts', 'testing.ts'];

const part = (name: string, more: Partial<Part> = {}): Part => ({
  name,
  tests: [`packages/${name}/src/**/*.test.ts`, ...(more.tests ?? [])],
  leaveOut: [...noRules, ...(more.leaveOut ?? [])],
});

/** In the order in which they are run unless some are named. */
export const parts: readonly Part[] = [
  part('raft'),
  part('pbft'),
  part('checker'),
  part('hotstuff', { tests: ['test/conformance/hotstuff.test.ts'] }),
  part('tendermint', { leaveOut: ['schedules.ts'] }),
  part('streamlet', { leaveOut: ['schedules.ts'] }),
  part('minbft'),
  part('wire'),
  part('core'),
  part('log'),
  part('disk', {
    leaveOut: [
      'crash-images.ts',
      'disk-suite.ts',
      'end-child.ts',
      'lock-child.ts',
      'memory-files.ts',
      'record-log-suite.ts',
      'test-media.ts',
    ],
  }),
  part('multi-paxos'),
  part('zab'),
  part('epaxos'),
  part('basic-paxos'),
  part('flexible-paxos'),
  part('adversary'),
];

const byChance = [
  'schedules',
  'random',
  'fuzz',
  'linearizability',
  'histories',
  'crash',
  'damage',
  'conformance',
];

/** Tests that draw much by chance come last: what a plain one finds need not meet them. */
export const slow: RegExp = new RegExp(byChance.join('|'));
/** The same as a pattern for files. */
export const slowFiles: string = `**/*{${byChance.join(',')}}*{/**,.test.ts}`;
