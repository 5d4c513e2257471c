/** Ctrl-C and requests to end: the first stops the work, so that what is known can be said. */
import { Exit, exitCodes } from './errors.ts';

/** Exit codes of a command that a signal has ended, as shells have them. */
const ends = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;

let underWay = 0;

/** Whether something is being done whose result is not out yet. */
export const isUnderWay = (): boolean => underWay > 0;

/**
 * Does work that a signal stops: `signal` is aborted then, with an {@link Exit} as its reason.
 * A second signal ends the process at once, and so does every signal after the work.
 */
export async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    const exit = ends[name as keyof typeof ends];
    if (stop.signal.aborted) process.exit(exit);
    stop.abort(new Exit(exit, 'QL129', `stopped by ${name}`));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  underWay++;
  try {
    return await work(stop.signal);
  } finally {
    underWay--;
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** The {@link Exit} of an aborted signal of {@link stoppable}, and what there is to say besides. */
export const stopped = ({ reason }: AbortSignal, what = ''): Exit =>
  reason instanceof Exit && what !== ''
    ? new Exit(reason.exit, reason.code, `${reason.message}: ${what}`)
    : (reason as Exit);

/** What a document says of a signal that ended its command; nothing if none did. */
export const stoppedBy = (stop: Exit | undefined): { readonly stopped?: string } =>
  stop === undefined ? {} : { stopped: stop.message };

/** What `promise` gives, or nothing as soon as `signal` is aborted. */
export function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}
