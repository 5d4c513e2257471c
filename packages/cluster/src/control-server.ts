/** A node's control channel: HTTP over a socket that only this user can reach. */
import { chmodSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sentenceOf } from './errors.ts';
import { http } from './http.ts';

/**
 * Answers one question, now or by a promise. Throws or rejects with the sentence to refuse it with.
 */
export type ControlHandler = (question: URLSearchParams) => unknown;

/** See {@link startControl}. */
export interface ControlServer {
  stop(): Promise<void>;
}

/** Most tools that ask at once: each takes a file descriptor, which peers and disks need too. */
const maxTools = 64;
/** How long a tool may take to ask, in milliseconds. */
const askingMs = 5000;
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
  const limits = {
    maxHeaderSize: maxQuestionBytes,
    headersTimeout: askingMs,
    requestTimeout: askingMs,
    connectionsCheckingInterval: 1000,
  };
  const server = http.createServer(
    limits,
    (question, answer) =>
      // Never rejects.
      void reply(handlers, question, answer),
  );
  server.maxConnections = maxTools;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // A question that cannot be taken, for want of a file descriptor, costs whoever asks it.
  server.on('error', () => {});
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

async function reply(
  handlers: Readonly<Record<string, ControlHandler>>,
  question: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  question.resume();
  const { code, value } = await answerTo(handlers, question.url ?? '/');
  // Who asked may have gone meanwhile.
  if (answer.destroyed) return;
  answer.writeHead(code, { 'content-type': 'application/json' });
  answer.end(`${value}\n`);
}

/** The code and text of an answer. Never throws: an error here would end the node. */
async function answerTo(
  handlers: Readonly<Record<string, ControlHandler>>,
  url: string,
): Promise<{ readonly code: number; readonly value: string }> {
  try {
    const { pathname, searchParams } = new URL(url, 'http://node');
    const name = pathname.slice(1);
    const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
    if (handler !== undefined)
      return { code: 200, value: JSON.stringify((await handler(searchParams)) ?? {}) };
    const refused = `ask for one of ${Object.keys(handlers).join(', ')}`;
    return { code: 404, value: JSON.stringify({ refused }) };
  } catch (error) {
    return { code: 400, value: JSON.stringify({ refused: sentenceOf(error) }) };
  }
}
