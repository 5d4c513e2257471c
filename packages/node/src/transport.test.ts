import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { expect, test } from 'vitest';
import { publicKeyOf } from './keys.ts';
import { peerIdOf, privateKeyOf } from './transport.ts';

test('a key of a seed is the one that libp2p makes of it, and no other', async () => {
  for (const first of [0, 7, 255]) {
    const seed = Uint8Array.from({ length: 32 }, (_, i) => (first + 3 * i) % 256);
    const theirs = await generateKeyPairFromSeed('Ed25519', seed);
    const ours = privateKeyOf(seed);
    expect(ours.equals(theirs)).toBe(true);
    expect(ours.publicKey.equals(theirs.publicKey)).toBe(true);
    expect(peerIdOf(publicKeyOf(seed)).publicKey?.equals(ours.publicKey)).toBe(true);
    const said = Uint8Array.of(1, 2, 3);
    expect(await theirs.publicKey.verify(said, await ours.sign(said))).toBe(true);
  }
});
