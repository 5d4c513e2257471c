/** The application broke a rule of `StateMachine`. The host stops the replica. */
export class StateMachineError extends Error {
  override readonly name: string = 'StateMachineError';
}

/** The snapshot on the disk is not the one that was written there. The host stops the replica. */
export class SnapshotDamagedError extends Error {
  override readonly name: string = 'SnapshotDamagedError';
}

/** The caller's signal fired. */
export class AbortedError extends Error {
  /** As everything that takes an `AbortSignal` names it. */
  override readonly name: string = 'AbortError';
}

/** The log was stopped. */
export class StoppedError extends Error {
  override readonly name: string = 'StoppedError';
}

/** The client gave up on an operation, for the reason in the message. */
export class OperationError extends Error {
  override readonly name: string = 'OperationError';
}

/** A change of the group was refused, for the reason in the message: nothing changed. */
export class ConfigurationRefusedError extends OperationError {
  override readonly name: string = 'ConfigurationRefusedError';
}

/** The log has no slot left (`Protocol.length`): the operation has not run and never will. */
export class LogFullError extends OperationError {
  override readonly name: string = 'LogFullError';
}

/**
 * The group has run another request under the sequence of this one: two processes share all that
 * tells them apart. This operation has not run and never will.
 */
export class SequenceReusedError extends OperationError {
  override readonly name: string = 'SequenceReusedError';
}

/** The group no longer knows whether the operation ran: it came too late. It will not run again. */
export class RequestTooOldError extends OperationError {
  override readonly name: string = 'RequestTooOldError';
}

/**
 * Newer processes of the same client have taken the place of the session, so the group cannot
 * tell whether the operation ran. It will not run again; the next operations get a new session.
 */
export class SessionExpiredError extends OperationError {
  override readonly name: string = 'SessionExpiredError';
}

/** The group holds more state than a snapshot may have: it has not run and never will. */
export class StateTooLargeError extends OperationError {
  override readonly name: string = 'StateTooLargeError';
}

/** The time that was given for an operation is over; if it was sent, it may run or have run. */
export class DeadlineError extends OperationError {
  override readonly name: string = 'DeadlineError';
}

/** A reader asked for entries that are not kept, or was so slow that they were dropped. */
export class LaggingReaderError extends Error {
  override readonly name: string = 'LaggingReaderError';
  /** The first slot whose entries are missing. */
  readonly missing: number;
  /** The first slot from which on all entries are here. */
  readonly available: number;

  constructor(missing: number, available: number) {
    super(
      `the entries from slot ${missing} on are no longer kept; read the application's state ` +
        `and go on with entries(${available})`,
    );
    this.missing = missing;
    this.available = available;
  }
}

/** A client was asked for the entries of the log. */
export class NotAReplicaError extends Error {
  override readonly name: string = 'NotAReplicaError';
}
