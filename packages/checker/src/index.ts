/**
 * What must hold of every run: agreement, validity, integrity, equal states, durability, bounded
 * liveness and linearizability, over simulated runs and runs of real processes alike.
 *
 * @packageDocumentation
 */
export * from './observer.ts';
export * from './safety.ts';
export * from './verdict.ts';
