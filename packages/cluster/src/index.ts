/**
 * Clusters of real processes on this machine: make, start, use, attack, compare, stop; and the demo
 * of one liar among real processes.
 *
 * @packageDocumentation
 */

export { type CertificateKind, certificateKinds } from './certificates.ts';
export { type ClusterEvidence, clusterEvidence } from './cluster-evidence.ts';
export {
  type ClusterConfig,
  type ClusterMember,
  type ClusterPrincipal,
  clusterSchema,
  defaultFolder,
  readConfig,
} from './config.ts';
export { type ClusterClient, type ConnectOptions, connectCluster } from './connect.ts';
export { connectShards, type ShardClient } from './connect-shards.ts';
export { ClusterSilentError } from './control-client.ts';
export { type DemoOptions, demoReal, type RealDemo, type RealRun } from './demo.ts';
export { ClusterError, ClusterNodeError, LostDiskError } from './errors.ts';
export { type ProvenRow, proofGroup } from './evidence.ts';
export { faultNode } from './fault.ts';
export { type InitOptions, initCluster } from './init.ts';
export { newKeyFile, type PublicKey, peerNameOf, showKeyFile } from './keys.ts';
export {
  type AddOptions,
  type AddResult,
  addMember,
  changeMember,
  type MembershipOptions,
  type MembershipResult,
  removeMember,
  transferLead,
} from './membership.ts';
export type { NodeState } from './node-state.ts';
export { type ClusterOperation, parseOperation } from './operation.ts';
export type { RemoteFault } from './remote-fault.ts';
export type { LoggedRequest, LoggedSlot, NodeReport, UseReport } from './reports.ts';
export { type RunNodeOptions, type RunningClusterNode, runNode } from './run-node.ts';
export {
  type ClusterStatus,
  clusterStatus,
  type Disagreement,
  nodeLog,
} from './status.ts';
export type { StatusRow } from './status-row.ts';
export {
  type SubmitOptions,
  type SubmitResult,
  type SubmitRow,
  submit,
} from './submit.ts';
export {
  type DownOptions,
  type DownRow,
  downCluster,
  type UpOptions,
  type UpResult,
  upCluster,
} from './up.ts';
