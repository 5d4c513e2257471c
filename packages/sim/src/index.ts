/**
 * The deterministic simulator: virtual time, one decision stream, faulty links, disks and clocks.
 * Runs any machines, in Node and in a browser, and gives the same digest and trace in both.
 *
 * @packageDocumentation
 */
export {
  type ClockModel,
  dueTime,
  localTime,
  maxDriftPerBillion,
  type RunningClock,
  ScenarioError,
  skewClock,
  startClock,
  wallTime,
} from './clock.ts';
export type { Counters, KindCount } from './counters.ts';
export { type DiskModel, ssd } from './disk.ts';
export type { CopyChange, LostCopy } from './losses.ts';
export * from './network.ts';
export * from './options.ts';
export * from './random.ts';
export { simulate } from './simulation.ts';
export * from './trace.ts';
export * from './trace-compare.ts';
export { seatsAtMost } from './world.ts';
