/** Why a peer could not be reached, told from the errors of sockets, Noise and libp2p. */

/**
 * `refused`: nobody listens there. `timed-out`: nothing came back. `unreachable`: the network has
 * no way there. `unknown-name`: its name has no address. `no-handshake`: somebody listens and does
 * not answer, as a stopped process does. `wrong-key`: another key answers than the configured one.
 * `turned-away`: the key is right, and it ended the connection: it does not know this one's key,
 * keeps it out for a while, or is of another version.
 */
export type DialFault =
  | 'refused'
  | 'timed-out'
  | 'unreachable'
  | 'unknown-name'
  | 'no-handshake'
  | 'wrong-key'
  | 'turned-away';

const byCode: Readonly<Record<string, DialFault>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timed-out',
  ENOTFOUND: 'unknown-name',
  EAI_AGAIN: 'unknown-name',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EHOSTDOWN: 'unreachable',
};

/** The fault behind an error of a dial. */
export function dialFaultOf(error: unknown): DialFault {
  if (!(error instanceof Error)) return 'turned-away';
  const { name, message } = error;
  const known = 'code' in error && typeof error.code === 'string' ? byCode[error.code] : undefined;
  if (known !== undefined) return known;
  const isLate = /timeout|timed out/i.test(message) || name === 'TimeoutError';
  if (name === 'EncryptionFailedError') {
    if (/does not match/.test(message)) return 'wrong-key';
    return isLate ? 'no-handshake' : 'turned-away';
  }
  return isLate ? 'timed-out' : 'turned-away';
}
