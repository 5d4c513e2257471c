/**
 * Clocks with an error bound: intervals that hold true time, commit wait, leases that do not
 * overlap. Pure: time comes in as what a clock answered, in integer microseconds.
 *
 * @packageDocumentation
 */
export * from './interval.ts';
export * from './lease.ts';
export * from './rules.ts';
