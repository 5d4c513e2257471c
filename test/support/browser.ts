import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { noNodeModules } from '../../packages/playground/src/no-node-modules.ts';
import { findChromium } from './chromium.ts';

/** A page in Chromium in which an entry module is loaded. Dispose of it to end the browser. */
export type BrowserPage = AsyncDisposable &
  Readonly<{
    /**
     * Calls a function that the entry module exports, with arguments and a result that JSON can
     * carry. Rejects with what it throws, and with anything the page threw before.
     */
    call: (name: string, ...args: readonly unknown[]) => Promise<unknown>;
  }>;

// No sandbox: containers that run as root cannot have one; the page loads our own code only.
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const root = fileURLToPath(new URL('../..', import.meta.url));
const page = '<!doctype html><meta charset="utf-8"><script type="module" src="/entry.js"></script>';

/**
 * Bundles an entry module from the sources of the packages, as a user's bundler would for a page,
 * and returns the code of one ES module. Throws if the module needs a Node module.
 */
export async function bundleForBrowser(entry: string): Promise<string> {
  const result = await build({
    root,
    configFile: false,
    tsconfig: 'tsconfig.base.json',
    logLevel: 'silent',
    resolve: { conditions: ['source', 'module', 'browser'] },
    plugins: [noNodeModules],
    build: {
      write: false,
      minify: false,
      target: 'es2024',
      lib: { entry, formats: ['es'], fileName: 'entry' },
    },
  });
  const outputs = Array.isArray(result) ? result : [result];
  for (const output of outputs) {
    if (!('output' in output)) continue;
    for (const file of output.output) if (file.type === 'chunk' && file.isEntry) return file.code;
  }
  throw new Error(`vite made no module of ${entry}`);
}

/**
 * Opens a file in Chromium, as somebody does who was sent it, with scripts off if told. Dispose of
 * it to end the browser.
 * Throws if there is no Chromium: ask findChromium first.
 */
export async function openFile(
  path: string,
  size: { readonly width: number; readonly height: number },
  { scripts = true }: { readonly scripts?: boolean } = {},
): Promise<AsyncDisposable & { readonly page: Page; readonly errors: readonly string[] }> {
  return open(pathToFileURL(path).href, /^(file|blob|data):/, size, scripts);
}

/** Opens an address of this machine in Chromium, as {@link openFile} opens a file. */
export const openAddress = (address: string): ReturnType<typeof openFile> =>
  open(address, new RegExp(`^(blob|data):|^${address}$`), { width: 1440, height: 900 }, true);

/** Opens a page below an address of this machine, which may ask for all that is below it. */
export const openBelow = (address: string, page: string): ReturnType<typeof openFile> =>
  open(
    `${address}${page}`,
    new RegExp(`^(blob|data):|^${address}`),
    { width: 1440, height: 900 },
    true,
  );

async function open(
  address: string,
  mayAsk: RegExp,
  size: { readonly width: number; readonly height: number },
  scripts: boolean,
): ReturnType<typeof openFile> {
  await using stack = new AsyncDisposableStack();
  const browser = await startBrowser(stack, scripts);
  const page = await browser.newPage();
  await page.setViewportSize(size);
  const errors: string[] = [];
  page.on('pageerror', (error) => void errors.push(String(error)));
  page.on('console', (said) => {
    if (said.type() === 'error') errors.push(said.text());
  });
  page.on('request', (request) => {
    // The file itself, and the script of its workers.
    const url = request.url().replace(/#.*$/, '');
    if (!mayAsk.test(url) && url !== 'about:blank') errors.push(`it asked for ${url}`);
  });
  await page.goto(address, { waitUntil: 'load' });
  const owned = stack.move();
  return { page, errors, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A browser that ends, and whose profile goes, with `stack`. */
async function startBrowser(stack: AsyncDisposableStack, scripts = true): Promise<BrowserContext> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error('no Chromium was found: set CHROMIUM_PATH or install one');
  const profile = mkdtempSync(join(tmpdir(), 'quorumlab-chromium-'));
  stack.defer(() => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
  const browser = await launch(executablePath, profile, scripts);
  stack.defer(() => browser.close());
  return browser;
}

/**
 * Opens a page that has loaded the module at `entry` (a path), from 127.0.0.1 so that the page is a
 * secure context with WebCrypto. Throws if there is no Chromium: ask findChromium first.
 */
export async function openInBrowser(entry: string): Promise<BrowserPage> {
  await using stack = new AsyncDisposableStack();
  const server = await serve(await bundleForBrowser(entry));
  stack.defer(() => stop(server));
  const browser = await startBrowser(stack);
  const { port } = server.address() as AddressInfo;
  const call = await load(await browser.newPage(), `http://127.0.0.1:${port}/`);
  const owned = stack.move();
  return { call, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function launch(
  executablePath: string,
  profile: string,
  javaScriptEnabled: boolean,
): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    ...{ executablePath, javaScriptEnabled },
    headless: true,
    args: flags,
    timeout: 60_000,
  });
}

async function load(opened: Page, address: string): Promise<BrowserPage['call']> {
  const errors: Error[] = [];
  opened.on('pageerror', (error) => errors.push(error));
  await opened.goto(address, { waitUntil: 'load' });
  return async (name, ...args) => {
    // A string, not a function: the test runner would rewrite the import() inside a function.
    const result = await opened
      .evaluate(
        `import('/entry.js').then((m) => m[${JSON.stringify(name)}](...${JSON.stringify(args)}))`,
      )
      .catch((error: Error) => errors.push(error));
    if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('\n'));
    return result;
  };
}

function serve(module: string): Promise<Server> {
  const server = createServer((request, response) => {
    const isModule = request.url === '/entry.js';
    const known = isModule || request.url === '/';
    const type = isModule ? 'text/javascript' : 'text/html';
    response.writeHead(known ? 200 : 204, { 'content-type': `${type}; charset=utf-8` });
    response.end(known ? (isModule ? module : page) : undefined);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** Serves one page at a path of this machine, compressed as servers do, until it is disposed of. */
export async function servePage(
  text: string,
  path: string,
): Promise<AsyncDisposable & { readonly address: string }> {
  const zipped = gzipSync(text);
  const server = createServer((request, response) => {
    const isPage = request.url === path;
    response.writeHead(isPage ? 200 : 404, {
      'content-type': 'text/html; charset=utf-8',
      ...(isPage ? { 'content-encoding': 'gzip' } : {}),
    });
    response.end(isPage ? zipped : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}${path}`,
    [Symbol.asyncDispose]: () => stop(server),
  };
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Serves a folder below a path of this machine, as any server of files does. */
export async function serveFolder(
  folder: string,
  base: string,
): Promise<AsyncDisposable & { readonly address: string }> {
  const types: Readonly<Record<string, string>> = {
    '.html': 'text/html; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.png': 'image/png',
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const path = join(folder, decodeURIComponent(pathname).slice(base.length));
    const isThere = pathname.startsWith(base) && path.startsWith(folder) && existsSync(path);
    const type = types[extname(path)] ?? 'application/octet-stream';
    response.writeHead(isThere ? 200 : 404, isThere ? { 'content-type': type } : {});
    response.end(isThere ? readFileSync(path) : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}${base}`,
    [Symbol.asyncDispose]: () => stop(server),
  };
}
