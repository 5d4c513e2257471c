/**
 * Scenarios, attacks, workloads and what comes of them; and the suites that protocols, hosts and
 * disks of others can be tested with.
 *
 * @packageDocumentation
 */
export type { OptionValues } from '@quorumlab/core';
export * from './agreement-of.ts';
export * from './as-test.ts';
export * from './attacks.ts';
export * from './claims.ts';
export { type ColumnsOptions, columns, sideBySide } from './columns.ts';
export * from './command-line.ts';
export * from './compare.ts';
export { InterferenceError, testInterference } from './conformance/interference.ts';
export {
  ConformanceError,
  type ProtocolCase,
  type ProtocolSuiteOptions,
  testProtocol,
} from './conformance/protocol-suite.ts';
export * from './cost.ts';
export * from './defaults.ts';
export * from './describe.ts';
export * from './engine.ts';
export * from './exhibit.ts';
export { faultOf } from './fault.ts';
export * from './guilt.ts';
export * from './history.ts';
export type { Lie } from './lies.ts';
export * from './narrative.ts';
export { clockOf, networkOf } from './network-and-clock.ts';
export * from './options.ts';
export * from './own-lie.ts';
export * from './prepare.ts';
export * from './proof-rows.ts';
export * from './proof-values.ts';
export * from './protocol-entry.ts';
export * from './protocols.ts';
export * from './quorums.ts';
export {
  addReached,
  type Reached,
  reachable,
  type Situation,
  situationNames,
  situations,
} from './reached.ts';
export * from './read-words.ts';
export * from './reads.ts';
export * from './run.ts';
export * from './run-cost.ts';
export * from './scenario.ts';
export * from './search.ts';
export * from './shrink.ts';
export * from './simulate-service.ts';
export * from './site-latency.ts';
export * from './story.ts';
export { isRare } from './swarm/rare.ts';
export * from './swarm/swarm.ts';
export * from './system-errors.ts';
export * from './tale.ts';
export * from './trace-scenario.ts';
export * from './verdict-row.ts';
export { type WeakReadsOptions, weakReads } from './weak-reads.ts';
export * from './words.ts';
export * from './workload.ts';
