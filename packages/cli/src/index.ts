/**
 * Everything for a first experiment in one import: scenarios, attacks and their verdicts in the
 * simulator. Importing it loads no libp2p; real processes are `@quorumlab/cluster`.
 *
 * @packageDocumentation
 */
export {
  type Attack,
  attacks,
  completeScenario,
  type Lie,
  type OwnWorkload,
  protocols,
  type RunOptions,
  type RunResult,
  runScenario,
  type Scenario,
  ScenarioError,
  type SearchResult,
  search,
  summarise,
} from '@quorumlab/harness';
