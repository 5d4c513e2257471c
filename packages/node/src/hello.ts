/**
 * The first frame in each direction of a stream. Who the peer is was proven by Noise; the hello
 * shows that both sides agree on the numbering and the frame format, and the answer to it is what
 * tells a dialler that it was admitted (libp2p's own dial succeeds even where it is refused).
 */
export interface Hello {
  /** The principal that sends the hello. */
  readonly from: number;
  /** The principal it believes it talks to. */
  readonly to: number;
  /** The largest frame the sender accepts. */
  readonly maxFrameBytes: number;
}

/** Tag and version, chosen so that no other protocol starts like this. */
const TAG: readonly number[] = [0x51, 0x4c, 0x4d, 0x01];

/** Bytes of a hello. */
export const HELLO_BYTES = 16;

/** Encodes a hello: tag, from, to and cap, each four bytes, big endian. */
export function encodeHello(hello: Hello): Uint8Array {
  const bytes = new Uint8Array(HELLO_BYTES);
  bytes.set(TAG);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, hello.from);
  view.setUint32(8, hello.to);
  view.setUint32(12, hello.maxFrameBytes);
  return bytes;
}

/** Decodes a hello; undefined for anything that is not exactly one. */
export function decodeHello(bytes: Uint8Array): Hello | undefined {
  if (bytes.byteLength !== HELLO_BYTES) return undefined;
  if (TAG.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { from: view.getUint32(4), to: view.getUint32(8), maxFrameBytes: view.getUint32(12) };
}
