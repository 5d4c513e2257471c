/** The receiving process of `frames.ts`: counts frames of a mesh and of a raw TCP connection. */
import { createServer } from 'node:net';
import { createLogger, publicKeyOf, startMesh } from '@quorumlab/node';

/** What the sender says first. Keys in hexadecimal digits; the receiver is principal 1. */
export interface Start {
  readonly secretKey: string;
  readonly publicKeys: readonly string[];
  readonly addresses: readonly [string, string];
}

/** What the receiver answers. */
export interface Ready {
  readonly tcpPort: number;
}

const bytesOf = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'));

let left = 0;

function count(): void {
  left--;
  if (left === 0) process.send?.('all');
}

/** Frames with a length of four bytes before each; what is incomplete waits for the next piece. */
function reading(): (data: Uint8Array) => void {
  let rest = new Uint8Array(0);
  return (data) => {
    const all = rest.length === 0 ? data : Buffer.concat([rest, data]);
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    let at = 0;
    while (at + 4 <= all.length) {
      const end = at + 4 + view.getUint32(at);
      if (end > all.length) break;
      count();
      at = end;
    }
    rest = all.slice(at);
  };
}

async function start({ secretKey, publicKeys, addresses }: Start): Promise<void> {
  const seed = bytesOf(secretKey);
  await startMesh({
    secretKey: seed,
    self: 1,
    listen: addresses[1],
    principals: [
      { id: 0, publicKey: bytesOf(publicKeys[0] as string), address: addresses[0] },
      { id: 1, publicKey: publicKeyOf(seed), address: addresses[1] },
    ],
    maxFrameBytes: 1 << 20,
    onFrame: count,
    logger: createLogger({ level: 'silent' }),
  });
  const server = createServer((socket) => {
    socket.on('data', reading());
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    const tcpPort = address !== null && typeof address === 'object' ? address.port : 0;
    process.send?.({ tcpPort } satisfies Ready);
  });
}

process.on('message', (message: Start | { readonly count: number }) => {
  if ('count' in message) left = message.count;
  else void start(message);
});
process.on('disconnect', () => process.exit());
