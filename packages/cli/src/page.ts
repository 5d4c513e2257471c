/** The page of `quorumlab play`: how it is found, served and opened. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { usageError } from './errors.ts';

/** Where the build puts the page, and the script of reports, beside the published code. */
const published = new URL('./page.html', import.meta.url);
const publishedScript = new URL('./report.js', import.meta.url);

/** The text of the page: made from sources where this runs from sources, else as published. */
export async function playgroundPage(): Promise<string> {
  if (import.meta.url.endsWith('.ts')) {
    const { buildPage } = await import('@quorumlab/playground');
    return buildPage();
  }
  return asPublished(published, 'the page');
}

let viewer: Promise<string> | undefined;

/** The script that makes a report live: made from sources, once, or as published. */
export const reportViewer = (): Promise<string> =>
  (viewer ??= import.meta.url.endsWith('.ts')
    ? import('@quorumlab/playground').then(({ buildReportScript }) => buildReportScript())
    : Promise.resolve().then(() => asPublished(publishedScript, 'the viewer of reports')));

function asPublished(file: URL, what: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8');
  throw usageError(
    'QL108',
    `${what} is not at ${fileURLToPath(file)}; install quorumlab again, or use ` +
      'npm run build in its sources.',
  );
}

/** A page that is served until it is disposed of. */
export interface Served extends AsyncDisposable {
  /** `http://127.0.0.1:4000/` */
  readonly address: string;
}

/**
 * Serves a page to this machine alone, at `port` or at any free one. A trace is put into it, to be
 * shown at `#/trace`. Throws an `Exit` (QL108) if the port is taken.
 */
export async function serve(page: string, port = 0, trace?: string): Promise<Served> {
  const text = trace === undefined ? page : withTrace(page, trace);
  // Taken by its name: an import of it takes 40 ms of every command (decision 184).
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer(({ method, url = '', headers }, response) => {
    // A page of elsewhere that has a name for this address is not answered.
    const isHere = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '');
    const isPage = isHere && /^\/(index\.html)?(\?.*)?$/.test(url);
    const isRead = method === 'GET' || method === 'HEAD';
    const type = isPage && isRead ? 'text/html' : 'text/plain';
    const status = isRead ? (isPage ? 200 : 404) : 405;
    response.writeHead(status, {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(status === 200 ? text : 'There is one page here, at /.\n');
  });
  await listening(server, port);
  const { port: taken } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${taken}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ message }) =>
      reject(
        usageError('QL108', `the page cannot be served at port ${port}: ${message}; use --port 0.`),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
}

/** The page with a trace inside, which nothing in the trace can leave. */
const withTrace = (page: string, trace: string): string =>
  page.replace('</html>', () => {
    const inside = trace.replaceAll('<', '\\u003c');
    return `<script type="text/plain" id="given-trace">${inside}</script></html>`;
  });

/** Asks the desktop to open an address; where there is none, nothing happens. */
export function openInBrowser(address: string): void {
  const program = { darwin: 'open', win32: 'explorer' }[process.platform as 'darwin'] ?? 'xdg-open';
  const child = spawn(program, [address], { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
}
