/**
 * Suites for protocols and disks of your own. Needs Node: `testDisk` writes folders. The suite for
 * protocols alone also runs in a browser, from the package's main entry.
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
export {
  ConformanceError,
  type ProtocolCase,
  type ProtocolSuiteOptions,
  testProtocol,
} from './conformance/protocol-suite.ts';
export { type EntryParts, type ProtocolEntry, protocolEntry } from './registry.ts';
