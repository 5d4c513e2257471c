/**
 * @packageDocumentation
 * A replica, or a client, as a libp2p process: keys, logging, a mesh of authenticated peers, and
 * the host loop that runs a machine over it and over a disk.
 */

export { type ClientNodeOptions, connectClient, type RunningClient } from './client.ts';
export {
  connectGroups,
  type GroupsClientOptions,
  type RunningGroupsClient,
} from './client-groups.ts';
export type { ClockBound, ClockSource } from './clock-bound.ts';
export {
  type ClusterIdentity,
  type ClusterProtocol,
  type MemberIdentity,
  NodeConfigError,
  publicKeysOf,
} from './cluster-identity.ts';
export type { DialFault } from './dial-fault.ts';
export { fastCrypto, fastDigestHash } from './fast-crypto.ts';
export { decodeAbout, encodeAbout } from './gate.ts';
export { type Host, type HostOptions, openHost } from './host.ts';
export { defaultHostLimits, type HostLimits } from './host-limits.ts';
export { InquiryError, type InquiryFault, MAX_ANSWER_BYTES } from './inquiry.ts';
export type { FrameRefusal } from './intake.ts';
export { certificateKeyOf, type Signatures } from './keyring.ts';
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
export {
  createLogger,
  type Logger,
  type LoggingOptions,
  type NodeName,
  nodeLogger,
} from './logging.ts';
export { startMesh } from './mesh.ts';
export { MeshConfigError, type MeshOptions } from './mesh-options.ts';
export { type Mesh, type MeshStats, MeshStoppedError } from './mesh-port.ts';
export type { GroupOptions, NodeHooks, NodeOptions } from './node-options.ts';
export type { PeerAccount, PeerHoldings, PeerUse, WorkKind } from './peer-account.ts';
export { PeerAccounts } from './peer-account.ts';
export { FIRST_CLIENT, isClient, type Principal } from './principal.ts';
export { rawCodec } from './raw-codec.ts';
export type { RunnerCounters, RunnerHooks } from './runner-options.ts';
export type { NodeStatus, RunningNode } from './running-node.ts';
export { startNode } from './start-node.ts';
export { peerIdOf } from './transport.ts';
export type { WorkLimits } from './work.ts';
