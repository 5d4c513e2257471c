/** Signing and verifying with each keyring, beside bare loops of node:crypto. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { fastCrypto } from '@quorumlab/node';
import {
  channelKeyring,
  type Domain,
  ed25519Keyring,
  type FastPath,
  idealAuthority,
  idealKeyring,
  type Keyring,
  publicKeyOf,
  signingBytes,
} from '@quorumlab/wire';
import { cpuRate, inTurns, type Part, type Row, sink } from './measure.ts';
import { type Sample, samples } from './samples.ts';

type Message = Sample['message'];

const secretKey = new Uint8Array(32).fill(7);
const publicKeys = new Map([[0, publicKeyOf(secretKey)]]);
const { messages, domain } = samples[0] as Sample;
const protocol = { messages };

const ed25519 = (fast?: FastPath): Keyring<Message> =>
  ed25519Keyring({
    domain: domain satisfies Domain,
    messages,
    protocol,
    self: 0,
    secretKey,
    publicKeys,
    // Nothing is remembered, so that every call computes.
    maxRemembered: 1,
    ...(fast === undefined ? {} : { fast }),
  });

let sequence = 0;
/** A vote that was never seen before. */
const fresh = (): Message =>
  ({ kind: 'commit', view: 3, sequence: sequence++, digest: 'ab'.repeat(32) }) as Message;

interface Bare {
  sign(): void;
  verify(): void;
}

/** What node:crypto does for one statement of the same size, keys imported once. */
function bare(): Bare {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const own = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const theirs = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }));
  const bytes = signingBytes(domain, 0, 'commit', new Uint8Array(40));
  const signature = sign(null, bytes, own);
  return {
    sign: () => void (sink.value = sign(null, bytes, own)),
    verify: () => void (sink.value = verify(null, bytes, theirs, signature)),
  };
}

/** All keyrings; each verifies 64 statements in turns, of which it remembers none. */
export const keys: Part = async ({ quick }) => {
  const seconds = quick ? 0.08 : 0.2;
  const loop = bare();
  const rings: Readonly<Record<string, () => Keyring<Message>>> = {
    'ed25519, node:crypto': () => ed25519(fastCrypto),
    'ed25519, portable': () => ed25519(),
    ideal: () => idealKeyring({ authority: idealAuthority(), messages, protocol, self: 0 }),
    channel: () => channelKeyring({ self: 0, faults: 'crash', knows: () => true }),
  };
  const rows: Row[] = [];
  for (const [name, make] of Object.entries(rings)) {
    const ring = make();
    const statements = Array.from({ length: 64 }, () => ring.sign(fresh()));
    const batch = name === 'ed25519, portable' ? 4 : 64;
    let next = 0;
    const found = await inTurns(quick ? 3 : 7, {
      sign: () => cpuRate(seconds, () => void (sink.value = ring.sign(fresh())), batch),
      bareSign: () => cpuRate(seconds, loop.sign, 64),
      verify: () =>
        cpuRate(
          seconds,
          () => {
            const statement = statements[next++ & 63];
            if (statement === undefined || !ring.check(statement)) throw new Error('refused');
          },
          batch,
        ),
      bareVerify: () => cpuRate(seconds, loop.verify, 64),
    });
    const row = (what: string, value: number, limit: string, bound: number): Row => ({
      part: 'keys',
      name: `${what}, ${name}`,
      value,
      unit: '/s',
      limit: { name: limit, value: bound },
      note: 'a PBFT vote, with its encoding; nothing remembered',
    });
    rows.push(row('sign', found.sign, 'bare node:crypto sign', found.bareSign));
    rows.push(row('verify', found.verify, 'bare node:crypto verify', found.bareVerify));
  }
  return rows;
};
