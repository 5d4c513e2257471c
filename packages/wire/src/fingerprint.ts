import type { PrincipalId } from '@quorumlab/core';

/**
 * Remembers what each serial number signed in eight bytes. Two lanes of 32 bits tell statements
 * apart against chance (2^-64), not against somebody who computes collisions: the ideal keyring's
 * adversary is a program in the simulator, not a cryptographer.
 */
export interface FingerprintTable {
  set(serial: number, realm: number, from: PrincipalId, kind: string, body: Uint8Array): void;
  has(serial: number, realm: number, from: PrincipalId, kind: string, body: Uint8Array): boolean;
}

/** An empty {@link FingerprintTable}. It grows with the highest serial. */
export function fingerprints(): FingerprintTable {
  let lanes = new Uint32Array(0);
  let count = 0;
  let low = 0;
  let high = 0;

  function word(value: number): void {
    low = Math.imul(low ^ value, 0x85ebca6b);
    high = Math.imul(high ^ value, 0xc2b2ae35);
    low ^= low >>> 15;
    high ^= high >>> 13;
  }

  function fold(realm: number, from: PrincipalId, kind: string, body: Uint8Array): void {
    low = 0x9e3779b9;
    high = 0x7f4a7c15;
    word(realm);
    word(from | 0);
    word(Math.floor(from / 0x100000000));
    word(kind.length);
    for (let i = 0; i < kind.length; i++) word(kind.charCodeAt(i));
    word(body.length);
    for (let i = 0; i < body.length; i++) word(body[i] as number);
  }

  return {
    set(serial, realm, from, kind, body) {
      if (2 * serial + 2 > lanes.length) {
        const grown = new Uint32Array(Math.max(1024, 4 * serial + 4));
        grown.set(lanes);
        lanes = grown;
      }
      fold(realm, from, kind, body);
      lanes[2 * serial] = low;
      lanes[2 * serial + 1] = high;
      count = Math.max(count, serial + 1);
    },
    has(serial, realm, from, kind, body) {
      if (!(serial >= 0 && serial < count)) return false;
      fold(realm, from, kind, body);
      return lanes[2 * serial] === low >>> 0 && lanes[2 * serial + 1] === high >>> 0;
    },
  };
}
