/**
 * Suites for protocols, hosts and disks of your own. Needs Node: `testDisk` writes folders. The
 * suite for protocols alone also runs in a browser, from the package's main entry.
 *
 * @packageDocumentation
 */
export {
  type DiskCase,
  type DiskFields,
  folderMedium,
  memoryMedium,
  type TestMedium,
  testDisk,
  testRecordLog,
} from '@quorumlab/disk/testing';
export { attacked, type Laboratory, type Reaction } from './attacked/attacked.ts';
export {
  type HostCase,
  type HostedGroup,
  type HostSetup,
  type MakeHost,
  testHost,
} from './conformance/host-suite.ts';
export {
  ConformanceError,
  type ProtocolCase,
  type ProtocolSuiteOptions,
  testProtocol,
} from './conformance/protocol-suite.ts';
export { type ProtocolEntry, protocolEntry } from './protocol-entry.ts';
