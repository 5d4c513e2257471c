/**
 * Multi-Paxos (Lamport 2001, Chandra et al. 2007).
 *
 * @packageDocumentation
 */
export {};
