/**
 * What must hold of every run: agreement, validity, integrity, equal states, durability, bounded
 * liveness and linearizability, over simulated runs and runs of real processes alike.
 *
 * @packageDocumentation
 */
export * from './client-history.ts';
export {
  type Call,
  HistoryError,
  type Model,
  type ModelState,
} from './history.ts';
export * from './linearizability.ts';
export * from './list-append.ts';
export type { PlainAnomaly } from './list-versions.ts';
export * from './models.ts';
export * from './observer.ts';
export * from './relative-order.ts';
export {
  agreement,
  type Describe,
  execution,
  liveness,
} from './safety.ts';
export * from './transaction-file.ts';
export type { Element, ListOperation, ListTransaction } from './transactions.ts';
export * from './verdict.ts';
