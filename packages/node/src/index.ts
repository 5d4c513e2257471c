/**
 * @packageDocumentation
 * A replica as a libp2p process. This half is the transport: keys, logging and a mesh of
 * authenticated peers that exchange frames.
 */
export { fastCrypto } from './fast-crypto.ts';
export {
  generateSeed,
  KEY_BYTES,
  KeyFileError,
  type KeyFileFault,
  publicKeyOf,
  readKeyFile,
  writeKeyFile,
} from './keys.ts';
export { DEFAULT_LIMITS, type MeshLimits } from './limits.ts';
export { createLogger, type Logger, type LoggingOptions, nodeLogger } from './logging.ts';
export {
  type Mesh,
  MeshConfigError,
  type MeshOptions,
  type MeshStats,
  MeshStoppedError,
  startMesh,
} from './mesh.ts';
export { FIRST_CLIENT, isClient, type Principal } from './principal.ts';
