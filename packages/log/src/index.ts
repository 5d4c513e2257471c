/**
 * A replicated log over any protocol: state machines, sessions, snapshots, clients.
 *
 * @packageDocumentation
 */

export type { CallOptions } from './calls.ts';
export * from './client.ts';
export type { ClientOptions } from './client-state.ts';
export type { Entry } from './entries.ts';
export * from './errors.ts';
export * from './interference.ts';
export * from './key-value-store.ts';
export { installedBy, type LogOutput, type LogPort, type Signal, snapshotBy } from './log-port.ts';
export * from './messages.ts';
export type { ServiceOptions } from './replica-state.ts';
export * from './replicated-log.ts';
export type { Restarted } from './restart.ts';
export * from './service.ts';
export { readingBack } from './service-start.ts';
export * from './serviced.ts';
export type { SessionCaps } from './session-state.ts';
export * from './types.ts';
