/** Where nodes are: IP addresses and names, and the ports on them. */
import { isIP } from 'node:net';
import { range } from '@quorumlab/core';
import { ClusterError } from './errors.ts';
import { freePorts } from './ports.ts';

/** A name of the domain name system: labels of letters, digits and hyphens. */
const namePattern =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** One host for each of `n` nodes. Throws {@link ClusterError} for anything that is none. */
export function requireHosts(hosts: readonly string[], n: number): readonly string[] {
  // What is made of digits and dots alone is meant as an address.
  for (const host of hosts)
    if (isIP(host) === 0 && (!namePattern.test(host) || /^[\d.]+$/.test(host)))
      throw new ClusterError(
        `"${host}" is no IP address and no name of a machine; write e.g. 127.0.0.1, ::1 or ` +
          'node1.example.org.',
      );
  if (hosts.length === 1) return range(n).map(() => hosts[0] as string);
  if (hosts.length === n) return hosts;
  throw new ClusterError(
    `${hosts.length} hosts for ${n} nodes: name one for all of them, or one for each.`,
  );
}

/** The multiaddr of a port on a host. */
export function addressOf(host: string, port: number): string {
  const family = isIP(host);
  return `/${family === 0 ? 'dns' : `ip${family}`}/${host}/tcp/${port}`;
}

/**
 * A port for each host: from `base` up, one above the other where several nodes are on one host;
 * free ones for base 0, if all are on one address of this machine.
 */
export async function portsOf(hosts: readonly string[], base: number): Promise<readonly number[]> {
  const [first = ''] = hosts;
  if (base !== 0) {
    const ports = hosts.map(
      (host, i) => base + hosts.slice(0, i).filter((other) => other === host).length,
    );
    const highest = Math.max(...ports);
    if (base >= 1024 && highest <= 65_535) return ports;
    throw new ClusterError(`Ports ${base} to ${highest}: use 1024 to 65535, or 0.`);
  }
  if (hosts.every((host) => host === first) && (isIP(first) !== 0 || first === 'localhost'))
    return freePorts(first, hosts.length);
  throw new ClusterError(
    'Which ports are free on other machines cannot be seen from here: name one, e.g. --port 7000.',
  );
}

/**
 * Where a node listens that is reached at `address`, if it is not there: a name may stand for any
 * address of its machine. `listen` is an IP address of that machine, where somebody chose one.
 */
export function listenAddressOf(address: string, listen?: string): string | undefined {
  const [, kind, , , port] = address.split('/');
  if (listen === undefined) return kind === 'dns' ? `/ip4/0.0.0.0/tcp/${port}` : undefined;
  if (isIP(listen) === 0)
    throw new ClusterError(`"${listen}" is no IP address to listen on; write e.g. 0.0.0.0 or ::.`);
  return `/ip${isIP(listen)}/${listen}/tcp/${port}`;
}
