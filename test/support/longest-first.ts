/** The order in which test files start: a long one that starts last leaves a core idle. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The files that take longest, longest first. All others follow as vitest orders them. */
const longest = [
  'test/simulation/hotstuff.test.ts',
  'test/claims/claims.test.ts',
  'test/cluster/grow-live.test.ts',
  'test/cluster/validators-live.test.ts',
  'test/simulation/protocols.test.ts',
  'packages/raft/src/schedules.test.ts',
  'test/browser/playground.test.ts',
  'test/cluster/kill-and-restart-byzantine.test.ts',
  'test/simulation/minbft.test.ts',
  'test/browser/lessons.test.ts',
  'packages/zab/src/schedules.test.ts',
  'test/simulation/tendermint.test.ts',
  'packages/cli/src/modules.test.ts',
  'test/mutants/mutants.test.ts',
  'packages/epaxos/src/schedules.test.ts',
  'test/conformance/protocols.test.ts',
  'test/attacked/attacked.test.ts',
  'test/simulation/pbft.test.ts',
  'packages/playground/src/runs.test.ts',
  'test/simulation/streamlet.test.ts',
  'test/cluster/bounded-disk.test.ts',
  'test/browser/report.test.ts',
  'test/paper/page.test.ts',
  'test/cluster/kill-and-restart.test.ts',
  'packages/cluster/src/lost-disk.test.ts',
  'test/conformance/hotstuff.test.ts',
  'test/cluster/lost-disk.test.ts',
  'test/simulation/lying-clients.test.ts',
  'test/support/flags.test.ts',
  'test/browser/same-runs.test.ts',
  'test/node/host-process.test.ts',
  'packages/cli/src/signals.test.ts',
  'test/cluster/liar.test.ts',
  'packages/cluster/src/cluster.test.ts',
  'test/formulas/formulas.test.ts',
  'packages/multi-paxos/src/schedules.test.ts',
  'packages/cli/src/compare.test.ts',
  'test/places.test.ts',
  'test/browser/pictures.test.ts',
  'packages/cli/src/cli.test.ts',
  'test/browser/sleep.test.ts',
  'test/mutants/exhibits.test.ts',
  'test/node/hostile.test.ts',
  'test/fuzz/stack.test.ts',
];

/** Starts the files that take longest first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    for (const file of longest)
      if (!existsSync(root + file))
        throw new Error(`There is no ${file}: take it from the list in longest-first.ts.`);
    const place = ({ moduleId }: TestSpecification): number => {
      const found = longest.findIndex((file) => moduleId.endsWith(`/${file}`));
      return found < 0 ? longest.length : found;
    };
    return (await super.sort(files)).sort((one, two) => place(one) - place(two));
  }
}
