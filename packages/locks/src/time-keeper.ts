/** Says to a lock service how time goes by: see `log-time.ts`. Runs beside each member. */
import type { LockLog } from './session.ts';
import { systemTime, type Time } from './time.ts';

/** A keeper at work. */
export interface TimeKeeper {
  /** Ends it: no further tick is told. One that is under way may still count. */
  stop(): Promise<void>;
}

/** See {@link timeKeeper}. */
export interface TimeKeeperOptions {
  /** Milliseconds between two ticks; half a stride of the service or less. 500 unless told. */
  readonly every?: number;
  readonly time?: Time;
  /** Told once of each tick that failed; the next one is tried all the same. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Starts to tell time through `log`, the log of a node that is among the service's keepers.
 * What passes between two ticks counts by this clock; what passes while a tick cannot be told does
 * not: nobody could have kept a session alive meanwhile.
 */
export function timeKeeper(log: LockLog, options: TimeKeeperOptions = {}): TimeKeeper {
  const { every = 500, time = systemTime, onFailure = () => undefined } = options;
  let end: (value?: unknown) => void = () => undefined;
  const ended = new Promise<unknown>((resolve) => {
    end = resolve;
  });
  let isOver = false;
  /** When the last tick that was counted read the clock. */
  let last: number | undefined;

  async function tick(): Promise<void> {
    const read = time.now();
    const elapsed = last === undefined ? null : Math.round(1000 * (read - last));
    // Whether a tick counts that nobody has answered is not known: then it begins anew.
    last = undefined;
    const result = await log.propose(
      { kind: 'tick', elapsed },
      { withinMilliseconds: Math.max(10 * every, 1000) },
    );
    if (result.kind !== 'time') throw new Error(`a tick was answered with "${result.kind}"`);
    last = read;
  }

  async function run(): Promise<void> {
    while (!isOver) {
      const told = tick().catch((error: unknown) => isOver || onFailure(error));
      await Promise.race([told, ended]);
      if (!isOver) await time.sleep(every, ended);
    }
  }

  const running = run();
  return {
    stop() {
      isOver = true;
      end();
      return running;
    },
  };
}
