import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

/** A file of one JSON object a line, which begins anew when it has grown. */
export interface LogFile {
  write(line: string): void;
  close(): void;
}

/** A log file that is larger than this moves to `.1`, in place of the one before. */
const maxBytes = 32 * 1024 * 1024;

/**
 * Opens a log file to append to. Lines that cannot be written are lost: a full disk must stop the
 * replica by its durable log and not by its report.
 */
export function openLogFile(path: string, maxFileBytes: number = maxBytes): LogFile {
  let file = openSync(path, 'a', 0o600);
  let bytes = fstatSync(file).size;
  return {
    write(line) {
      try {
        if (bytes > maxFileBytes) {
          bytes = 0;
          renameSync(path, `${path}.1`);
          const old = file;
          // Its number is given to the next file that is opened, which may be a durable log.
          file = openSync(path, 'a', 0o600);
          closeSync(old);
        }
        bytes += writeSync(file, line);
      } catch {
        // See above.
      }
    },
    close: () => closeSync(file),
  };
}
