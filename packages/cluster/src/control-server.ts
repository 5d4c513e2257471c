/** A node's control channel: HTTP over a socket that only this user can reach. */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { sentenceOf } from './errors.ts';

/** Answers one question. Throws with the sentence to refuse it with. */
export type ControlHandler = (question: URLSearchParams) => unknown;

/** See {@link startControl}. */
export interface ControlServer {
  stop(): Promise<void>;
}

/** Longest question in bytes. */
const maxQuestionBytes = 4096;

/**
 * Answers questions on the socket `path` by their name. Who holds the node's folder may remove what
 * an earlier process has left at the path, and this does so.
 */
export async function startControl(
  path: string,
  handlers: Readonly<Record<string, ControlHandler>>,
): Promise<ControlServer> {
  rmSync(path, { force: true });
  const server = createServer({ maxHeaderSize: maxQuestionBytes }, (question, answer) =>
    reply(handlers, question, answer),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // The folder around it is 0700 already; this holds where it is not.
  chmodSync(path, 0o600);
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function reply(
  handlers: Readonly<Record<string, ControlHandler>>,
  question: IncomingMessage,
  answer: ServerResponse,
): void {
  const { pathname, searchParams } = new URL(question.url ?? '/', 'http://node');
  const name = pathname.slice(1);
  const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
  question.resume();
  const say = (code: number, value: unknown): void => {
    answer.writeHead(code, { 'content-type': 'application/json' });
    answer.end(`${JSON.stringify(value)}\n`);
  };
  if (handler === undefined) {
    say(404, { refused: `ask for one of ${Object.keys(handlers).join(', ')}` });
    return;
  }
  try {
    say(200, handler(searchParams) ?? {});
  } catch (error) {
    say(400, { refused: sentenceOf(error) });
  }
}
