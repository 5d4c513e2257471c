/** What goes wrong for whoever uses locks. */
import type { LockRefusal } from './operations.ts';

/** The session is over: its locks are lost, and may be another's by now. Open a new one. */
export class LockSessionOverError extends Error {
  override readonly name = 'LockSessionOverError';

  constructor() {
    super('the lock session is over, and its locks with it; open a new session');
  }
}

/** Others hold the lock, or its lock-delay runs, and the caller does not wait any longer. */
export class LockBusyError extends Error {
  override readonly name = 'LockBusyError';

  constructor(name: string) {
    super(`the lock "${name}" is held by others; ask to wait for it, or for longer`);
  }
}

/** Another content than the expected one was there, at `generation` (0: none), and stays. */
export class FileChangedError extends Error {
  override readonly name = 'FileChangedError';
  readonly generation: number;

  constructor(name: string, generation: number) {
    super(
      `the file "${name}" is at generation ${generation}, and not at the expected one; ` +
        'read it again and decide anew',
    );
    this.generation = generation;
  }
}

const sentences: Readonly<Record<Exclude<LockRefusal, 'no session'>, string>> = {
  malformed: 'the service cannot read the operation: it may be of another version',
  'not a query': 'the service was asked to change something in a read',
  'no keeper': 'this principal is none whose clock counts; name it among the keepers',
  mode: 'the session has the lock in the other mode, or waits for it so; release it first',
  locked: 'the file is locked or its lock is awaited; release the lock first',
  full: 'a limit of the service is reached: sessions, names or bytes, of this client or of all',
};

/** The service refused an operation, and nothing has changed. `why` is its word for it. */
export class LockRefusedError extends Error {
  override readonly name = 'LockRefusedError';
  readonly why: Exclude<LockRefusal, 'no session'>;

  constructor(why: Exclude<LockRefusal, 'no session'>) {
    super(`the lock service refused: ${sentences[why]}`);
    this.why = why;
  }
}
