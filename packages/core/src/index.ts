/**
 * The vocabulary and kernel of quorumlab: what a protocol is, what a machine is, and the rule
 * "durable before said".
 *
 * @packageDocumentation
 */

export * from './assert.ts';
export * from './ballot.ts';
export * from './breach.ts';
export { type Buffers, buffers } from './buffers.ts';
export * from './bytes.ts';
export * from './client-policy.ts';
export * from './contradiction.ts';
export * from './copy.ts';
export { isDue } from './due.ts';
export * from './encoding.ts';
export * from './entry.ts';
export * from './fair.ts';
export * from './flaw.ts';
export * from './guards.ts';
export * from './handlers.ts';
export { apart, type Pair, requireOverlap } from './intersection.ts';
export * from './journal.ts';
export * from './latest-votes.ts';
export { maxLeap } from './leap.ts';
export * from './limits.ts';
export * from './machine.ts';
export * from './mempool.ts';
export * from './message.ts';
export * from './options-error.ts';
export * from './paper-line.ts';
export * from './protocol.ts';
export * from './quorum.ts';
export * from './quorum-system.ts';
export * from './replica.ts';
export * from './request.ts';
export * from './roster.ts';
export * from './schema.ts';
export * from './stage.ts';
export * from './steps.ts';
export * from './stored.ts';
export * from './tally.ts';
export * from './validator-chain.ts';
export * from './validator-changes.ts';
export * from './validators.ts';
export * from './vocabulary.ts';
export * from './vote.ts';
export * from './weigh.ts';
export * from './words.ts';
