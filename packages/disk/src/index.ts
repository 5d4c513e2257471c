export { type Cell, type Cells, openCells, type Placed } from './cells.ts';
export { crc32c } from './crc32c.ts';
export { type Disk, openDisk } from './disk.ts';
export type { DiskLog, DiskOptions, Live } from './disk-options.ts';
export {
  DamagedLogError,
  DiskFailedError,
  DiskFullError,
  FolderLockedError,
  GroupOpenError,
  LogClosedError,
  LogLimitError,
  LogLimitsError,
  MissingLogError,
  NoRoomError,
  UnknownFormatError,
  UnsafePathError,
  WrongOwnerError,
} from './errors.ts';
export { type Files, nodeFiles, type OpenFile, type PathKind } from './files.ts';
export { lockFolder } from './lock.ts';
export { openLog } from './log.ts';
export {
  type GroupLogOptions,
  openSharedLog,
  type SharedLog,
  type SharedLogOptions,
} from './shared-log.ts';
export { openSqliteLog } from './sqlite.ts';
export { DiskFieldsError, DiskRecordError } from './stored.ts';
export { defaultLimits, type LogOptions, type OpenLog, type RecordLog } from './types.ts';
