export { type CrashImage, crashImages } from './crash-images.ts';
export { type DiskCase, type DiskFields, type TestMedium, testDisk } from './disk-suite.ts';
export {
  type DiskFault,
  type DiskImage,
  type FaultyFiles,
  type FileOperation,
  faultyFiles,
} from './memory-files.ts';
export { type RecordLogCase, testRecordLog } from './record-log-suite.ts';
export { folderMedium, type MemoryMediumOptions, memoryMedium } from './test-media.ts';
