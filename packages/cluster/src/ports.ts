import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { ClusterError } from './errors.ts';

/** Ports are drawn from here: below those that systems give to outgoing connections. */
const drawn = { from: 10_240, to: 32_000 };

/** Ports that are tried before giving up. */
const tries = 1000;

/**
 * `count` different TCP ports on `host` on which nobody listens now. Somebody may take one before
 * it is used; a node that finds its port taken says so and does not start.
 */
export async function freePorts(host: string, count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  for (let i = 0; found.size < count; i++) {
    if (i >= tries)
      throw new ClusterError(`No ${count} free ports on ${host}; name some with --port.`);
    const port = randomInt(drawn.from, drawn.to);
    if (!found.has(port) && (await isFree(host, port))) found.add(port);
  }
  return [...found];
}

const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
