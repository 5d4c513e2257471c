import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Bytes of an Ed25519 secret seed and of a public key (RFC 8032, section 5.1). */
export const KEY_BYTES = 32;

/** The fixed start of a PKCS #8 private key for Ed25519 (RFC 8410, section 7); the seed follows. */
const PKCS8_PREFIX: Uint8Array = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key file has 64 digits and an end of line; anything much longer is something else. */
const MAX_KEY_FILE_BYTES = 256;

/** Why a key file was refused. */
export type KeyFileFault = 'missing' | 'exists' | 'permissions' | 'owner' | 'format' | 'input';

/** A key file cannot be used; the message says what to do about it. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  /** The file in question. */
  readonly path: string;
  /** The kind of fault, for programs. */
  readonly fault: KeyFileFault;

  constructor(path: string, fault: KeyFileFault, sentence: string) {
    super(sentence);
    this.path = path;
    this.fault = fault;
  }
}

/** A fresh Ed25519 seed from the operating system's random source. */
export function generateSeed(): Uint8Array {
  return Uint8Array.from(randomBytes(KEY_BYTES));
}

/** The Ed25519 public key of a 32-byte secret seed. Throws RangeError for another length. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  if (seed.byteLength !== KEY_BYTES) {
    throw new RangeError(
      `An Ed25519 seed has ${KEY_BYTES} bytes, not ${seed.byteLength}; pass the raw seed.`,
    );
  }
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const secretKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const spki = createPublicKey(secretKey).export({ format: 'der', type: 'spki' });
  // The public key is the last field of its DER form. A copy, because libp2p in browsers reads
  // the whole buffer behind a view.
  return Uint8Array.from(spki.subarray(spki.byteLength - KEY_BYTES));
}

/**
 * Creates a key file: the seed as 64 lower-case hex digits and an end of line, mode 0600, synced
 * to the disk. Throws {@link KeyFileError} if anything exists at the path, which stays untouched.
 */
export async function writeKeyFile(path: string, seed: Uint8Array): Promise<void> {
  if (seed.byteLength !== KEY_BYTES) {
    const sentence = `The seed for ${path} has ${seed.byteLength} bytes; give ${KEY_BYTES}.`;
    throw new KeyFileError(path, 'input', sentence);
  }
  // A mode given for a file that exists would not change its mode, hence wx.
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
    const sentence = `${path} exists and was left as it is; move it away to write a new key.`;
    throw new KeyFileError(path, 'exists', sentence);
  });
  try {
    await file.chmod(0o600);
    await file.writeFile(`${Buffer.from(seed).toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Reads a key file written by {@link writeKeyFile}. Throws {@link KeyFileError} if the file is
 * missing, readable or writable by group or others, owned by another user, or not a key. On
 * Windows, which has no such modes, only the content is checked.
 */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  // A pipe is opened without waiting for whoever writes into it, and refused below.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(
    (error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
      const sentence = `There is no key file at ${path}; create one or correct the path.`;
      throw new KeyFileError(path, 'missing', sentence);
    },
  );
  try {
    await checkAccess(path, file);
    return parseKey(path, await readText(file));
  } finally {
    await file.close();
  }
}

/** Checks the open file, not the path, so the file cannot be exchanged in between. */
async function checkAccess(path: string, file: FileHandle): Promise<void> {
  const stat = await file.stat();
  if (!stat.isFile()) {
    throw new KeyFileError(path, 'format', `${path} is not a file; give the path of a key file.`);
  }
  if (process.getuid === undefined) return;
  if ((stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
    const sentence =
      `${path} has mode ${mode}, so others can reach the secret key; ` + `run: chmod 600 ${path}`;
    throw new KeyFileError(path, 'permissions', sentence);
  }
  if (stat.uid !== process.getuid()) {
    const self = process.getuid();
    const sentence =
      `${path} belongs to user ${stat.uid} and this process runs as user ${self}; ` +
      `run: chown ${self} ${path}`;
    throw new KeyFileError(path, 'owner', sentence);
  }
}

async function readText(file: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(MAX_KEY_FILE_BYTES);
  const { bytesRead } = await file.read(buffer, 0, MAX_KEY_FILE_BYTES, 0);
  const text = buffer.toString('latin1', 0, bytesRead);
  buffer.fill(0);
  return text;
}

function parseKey(path: string, text: string): Uint8Array {
  const match = /^([0-9a-f]{64})\r?\n?$/.exec(text);
  if (match?.[1] === undefined) {
    // The content is not quoted: it may well be most of a secret.
    const sentence =
      `${path} does not hold one line of 64 lower-case hex digits; ` +
      'restore the key file from a copy.';
    throw new KeyFileError(path, 'format', sentence);
  }
  return Uint8Array.from(Buffer.from(match[1], 'hex'));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
