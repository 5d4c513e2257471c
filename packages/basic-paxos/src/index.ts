/**
 * Basic Paxos (Lamport 2001).
 *
 * @packageDocumentation
 */
export {};
