/** Why nothing was heard of a node on another machine, in words that say where to look. */
import type { DialFault, InquiryFault } from '@quorumlab/node';

/**
 * One word for why a node elsewhere tells nothing: {@link DialFault}, or `wrong-cluster`: it has
 * another `cluster.json`; `no-answer`: it is connected and silent; `not-connected`: it has to
 * connect to the node that asked, and has not; `not-asked`: nobody here has a key to ask with.
 */
export type RemoteFault =
  | DialFault
  | 'wrong-cluster'
  | 'no-answer'
  | 'too-often'
  | 'not-connected'
  | 'not-asked';

/** Host and port of a multiaddr, as people write them. */
export function placeOf(address: string): { readonly host: string; readonly port: number } {
  const [, , host = '', , port = ''] = address.split('/');
  return { host, port: Number(port) };
}

/** `asker` names who was turned away: `n0`, `client 65536`. */
export function faultSentence(fault: RemoteFault, address: string, asker: string): string {
  const { host, port } = placeOf(address);
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  switch (fault) {
    case 'refused':
      return `nobody listens at ${place}: the node is down, or listens elsewhere`;
    case 'timed-out':
      return `nothing comes back from ${place}: the machine is down, or a firewall is between`;
    case 'unreachable':
      return `the network has no way to ${place}`;
    case 'unknown-name':
      return `the name ${host} has no address`;
    case 'no-handshake':
      return `${place} is open and does not answer: its process was stopped, or hangs`;
    case 'wrong-key':
      return `another key answers at ${place} than cluster.json names: another node or cluster`;
    case 'turned-away':
      return `${place} ends the connection of ${asker}: its log says why`;
    case 'wrong-cluster':
      return `the node at ${place} has another cluster.json`;
    case 'no-answer':
      return `${place} is connected and does not answer: its process was stopped, or hangs`;
    case 'not-connected':
      return (
        `${place} is open, and its node has not connected to ${asker}: it has just started, ` +
        'hangs, or has another cluster.json'
      );
    case 'too-often':
      return `${place} is asked too often; ask again in a second`;
    case 'not-asked':
      return (
        `${place} is open; to ask the node takes a client's key, or a running node, of this ` +
        'cluster in this folder'
      );
  }
}

/** The fault of a question over a channel that stood. */
export const faultOfInquiry = (fault: InquiryFault): RemoteFault =>
  fault === 'too-often' || fault === 'not-connected' ? fault : 'no-answer';
