/**
 * Shards in the simulator: two groups, their keepers and clients, clocks that are wrong, wrong
 * rules, and the counts of what breaks.
 *
 * @packageDocumentation
 */

export {
  isOfShards,
  type ShardPlace,
  shardLinkOf,
  shardPlaceOf,
  shardScenarioIn,
  wordsOf,
} from './again.ts';
export type { Noted } from './clients.ts';
export type { ShardViolation } from './judge.ts';
export * from './reached.ts';
export { runShards, type ShardRun, type ShardRunOptions, shardWorld } from './run.ts';
export * from './scenario.ts';
export { type ShrinkShardsOptions, type ShrunkShards, shrinkShards } from './shrink.ts';
export { intervalText, type ShardCommit } from './story.ts';
export { addShardTallies, type ShardTally, tallyShards } from './tally.ts';
export { type World, world } from './world.ts';
export {
  type KeeperReading,
  type ShardPace,
  usualBound,
  type WorldOptions,
} from './world-options.ts';
