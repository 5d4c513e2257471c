import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { testClusters, until } from '../test-support/clusters.ts';
import { paths } from './config.ts';
import { clusterStatus, initCluster, readConfig, submit, upCluster } from './index.ts';
import { readPid } from './process-file.ts';

const limitMs = 240_000;
const clusters = testClusters();
afterEach(() => clusters.end(), limitMs);

test('each member has a certificate key with its proof, and what has none is refused', async () => {
  const folder = await clusters.made({ protocol: 'tendermint', certificates: 'bls' });
  const { certificates, members } = await readConfig(folder);
  expect(certificates).toBe('bls');
  const keys = members.map(({ certificateKey }) => certificateKey?.publicKey ?? '');
  expect(new Set(keys).size).toBe(4);
  const text = readFileSync(paths.config(folder), 'utf8');
  const [first = ''] = keys;
  for (const [bad, says] of [
    [text.replace('"bls"', '"rsa"'), /"certificates" must be "ed25519" or "bls"; restore it/],
    [text.replace(first, first.slice(1)), /n0 has no certificate key of 96 digits/],
    [text.replace('"signatures": "ed25519"', '"signatures": "channel"'), /"signatures" to be/],
    [text.replace(/"certificateKey": \{[^}]*\}/, '"more": 1'), /n0 has no certificate key/],
  ] as const) {
    writeFileSync(paths.config(folder), bad);
    await expect(readConfig(folder)).rejects.toThrow(says);
  }
  writeFileSync(paths.config(folder), text);
  const fresh = clusters.fresh();
  await expect(
    initCluster({ folder: fresh, protocol: 'raft', certificates: 'bls' }),
  ).rejects.toThrow(/raft makes no certificates, so nothing aggregates/);
});

test('processes commit by aggregates, lose one of them by a kill, and take it back', {
  timeout: limitMs,
}, async () => {
  const folder = await clusters.made({ protocol: 'pbft', certificates: 'bls' });
  await upCluster(folder);
  await submit(folder, 'append a x\nappend a y');
  process.kill((await readPid(paths.node(folder, 3))) as number, 'SIGKILL');
  await until(async () => !(await clusterStatus(folder)).rows[3]?.up);
  await submit(folder, 'append a z');
  expect((await upCluster(folder)).started).toEqual([3]);
  const { rows } = await submit(folder, 'append a !\nget a');
  expect(rows.at(-1)?.result).toBe('xyz!');
  await until(async () => {
    const status = await clusterStatus(folder);
    return status.word === 'ok' && new Set(status.rows.map(({ digest }) => digest)).size === 1;
  });

  // Somebody changes what n3 reads: another key of n0, whose owner is not shown to have its secret.
  process.kill((await readPid(paths.node(folder, 3))) as number, 'SIGKILL');
  await until(async () => !(await clusterStatus(folder)).rows[3]?.up);
  const file = paths.config(folder);
  const config = await readConfig(folder);
  const [zero, one] = config.members.map(({ certificateKey }) => certificateKey?.publicKey ?? '');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(zero as string, one as string));
  await expect(upCluster(folder)).rejects.toThrow(
    /^n3 did not start: .* of principal 0, .* no valid proof of possession: it may be a rogue key/,
  );
  writeFileSync(file, text);
});
