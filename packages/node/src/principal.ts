/** Someone the cluster knows: a replica (its index 0 to n-1) or a client (65,536 and above). */
export interface Principal {
  /** The number by which protocols know it. */
  readonly id: number;
  /** Its Ed25519 public key, 32 bytes: on the channel and, in signed protocols, on messages. */
  readonly publicKey: Uint8Array;
  /** Where to dial a replica: a multiaddr such as `/ip4/10.0.0.7/tcp/4001`; clients have none. */
  readonly address?: string;
}

/** Numbers from here on name clients; replicas are 0 to n-1. */
export const FIRST_CLIENT = 65_536;

/** Whether a principal's number names a client. */
export function isClient(id: number): boolean {
  return id >= FIRST_CLIENT;
}
