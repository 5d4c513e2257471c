/**
 * What stands for a trusted counter on hosts that have none: a file beside a node's data, which its
 * signer alone writes. A number is on the disk before anything is signed under it. It outlives the
 * data, and so a disk that is lost or set back without it; nothing protects it from whoever can
 * write to it, which a counter in hardware would be there for.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Digest } from '@quorumlab/core';
import { type TrustedCounter, textsRemembered, trustedCounter } from '@quorumlab/wire';

/** The counter in `file`, which is read when it is first asked: its folder is locked by then. */
export function counterFile(file: string): TrustedCounter {
  let opened: TrustedCounter | undefined;
  const counter = (): TrustedCounter => (opened ??= open(file));
  return {
    get last() {
      return counter().last;
    },
    take: (number, text) => counter().take(number, text),
  };
}

function open(file: string): TrustedCounter {
  const given = readGiven(file);
  // Written anew: without the tail of a write that a crash has cut off, and without what is old.
  const kept = given.slice(-textsRemembered);
  write(`${file}.new`, 'w', kept.map(lineOf).join(''));
  renameSync(`${file}.new`, file);
  syncFolder(dirname(file));
  return trustedCounter({
    given: kept,
    keep: (number, text) => write(file, 'a', lineOf([number, text])),
  });
}

type Given = readonly [number: number, text: Digest];

const lineOf = ([number, text]: Given): string => `${number} ${text}\n`;

/** What the file says, up to the last whole line. */
function readGiven(file: string): Given[] {
  let all: string;
  try {
    all = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return all
    .slice(0, all.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1)
    .map((line): Given => {
      const [, number, text] = /^(\d+) ([0-9a-f]{64})$/.exec(line) ?? [];
      if (number === undefined || text === undefined)
        throw new Error(
          `${file} is not the counter that this node has written; without it the node could sign ` +
            'two texts under one number. Bring back the file, or take the node out of its group.',
        );
      return [Number(number), text];
    });
}

function write(file: string, flags: 'a' | 'w', text: string): void {
  const handle = openSync(file, flags, 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return; // Folders cannot be opened there.
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
