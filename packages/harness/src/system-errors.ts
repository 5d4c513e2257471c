/** Errors of the operating system as sentences. */

/** What a system error means, and what to do about it. */
const meanings: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder; check the name',
  EACCES: 'you have no permission; use a folder of your own, or change its owner or mode',
  EPERM: 'this is not permitted; use a folder of your own, or change its owner or mode',
  EROFS: 'it is on a file system that is read-only; choose another place',
  ENOSPC: 'no space is left on the device; free some, or choose another place',
  EDQUOT: 'your quota is used up; free some space, or choose another place',
  EFBIG: 'it would be larger than the file system or a limit allows; choose another place',
  EISDIR: 'it is a folder; name a file in it',
  ENOTDIR: 'a part of this path is a file and no folder; check the path',
  EEXIST: 'it is there already and is no folder; choose another name',
  ENOTEMPTY: 'it is there already and is not empty; choose another name',
  ENAMETOOLONG: 'the name is too long for the file system; choose a shorter one',
  ELOOP: 'its links lead back to themselves; check where it points',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  ENFILE: 'too many files are open on this machine; close some programs',
  EBUSY: 'it is in use by another process; try again when that has ended',
  ETXTBSY: 'it is a program that is running; choose another name',
  EIO: 'the device reports an error; look at the disk',
  ENXIO: 'nobody is at the other end of it, or it is no file; name a file',
  EINVAL: 'it cannot be used as a file; name another one',
  EADDRINUSE: 'another process listens there; choose another port with --port',
  EADDRNOTAVAIL: 'this machine does not have that address; choose another one with --host',
  EPIPE: 'its reader has gone',
  ERR_INVALID_ARG_VALUE: 'such a name cannot exist; check it for characters that nobody sees',
  ERR_FS_FILE_TOO_LARGE: 'it is too large; name a smaller file',
  ERR_STRING_TOO_LONG: 'it is too large; name a smaller file',
};

/** See {@link isSystemError}. */
export interface SystemError extends Error {
  readonly code: string;
  readonly path?: string;
  readonly address?: string;
  readonly port?: number;
}

/** Whether the operating system, or Node in its place, has refused something. */
export const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  ('syscall' in error || meanings[error.code] !== undefined);

/** What a system error means, and what to do about it. */
export const meaningOf = ({ code, message }: SystemError): string => meanings[code] ?? message;

/** The sentence of an error of the operating system; nothing for errors of any other kind. */
export function systemSentence(error: unknown): string | undefined {
  // Without one, it was not the system that refused but Node a value of ours.
  if (!isSystemError(error) || !('syscall' in error)) return undefined;
  const place =
    error.path ?? (error.port === undefined ? undefined : `${error.address}:${error.port}`);
  return `${place ?? 'a file'} cannot be used: ${meaningOf(error)}.`;
}
