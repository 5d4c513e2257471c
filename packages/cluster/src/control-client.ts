/** Asks a node on its control channel. */
import { controlPath } from './control-path.ts';
import { ClusterError, codeOf } from './errors.ts';
import { http } from './http.ts';

/** A node does not answer on its control channel: its process is not there, or it hangs. */
export class ClusterSilentError extends ClusterError {
  override readonly name: string = 'ClusterSilentError';
}

/** Longest answer that is taken, in bytes. */
const maxAnswerBytes = 64 * 1024 * 1024;

/**
 * Asks the node in folder `home` the question `name`. Throws {@link ClusterSilentError} if nobody
 * answers, and {@link ClusterError} with the node's own sentence if it refuses.
 */
export async function askNode<T>(
  home: string,
  name: string,
  question: Readonly<Record<string, string>> = {},
  limitMs = 3000,
): Promise<T> {
  const { code, text } = await fetched(home, `/${name}?${new URLSearchParams(question)}`, limitMs);
  const answer: unknown = JSON.parse(text);
  if (code !== 200) {
    const { refused } = answer as { readonly refused?: string };
    throw new ClusterError(refused ?? `the node refused "${name}" (${code})`);
  }
  // Both ends are of one version: a cluster's processes are started from one installation.
  return answer as T;
}

/** As {@link askNode}, with nothing if nobody answers. */
export const tryAskNode = <T>(
  home: string,
  name: string,
  question?: Readonly<Record<string, string>>,
): Promise<T | undefined> =>
  askNode<T>(home, name, question).catch((error: unknown) => {
    if (error instanceof ClusterSilentError) return undefined;
    throw error;
  });

function fetched(
  home: string,
  path: string,
  limitMs: number,
): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const silent = (why: string): void =>
      reject(new ClusterSilentError(`Nobody answers for ${home} (${why}); is its process up?`));
    let socketPath: string;
    try {
      socketPath = controlPath(home);
    } catch (error) {
      return codeOf(error) === 'ENOENT' ? silent('no such folder') : reject(error);
    }
    const asking = http.request({ socketPath, path, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > maxAnswerBytes) asking.destroy(new Error('its answer does not end'));
        else parts.push(part);
      });
      answer.on('end', () =>
        resolve({ code: answer.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
      );
      answer.on('error', (error) => silent(error.message));
    });
    asking.setTimeout(limitMs, () => asking.destroy(new Error(`no answer in ${limitMs} ms`)));
    asking.on('error', (error) => silent(error.message));
    asking.end();
  });
}
