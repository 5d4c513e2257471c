/**
 * Flexible Paxos (Howard et al. 2016).
 *
 * @packageDocumentation
 */
export {};
