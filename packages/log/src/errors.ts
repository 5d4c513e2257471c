/** The application broke a rule of `StateMachine`. The host stops the replica. */
export class StateMachineError extends Error {
  override readonly name: string = 'StateMachineError';
}

/** The snapshot on the disk is not the one that was written there. The host stops the replica. */
export class SnapshotDamagedError extends Error {
  override readonly name: string = 'SnapshotDamagedError';
}
