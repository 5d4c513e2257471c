/**
 * Cheaper habits for the channel. libp2p writes each part of a frame to the socket by itself, and
 * makes an error object for each time it finds nothing more to read; on small frames this costs
 * more than everything else together. What is done here changes no byte on the wire but the number
 * of window updates, and every part of it is left out where libp2p does not look as expected.
 */
import type { Socket } from 'node:net';
import type { ConnectionEncrypter, Stream } from '@libp2p/interface';

/** Makes an encrypter, as libp2p's options want it. */
type MakeEncrypter<C> = (components: C) => ConnectionEncrypter;

/** The same encrypter, for connections whose writes and reads are batched. */
export const quickened =
  <C>(make: MakeEncrypter<C>): MakeEncrypter<C> =>
  (components) => {
    const encrypter = make(components);
    const { secureInbound, secureOutbound } = encrypter;
    encrypter.secureInbound = async (connection, options) => {
      gatherWrites(connection);
      const secured = await secureInbound.call(encrypter, connection, options);
      readQuietly(secured.connection);
      return secured;
    };
    encrypter.secureOutbound = async (connection, options) => {
      gatherWrites(connection);
      const secured = await secureOutbound.call(encrypter, connection, options);
      readQuietly(secured.connection);
      return secured;
    };
    return encrypter;
  };

const hasSocket = (connection: object): connection is { readonly socket: Socket } =>
  'socket' in connection &&
  typeof connection.socket === 'object' &&
  connection.socket !== null &&
  'cork' in connection.socket;

/** Everything that is written to a socket in one go of the event loop leaves in one system call. */
function gatherWrites(connection: object): void {
  if (!hasSocket(connection)) return;
  const { socket } = connection;
  const write = socket.write;
  let corked = false;
  const uncork = (): void => {
    corked = false;
    socket.uncork();
  };
  socket.write = function (this: Socket, ...chunk: Parameters<Socket['write']>): boolean {
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(uncork);
    }
    return Reflect.apply(write, this, chunk);
  } as Socket['write'];
}

interface LengthReader {
  lengthDecoder: (data: { readonly length: number }) => number;
}

const isReader = (decoder: unknown): decoder is LengthReader =>
  typeof decoder === 'object' &&
  decoder !== null &&
  'lengthDecoder' in decoder &&
  typeof decoder.lengthDecoder === 'function';

/** More than any buffer of fewer than two bytes can hold, so the decoder waits for more. */
const moreThanIsThere = 65_535;

/** Has the decoder wait without throwing when less than a whole length is there. */
function readQuietly(connection: object): void {
  if (!('decoder' in connection) || !isReader(connection.decoder)) return;
  const { decoder } = connection;
  const read = decoder.lengthDecoder;
  decoder.lengthDecoder = (data) => (data.length < 2 ? moreThanIsThere : read(data));
}

interface Windowed {
  state: unknown;
  recvWindow: number;
  recvWindowCapacity: number;
  sendWindowUpdate(): void;
}

const isWindowed = (stream: object): stream is Windowed =>
  'recvWindow' in stream &&
  typeof stream.recvWindow === 'number' &&
  'recvWindowCapacity' in stream &&
  typeof stream.recvWindowCapacity === 'number' &&
  'sendWindowUpdate' in stream &&
  typeof stream.sendWindowUpdate === 'function';

/**
 * Tells the sender that it may send more when half of the window is used, and not after every
 * frame: yamux would answer each frame with one of its own. Only for streams that are established,
 * since the first updates also carry the handshake.
 */
export function updateWindowRarely(stream: Stream): void {
  const one: object = stream;
  if (!isWindowed(one)) return;
  const update = one.sendWindowUpdate;
  one.sendWindowUpdate = () => {
    // Above half the window nobody waits for an update.
    if (one.recvWindowCapacity * 2 > one.recvWindow) return;
    update.call(one);
  };
}
