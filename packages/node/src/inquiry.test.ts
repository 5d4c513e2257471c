import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { optionsOf, principals, seedOf, until } from '../test-support/cluster.ts';
import { MAX_ANSWER_BYTES } from './inquiry.ts';
import { publicKeyOf } from './keys.ts';
import { startMesh } from './mesh.ts';
import type { MeshOptions } from './mesh-options.ts';
import type { Mesh } from './mesh-port.ts';
import { PeerAccounts } from './peer-account.ts';
import type { Principal } from './principal.ts';

const client = 65_536;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

async function join(
  all: readonly Principal[],
  self: number,
  changes: Partial<MeshOptions> = {},
): Promise<Mesh> {
  const mesh = await startMesh({ ...optionsOf(all, self), ...changes });
  ends.push(() => mesh.stop());
  return mesh;
}

const ask = (number: number): Uint8Array => Uint8Array.of(0x51, 0x4c, 0x51, 1, 9, 9, 9, number);

test('members and clients are answered, and no handler sees a question or an answer', async () => {
  const all = await principals(2, 1);
  const frames: string[] = [];
  const onFrame = (_: number, frame: Uint8Array): void => {
    frames.push(Buffer.from(frame).toString());
  };
  const told = new Uint8Array(MAX_ANSWER_BYTES).fill(7);
  await join(all, 0, { answer: () => told, onFrame });
  const member = await join(all, 1, { onFrame });
  const asker = await join(all, client, { onFrame });
  await Promise.all([member.ready(1), asker.ready(2)]);
  expect(await member.ask(0, 5000)).toEqual(told);
  expect(await asker.ask(0, 5000)).toEqual(told);
  // n1 was given nothing to say.
  await expect(asker.ask(1, 5000)).rejects.toMatchObject({ fault: 'nothing-to-say' });
  expect(frames).toEqual([]);
});

test('however often a peer asks, it is told a few times', async () => {
  const all = await principals(1, 1);
  const accounts = new PeerAccounts();
  let answers = 0;
  const answer = (): Uint8Array => {
    answers++;
    return new Uint8Array(MAX_ANSWER_BYTES);
  };
  const node = await join(all, 0, { answer, accounts });
  const asker = await join(all, client);
  await asker.ready(1);
  const begin = node.stats().bytesOut;
  const asked = 500;
  // By hand, because nobody counts answers to what was not asked for by `ask`.
  for (let i = 0; i < asked; i++) asker.send(0, ask(i % 256));
  const account = accounts.of(client);
  const refused = (): number => account.refused.get('asked-too-often') ?? 0;
  await until('all were looked at', () => refused() + answers === asked);
  // A burst of 16 and two a second; under no load does this take minutes.
  expect(answers).toBeLessThan(100);
  const bytes = node.stats().bytesOut - begin;
  expect(bytes).toBeLessThan(answers * (MAX_ANSWER_BYTES + 64) + asked * 64);
  expect(account.work.say).toBeGreaterThan(0);
  const more = await Promise.allSettled(Array.from({ length: 50 }, () => asker.ask(0, 60_000)));
  expect(more).toContainEqual({
    status: 'rejected',
    reason: expect.objectContaining({ fault: 'too-often' }),
  });
});

test('a false answer is nobody’s, and a peer that goes away ends the wait', async () => {
  const all = await principals(2, 1);
  const accounts = new PeerAccounts();
  const liar = await join(all, 1);
  const asker = await join(all, client, { accounts });
  const node = await join(all, 0, { answer: () => Uint8Array.of(1) });
  await asker.ready(2);
  const forged = Uint8Array.of(0x51, 0x4c, 0x41, 1, 0, 0, 0, 1, 0, 99);
  for (let number = 0; number < 4; number++) {
    forged[7] = number;
    liar.send(client, forged); // In the name of nobody but itself, and not asked.
  }
  liar.send(client, ask(1).subarray(0, 5));
  await until('they came', () => (accounts.of(1).refused.get('not-asked') ?? 0) === 4);
  expect(await asker.ask(0, 5000)).toEqual(Uint8Array.of(1));
  const first = asker.ask(0, 60_000);
  const gone = Promise.allSettled([first, asker.ask(1, 60_000)]);
  await Promise.all([node.stop(), liar.stop()]);
  const [, second] = await gone;
  expect(second).toMatchObject({ status: 'rejected' });
  await expect(asker.ask(0, 5000)).rejects.toMatchObject({ fault: 'not-connected' });
});

test('why a peer cannot be reached is told apart', async () => {
  const all = await principals(4, 1);
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => {
    silent.listen(Number(all[1]?.address?.split('/').at(-1)), '127.0.0.1', resolve);
  });
  ends.push(() => silent.close());
  const other = { id: 2, publicKey: publicKeyOf(seedOf(77)) };
  await join([{ ...all[2], ...other } as Principal], 2, {
    secretKey: seedOf(77),
    listen: all[2]?.address ?? '',
  });
  await join(
    all.filter(({ id }) => id !== client),
    3,
  );
  const asker = await join(all, client, { limits: { upgradeTimeoutMs: 500 } });
  const faults = (): unknown[] => [0, 1, 2, 3].map((id) => asker.faultOf(id));
  const expected = ['refused', 'no-handshake', 'wrong-key', 'turned-away'];
  await until('all are known', () => `${faults()}` === `${expected}`);
});
