/**
 * A replicated log over any protocol: state machines, sessions, snapshots, clients.
 *
 * @packageDocumentation
 */

export * from './client.ts';
export type { ClientOptions } from './client-state.ts';
export * from './errors.ts';
export * from './interference.ts';
export * from './key-value-store.ts';
export * from './messages.ts';
export type { ServiceOptions } from './replica-state.ts';
export * from './replicated-log.ts';
export type { Restarted } from './restart.ts';
export * from './service.ts';
export * from './serviced.ts';
export type { SessionCaps } from './sessions.ts';
export * from './types.ts';
